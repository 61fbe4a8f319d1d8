import { randomBytes } from 'node:crypto';
import { createKafka, ensureTopic, withAdmin } from '../../src/adapters/kafka-client.ts';
import { cleanNamespace } from '../../src/adapters/namespace-cleanup.ts';
import { createGlueClient, createS3Client } from '../../src/adapters/aws-clients.ts';
import { type LakeFigures, lakeFigures } from '../../src/activities/figures.ts';
import { waitForIngest, waitForOwner } from '../../src/cli/demo-wait.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { hourMs, startOfHour } from '../../src/lake/time.ts';
import type { Ports } from '../../src/ports.ts';
import type { StreamRecord } from '../../src/producer/events.ts';
import { sendEvents } from '../../src/producer/send-events.ts';
import {
  type WorkerKind,
  startWorkerProcess,
  stopWorkerProcesses,
  workerKinds,
} from '../../src/stack/worker-processes.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { connectClient } from '../../src/workers/temporal.ts';
import { createPorts } from '../../src/workers/wiring.ts';
import { type IngotAnswer, runIngot } from '../support/run-ingot.ts';

/* A pipeline of real worker processes in a namespace of its own, for end-to-end tests. */

export type Pipeline = {
  readonly config: Config;
  readonly ports: Ports;
  produce(records: readonly StreamRecord[]): Promise<void>;
  /** Waits until everything produced so far is sealed, built and registered. */
  settle(): Promise<void>;
  /** Waits until everything up to these entries of the logs is built and registered. */
  settleAt(sealedTo: Readonly<Record<string, number>>): Promise<void>;
  figures(): Promise<LakeFigures>;
  /** Ends a worker by SIGTERM and starts it again, with other settings from then on. */
  restartWorker(kind: WorkerKind, settings?: Readonly<Record<string, string>>): Promise<void>;
  /** The record at an offset, as text. */
  readRecord(topic: string, partition: number, offset: string): Promise<readonly string[]>;
  /** Runs a command with the settings of this pipeline, and others for this once. */
  ingot(args: readonly string[], settings?: Readonly<Record<string, string>>): Promise<IngotAnswer>;
  stop(): Promise<void>;
};

const silentLine = {
  update: () => undefined,
  note: () => undefined,
  succeed: () => undefined,
  fail: () => undefined,
};

/**
 * The end of the newest hour that is closed before the test begins. The hour that has just ended may
 * close while it runs, and then it is built once more.
 */
export function endOfClosedHours(): number {
  return startOfHour(Date.now()) - hourMs;
}

export async function startPipeline(
  prefix: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Pipeline> {
  const id = `${prefix}${randomBytes(4).toString('hex')}`;
  const topic = `ecommerce-${id}`;
  const env = {
    ...process.env,
    INGOT_ID: id,
    KAFKA_TOPICS: topic,
    TEMPORAL_NAMESPACE: '',
    LAKE_BUCKET: '',
    GOLD_REFRESH: 'follow',
    FOLD_SECONDS: '2',
    INGEST_FLUSH_MS: '300',
    INGEST_FLUSH_IDLE_MS: '600',
    // Each slice starts threads of its own, which takes seconds of the CPU.
    INGEST_SLICE_SECONDS: '600',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const config = loadConfig(env);
  const ports = await createPorts(config, events, silentLogger);
  const kafka = createKafka(config, silentLogger);
  await withAdmin(kafka, (admin) => ensureTopic(admin, topic, 3));
  const start = (kind: WorkerKind, changed = {}) =>
    startWorkerProcess({ config, env: { ...env, ...changed }, kind });
  await Promise.all(workerKinds.map((kind) => start(kind)));
  const { client, connection } = await connectClient(config);
  const signal = new AbortController().signal;
  const settleAt = async (sealedTo: Readonly<Record<string, number>>): Promise<void> => {
    const wait = { client, config, dataset: events.name, sealedTo, signal };
    await waitForOwner(wait, silentLine);
  };
  return {
    config,
    ports,
    produce: async (records) => void (await sendEvents({ kafka, topic, records })),
    settle: async () => {
      const waiting = { ports, dataset: events, topic, signal };
      const sealedTo = await waitForIngest(waiting, silentLine);
      await settleAt(sealedTo);
    },
    settleAt,
    figures: () =>
      lakeFigures({
        ports,
        dataset: events,
        topics: [topic],
        batchWindowsMax: config.BATCH_WINDOWS_MAX,
      }),
    restartWorker: async (kind, changed) => {
      await stopWorkerProcesses(config, `${id}-${kind}`);
      await start(kind, changed);
    },
    ingot: (args, changed) => runIngot(args, { env: { ...env, ...changed } }),
    readRecord: (of, partition, offset) => readOne(ports, { topic: of, partition, offset }),
    stop: async () => {
      await stopWorkerProcesses(config, id);
      await connection.close();
      await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
      await cleanNamespace({ glue: createGlueClient(config), s3: createS3Client(config), id });
    },
  };
}

async function readOne(
  ports: Ports,
  position: { topic: string; partition: number; offset: string },
): Promise<readonly string[]> {
  const done = new AbortController();
  const found: string[] = [];
  await ports.source.read({
    positions: [position],
    signal: done.signal,
    onFetched: async ({ records }) => {
      const record = records.find(({ offset }) => offset === position.offset);
      if (record?.value != null) found.push(Buffer.from(record.value).toString('utf8'));
      done.abort();
    },
  });
  return found;
}
