import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { createS3Client, ensureBucket } from '../../../src/adapters/aws-clients.ts';
import { createKafka } from '../../../src/adapters/kafka-client.ts';
import { type Config, type Environment, loadConfig } from '../../../src/config.ts';
import { createRandom, type Random } from '../../../src/producer/random.ts';
import type { PartName } from '../../../src/stack/parts.ts';
import { silentLogger } from '../../../src/workers/logger.ts';
import { eventually } from '../../support/temporal/eventually.ts';
import { type ChaosProcess, startChaosProcess } from './chaos-process.ts';
import { type Installation, openInstallation } from './installation.ts';
import { type LakeFiles, listKeys, readKey, readLakeFiles } from './lake-files.ts';
import { type Ledger, openLedger, topicPartitions } from './ledger.ts';
import { otherContractVariable } from './other-contract.ts';
import { type LogsFound, checkSourceLogs } from './source-log-check.ts';
import type { StepSpec } from './steps.ts';

/* What one case has to itself: a topic, a bucket, namespaces of Temporal, and processes. */

export type World = {
  readonly random: Random;
  readonly config: Config;
  readonly ledger: Ledger;
  /** Starts an ingest process that serves the lane of an installation. */
  readonly ingest: (name: string, options?: IngestOptions) => Promise<ChaosProcess>;
  /** Another Ingot on the same bucket and the same topic. */
  readonly install: () => Promise<Installation>;
  readonly installations: readonly Installation[];
  /** The source logs as they are now; many requests. */
  readonly logs: () => Promise<LogsFound>;
  /** Waits until so many more batches are sealed. */
  readonly sealMore: (count: number) => Promise<void>;
  readonly waitFor: typeof eventually;
  /** Notes what does not hold; the case goes on. */
  readonly expect: (holds: boolean, claim: string) => void;
  /** Pulls the plug of a part of the stack; `revive` brings all of them back. */
  readonly crash: (part: PartName) => Promise<void>;
  readonly revive: () => Promise<void>;
};

export type IngestOptions = {
  readonly steps?: readonly StepSpec[];
  readonly installation?: Installation;
  readonly otherContract?: boolean;
  readonly settings?: Environment;
};

/** What all cases share. */
export type Harness = {
  readonly env: Environment;
  readonly bundle: WorkflowBundleWithSourceMap;
  /** Compiled: the ingest process and the thread in it, the transform process and its workflows. */
  readonly programs: {
    readonly process: string;
    readonly thread: string;
    readonly transform: string;
    readonly workflows: string;
  };
  /** Removes what was compiled. */
  readonly remove: () => Promise<void>;
  readonly seed: string;
  /** Where a case keeps what is needed to understand it. */
  readonly folder: string;
  /** Also of cases that went well. */
  readonly keep: boolean;
  /** Absent where the stack belongs to others too. */
  readonly stack?: Pick<World, 'crash' | 'revive'>;
};

export type OpenWorld = World & {
  /** What was expected and does not hold. */
  readonly failed: readonly string[];
  /** Waits until all that was produced is sealed and the owner of the windows knows. */
  readonly settle: () => Promise<void>;
  /** Everything in the lake. */
  readonly files: () => Promise<LakeFiles>;
  /** Keeps what is needed to understand a failure; answers where. */
  readonly keep: (facts: object) => Promise<string>;
  readonly close: () => Promise<void>;
};

const dataset = 'events';
const settleLimitMs = 180_000;
const toldLimitMs = 60_000;
const sealLimitMs = 180_000;
const pollMs = 500;

/** Small batches, so that there are many steps to die at, and slices that end now and then. */
const settings: Environment = {
  INGEST_FLUSH_MS: '250',
  INGEST_FLUSH_IDLE_MS: '500',
  INGEST_BATCH_ROWS_MAX: '150',
  INGEST_SLICE_SECONDS: '20',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info',
};

export type WorldOptions = { readonly name: string; readonly withDisputed: boolean };

export async function openWorld(harness: Harness, options: WorldOptions): Promise<OpenWorld> {
  const { name } = options;
  const random = createRandom(`${harness.seed}/${name}`);
  const id = `c${random.hex(8)}`;
  const folder = join(harness.folder, name);
  await mkdir(folder, { recursive: true });
  const env = {
    ...harness.env,
    ...settings,
    INGOT_ID: id,
    KAFKA_TOPICS: `chaos-${id}`,
    LAKE_BUCKET: `ingot-lake-${id}`,
    TEMPORAL_NAMESPACE: `ingot-${id}`,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  const config = loadConfig(env);
  const s3 = createS3Client(config);
  await ensureBucket(s3, config.lakeBucket, config.AWS_REGION);
  const ledger = await openLedger({
    kafka: createKafka(config, silentLogger),
    topic: config.KAFKA_TOPICS,
    random: createRandom(`${harness.seed}/${name}/records`),
    withDisputed: options.withDisputed,
  });
  const processes: ChaosProcess[] = [];
  const installations: Installation[] = [];
  const failed: string[] = [];
  const expect = (holds: boolean, claim: string): void => void (holds || failed.push(claim));
  const install = async (): Promise<Installation> => {
    const number = installations.length;
    const namespace = number === 0 ? config.temporalNamespace : `${config.temporalNamespace}-b`;
    const { bundle } = harness;
    const installation = await openInstallation({ config, namespace, dataset, bundle });
    installations.push(installation);
    return installation;
  };
  await install();
  const { crash, revive } = harness.stack ?? noStack;
  const waiting = { s3, config, ledger, installations };
  return {
    random,
    config,
    ledger,
    install,
    installations,
    expect,
    crash,
    revive,
    failed,
    waitFor: eventually,
    ingest: async (title, given = {}) => {
      const process = await startChaosProcess({
        name: title,
        program: harness.programs.process,
        args: [harness.programs.thread],
        env: {
          ...env,
          ...given.settings,
          [otherContractVariable]: String(given.otherContract ?? false),
          TEMPORAL_NAMESPACE: (given.installation ?? installations[0]!).namespace,
        },
        steps: given.steps ?? [],
        logFile: join(folder, `${title}.log`),
      });
      processes.push(process);
      return process;
    },
    sealMore: (count) => sealMore(waiting, count),
    logs: async () => checkSourceLogs(await readLakeFiles(s3, config.lakeBucket, '_log/')),
    settle: () => settle(waiting),
    files: () => readLakeFiles(s3, config.lakeBucket),
    keep: async (facts) => {
      const temporal = await Promise.all(installations.map((one) => one.histories()));
      const text = JSON.stringify({ ...facts, temporal }, null, 2);
      await writeFile(join(folder, 'facts.json'), text);
      return folder;
    },
    close: async () => {
      await ledger.stop();
      await Promise.all(processes.map((process) => process.kill()));
      await Promise.all(installations.map((one) => one.close()));
      await ledger.close();
      s3.destroy();
    },
  };
}

const noStack: Pick<World, 'crash' | 'revive'> = {
  crash: () => Promise.reject(new Error('this stack is shared: its parts stay up')),
  revive: () => Promise.resolve(),
};

/** In the order of their logs and numbers. */
async function sealKeys(s3: S3Client, config: Config): Promise<readonly string[]> {
  const keys = await listKeys(s3, config.lakeBucket, '_log/');
  return keys.filter((key) => key.endsWith('.seal.json'));
}

type Waiting = Pick<World, 'config' | 'ledger' | 'installations'> & { readonly s3: S3Client };

async function sealMore({ s3, config }: Waiting, count: number): Promise<void> {
  // A store that is down tells nothing, and comes back.
  const sealed = async (): Promise<number> => (await sealKeys(s3, config).catch(() => [])).length;
  const wanted = (await sealKeys(s3, config)).length + count;
  await eventually(`${count} more batches`, async () => (await sealed()) >= wanted, {
    limitMs: sealLimitMs,
    everyMs: pollMs,
  });
}

async function settle(waiting: Waiting): Promise<void> {
  const { ledger, installations } = waiting;
  await ledger.stop();
  const ends = await ledger.ends();
  const last = await eventually(
    `everything to be sealed, up to ${ends.join(', ')}`,
    () => lastNumbers(waiting, ends).catch(() => undefined),
    { limitMs: settleLimitMs, everyMs: pollMs },
  );
  await eventually(
    `the owner of the windows to be told of ${JSON.stringify(last)}`,
    async () => {
      const told = await Promise.all(installations.map((one) => one.told().catch(() => ({}))));
      const isTold = (log: string, number: number): boolean =>
        told.some((by: Readonly<Record<string, number>>) => (by[log] ?? -1) >= number);
      return Object.entries(last).every(([log, number]) => isTold(log, number));
    },
    { limitMs: toldLimitMs, everyMs: pollMs },
  );
}

/** By log, the number of the batch that ends where Kafka ends; nothing before all logs have one. */
async function lastNumbers(
  { s3, config }: Waiting,
  ends: readonly bigint[],
): Promise<Readonly<Record<string, number>> | undefined> {
  const byLog = new Map((await sealKeys(s3, config)).map((key) => [key.split('/')[2] ?? '', key]));
  const numbers: Record<string, number> = {};
  for (const [log, key] of byLog) {
    const bytes = await readKey(s3, config.lakeBucket, key);
    const seal = JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<
      Record<string, unknown>
    >;
    const end = ends[Number(log.slice(log.lastIndexOf('-') + 1))];
    if (seal['offsetEnd'] === String(end)) numbers[log] = Number(seal['number']);
  }
  return Object.keys(numbers).length === topicPartitions ? numbers : undefined;
}
