import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { type Config, type Environment, loadConfig } from '../../../src/config.ts';
import { events } from '../../../src/datasets/events.ts';
import { ownerId, taskQueues } from '../../../src/lake/messages.ts';
import type { OwnerState, SilverBuilt } from '../../../src/lake/owner-state.ts';
import type { BuildMode } from '../../../src/lake/pointer.ts';
import { type Random, createRandom } from '../../../src/producer/random.ts';
import { ensureTemporalNamespace } from '../../../src/stack/temporal-namespace.ts';
import { connectClient, signalOwner } from '../../../src/workers/temporal.ts';
import { createObjects } from '../../../src/workers/wiring.ts';
import { eventually } from '../../support/temporal/eventually.ts';
import { type ChaosProcess, startChaosProcess } from './chaos-process.ts';
import { type LakeView, pointerHistory } from './lake-view.ts';
import { type Watched, startWatcher } from './lake-watcher.ts';
import type { StepSpec } from './steps.ts';
import {
  type ChaosBatch,
  createBatchMaker,
  firstHour,
  mainLog,
  nextHour,
  putBatch,
} from './transform-batches.ts';
import type { TransformFacts } from './transform-check.ts';
import { isAtRest, isRegistered, openView } from './transform-waits.ts';
import type { Harness } from './world.ts';

/* What one case of the transforms has to itself: a bucket, databases, a namespace, and processes. */

export type TransformWorld = {
  readonly random: Random;
  readonly config: Config;
  readonly env: Environment;
  readonly client: Client;
  readonly view: LakeView;
  /** Starts a transform worker. */
  readonly worker: (name: string, steps?: readonly StepSpec[]) => Promise<ChaosProcess>;
  /** Seals so many more batches and tells the owner; with the batch that moves an event, if asked for. */
  readonly pour: (
    count: number,
    more?: { readonly early?: boolean; readonly searches?: boolean },
  ) => Promise<void>;
  /** Says that the first hour is over. */
  readonly close: () => Promise<void>;
  /** Waits until the first hour is built from everything so far, and registered. */
  readonly registered: () => Promise<void>;
  /** Waits until the owner has nothing left to build. */
  readonly rest: () => Promise<void>;
  /** Builds the first hour from the main log up to a batch, beside whatever the owner does. */
  readonly build: (name: string, mode: BuildMode, through: number) => Promise<SilverBuilt>;
  /** Runs a command of the product, as a person does. */
  readonly ingot: (...args: readonly string[]) => Promise<string>;
  readonly waitFor: typeof eventually;
  /** Notes what does not hold; the case goes on. */
  readonly expect: (holds: boolean, claim: string) => void;
};

export type OpenTransformWorld = TransformWorld & {
  readonly failed: readonly string[];
  /** Stops everything, and says what to check. */
  readonly halt: () => Promise<TransformFacts>;
  readonly keep: (facts: object) => Promise<string>;
  readonly end: () => Promise<void>;
};

export type TransformOptions = {
  readonly name: string;
  /** Gold follows silver, and batches bring events of one hour only. */
  readonly withGold: boolean;
};

const settings: Environment = {
  FOLD_SECONDS: '1',
  TRANSFORM_SLOTS: '2',
  DUCKDB_THREADS: '1',
  DUCKDB_MEMORY_MB: '256',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info',
};
const ingot = fileURLToPath(new URL('../../../bin/ingot.mjs', import.meta.url));
const renewEveryMs = 2_000;
const limitMs = 180_000;
const pollMs = 200;

export async function openTransformWorld(
  harness: Harness,
  { name, withGold }: TransformOptions,
): Promise<OpenTransformWorld> {
  const random = createRandom(`${harness.seed}/${name}`);
  const id = `t${random.hex(8)}`;
  const folder = join(harness.folder, name);
  await mkdir(folder, { recursive: true });
  const env = {
    ...harness.env,
    ...settings,
    INGOT_ID: id,
    LAKE_BUCKET: `ingot-lake-${id}`,
    TEMPORAL_NAMESPACE: `ingot-${id}`,
    GOLD_REFRESH: withGold ? 'follow' : 'schedule',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  const config = loadConfig(env);
  const view = await openView(config);
  const { client, connection } = await connectClient(config);
  await ensureTemporalNamespace({ connection, namespace: config.temporalNamespace });
  const owner = client.workflow.getHandle(ownerId(events.name));
  const objects = createObjects(config);
  const maker = createBatchMaker(createRandom(`${harness.seed}/${name}/batches`));
  const hours = withGold ? [firstHour] : [firstHour, nextHour];
  const gold = withGold ? events.gold.map((table) => table.name) : [];
  const batches: ChaosBatch[] = [];
  const processes: ChaosProcess[] = [];
  const failed: string[] = [];
  let frontier = `${firstHour}:50:00.000Z`;
  const tables = [
    { layer: 'silver', table: events.silver.name },
    ...gold.map((table) => ({ layer: 'gold', table })),
  ];
  const watcher = startWatcher(view, tables);
  // The owner continues as new all the while, builds or no builds.
  const renewing = setInterval(
    () => void owner.signal('renew').catch(() => undefined),
    renewEveryMs,
  );
  let watched: Watched | null = null;
  const stopWatching = async (): Promise<Watched> => (watched ??= await watcher.stop());
  const sealedTo = (): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const { log, number } of batches) found[log] = Math.max(found[log] ?? -1, number);
    return found;
  };
  const tell = (): Promise<void> => {
    const logs = Object.entries(sealedTo()).map(([log, to]) => ({ log, sealedTo: to, frontier }));
    return signalOwner(client, events.name, { logs });
  };
  const rest = async (): Promise<void> => {
    const probe = async (): Promise<boolean> => {
      const state = await owner.query<OwnerState>('status').catch(() => null);
      return state !== null && isAtRest(state, sealedTo(), { withGold, isClosed: isClosed() });
    };
    await eventually('the owner to have nothing left to do', probe, { limitMs, everyMs: pollMs });
  };
  const isClosed = (): boolean => frontier > `${nextHour}:`;
  return {
    random,
    config,
    env,
    client,
    view,
    failed,
    waitFor: eventually,
    expect: (holds, claim) => void (holds || failed.push(claim)),
    worker: async (title, steps = []) => {
      const process = await startChaosProcess({
        name: title,
        program: harness.programs.transform,
        args: [harness.programs.workflows],
        env,
        steps,
        logFile: join(folder, `${title}.log`),
      });
      processes.push(process);
      return process;
    },
    pour: async (count, { early = false, searches = false } = {}) => {
      const more = Array.from({ length: count }, () => maker.next(hours, { searches }));
      for (const batch of early ? [...more, maker.early()] : more) {
        // Known before it is there: a watcher may see its rows at once.
        batches.push(batch);
        await putBatch(objects, batch);
      }
      await tell();
    },
    close: async () => {
      frontier = `${nextHour}:10:00.000Z`;
      await tell();
    },
    registered: async () => {
      const what = `${firstHour} to be built from ${JSON.stringify(sealedTo())} and registered`;
      const probe = (): Promise<boolean> =>
        isRegistered(view, sealedTo(), isClosed()).catch(() => false);
      await eventually(what, probe, { limitMs, everyMs: pollMs });
    },
    rest,
    build: async (title, mode, through) => {
      const pending = { [mainLog]: { first: 0, through } };
      const handle = await client.workflow.start('buildSilverWindow', {
        workflowId: title,
        taskQueue: taskQueues.workflows,
        args: [{ dataset: events.name, window: firstHour, mode, pending, owner: 'nobody' }],
      });
      return (await handle.result()) as SilverBuilt;
    },
    ingot: async (...args) => {
      const { stdout } = await promisify(execFile)(process.execPath, [ingot, ...args], { env });
      return stdout;
    },
    halt: async () => {
      clearInterval(renewing);
      await Promise.all(processes.map((process) => process.kill()));
      const closed = isClosed() ? [firstHour] : [];
      const seen = await stopWatching();
      return { view, batches, hours, closed, gold, watched: seen };
    },
    keep: async (facts) => {
      const told = await owner.fetchHistory().catch(String);
      const history = Object.fromEntries(await pointerHistory(view).catch(() => []));
      await writeFile(
        join(folder, 'facts.json'),
        JSON.stringify({ ...facts, history, watched, owner: told }, null, 2),
      );
      return folder;
    },
    end: async () => {
      clearInterval(renewing);
      await stopWatching();
      await Promise.all(processes.map((process) => process.kill()));
      await owner.terminate('the case is over').catch(() => undefined);
      await connection.close();
      view.s3.destroy();
      view.glue.destroy();
    },
  };
}
