import { randomBytes } from 'node:crypto';
import { Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import { type NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { loadConfig } from '../../../src/config.ts';
import { messageOf } from '../../../src/errors.ts';
import { taskQueues } from '../../../src/lake/messages.ts';
import { connectTemporal } from '../../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../../src/stack/temporal-namespace.ts';
import { connectWorker } from '../../../src/workers/temporal.ts';
import { quiet, shippedBundle } from './bundle.ts';
import { patientQueries } from './patient-queries.ts';
import { recordHistory } from './recording.ts';
import { type LakeActivities, type StubLake, datasetOf } from './stub-lake.ts';

/*
 * The shipped workflows on a real server, in a namespace of their own, with stub activities. A bed
 * is shared by many tests; each takes a dataset of its own, so that fixed workflow ids do not meet.
 */

export type WorkflowLog = { readonly message: string; readonly facts: Record<string, unknown> };

export type WorkflowBed = {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  /** A new dataset whose activities are those of the lake. */
  readonly dataset: (lake: StubLake) => string;
  /** Warnings that workflows of a dataset have logged. */
  readonly warnings: (dataset: string) => readonly WorkflowLog[];
  /** Keeps the history of a run for the replay tests, when they are being recorded. */
  readonly record: (scenario: string, handle: WorkflowHandle) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type WorkflowBedOptions = {
  readonly name: string;
  /** 0 makes the worker replay the history on every workflow task. */
  readonly maxCachedWorkflows: number;
};

/** Names instead of process and host, so that a recorded history tells nothing of its machine. */
const identity = { client: 'ingot-test-client', worker: 'ingot-test-worker' };

export async function openWorkflowBed(options: WorkflowBedOptions): Promise<WorkflowBed> {
  const config = loadConfig(process.env);
  const namespace = `${options.name}-${randomBytes(4).toString('hex')}`;
  const connection = await connectTemporal(config, 60_000);
  await ensureTemporalNamespace({ connection, namespace });
  beQuiet();
  const native = await connectWorker(config);
  const lakes = new Map<string, StubLake>();
  const warned: (WorkflowLog & { readonly workflowId: string })[] = [];
  const workers = await createWorkers({
    ...options,
    native,
    namespace,
    lakes,
    warn: (workflowId, message, facts) => void warned.push({ workflowId, message, facts }),
  });
  const runs = workers.map((worker) => worker.run());
  const client = new Client({
    connection,
    namespace,
    identity: identity.client,
    interceptors: { workflow: [patientQueries] },
  });
  return {
    client,
    connection,
    namespace,
    dataset: (lake) => {
      const name = `d${lakes.size + 1}`;
      lakes.set(name, lake);
      return name;
    },
    warnings: (dataset) =>
      // Ids of gold builds name the table, which begins with the dataset here.
      warned.filter(({ workflowId }) => workflowId.split('/')[1]?.split('_')[0] === dataset),
    record: async (scenario, handle) => {
      if (options.maxCachedWorkflows > 0) await recordHistory({ scenario, handle, namespace });
    },
    close: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(runs);
      await native.close();
      await connection.close();
    },
  };
}

type WorkerNeeds = WorkflowBedOptions & {
  readonly native: NativeConnection;
  readonly namespace: string;
  readonly lakes: ReadonlyMap<string, StubLake>;
  readonly warn: (workflowId: string, message: string, facts: Record<string, unknown>) => void;
};

async function createWorkers(needs: WorkerNeeds): Promise<readonly Worker[]> {
  const { native, namespace, lakes, maxCachedWorkflows, warn } = needs;
  const common = {
    connection: native,
    namespace,
    identity: identity.worker,
    buildId: 'ingot-test',
  };
  const activities = dispatched(lakes);
  const withWorkflows: WorkerOptions = {
    ...common,
    taskQueue: taskQueues.workflows,
    workflowBundle: await shippedBundle(),
    maxCachedWorkflows,
    // Deprecated by name, and the one way to see what the workflows of one worker log.
    sinks: {
      defaultWorkerLogger: Object.fromEntries(
        ['trace', 'debug', 'info', 'warn', 'error'].map((level) => [
          level,
          {
            fn: (
              { workflowId }: { workflowId: string },
              message: string,
              facts: Record<string, unknown> = {},
            ) => (level === 'warn' ? warn(workflowId, message, facts) : undefined),
          },
        ]),
      ),
    },
  };
  return Promise.all([
    Worker.create(withWorkflows),
    ...[taskQueues.ingest, taskQueues.transform, taskQueues.backfill, taskQueues.catalog].map(
      (taskQueue) =>
        // A cancellation comes with the answer to a heartbeat.
        Worker.create({ ...common, taskQueue, activities, maxHeartbeatThrottleInterval: '50ms' }),
    ),
  ]);
}

/** Activities that go to the lake of the dataset for which they are called. */
function dispatched(lakes: ReadonlyMap<string, StubLake>): LakeActivities {
  const names: readonly (keyof LakeActivities)[] = [
    'ingest',
    'acceptGap',
    'changeControl',
    'describeLakehouse',
    'routeBatches',
    'routeWild',
    'registerBronzeHours',
    'stageSilver',
    'stageGold',
    'checkStaged',
    'publishVersion',
    'registerWindow',
    'sweep',
    'recordSweep',
    'keepEvents',
    'queueWindows',
    'takeQueued',
    'planBackfill',
  ];
  const entries = names.map((name) => [
    name,
    (input: unknown) => {
      const lake = lakes.get(datasetOf(input));
      if (lake === undefined) throw new Error(`no lake for ${JSON.stringify(input)}`);
      return (lake.activities[name] as (input: unknown) => unknown)(input);
    },
  ]);
  return Object.fromEntries(entries) as LakeActivities;
}

/** The SDK's own lines would drown the results; what workflows log goes through their own sink. */
export function beQuiet(): void {
  try {
    Runtime.install({
      logger: quiet,
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
    });
  } catch {
    // Another test file has installed one, which is as good.
  }
}

type Scenario = (bed: WorkflowBed) => Promise<void>;

const modes = { kept: 200, replayed: 0 } as const;
type ModalBed = WorkflowBed & { readonly mode: string };

let beds: Promise<readonly ModalBed[]> | undefined;

/** The beds of all files: workers take longer to come and go than most scenarios last. */
function sharedBeds(): Promise<readonly ModalBed[]> {
  beds ??= Promise.all(
    Object.entries(modes).map(async ([mode, maxCachedWorkflows]) => {
      const bed = await openWorkflowBed({ name: `workflows-${mode}`, maxCachedWorkflows });
      return { ...bed, mode };
    }),
  );
  return beds;
}

/**
 * Once for all files: a hook of the root, which is there only when mocha runs. Where mocha runs files
 * in several processes each of them has a root, and the end of its process is that of the beds.
 */
let closesBeds = process.env['MOCHA_WORKER_ID'] !== undefined;
function closeBedsAtTheEnd(): void {
  if (closesBeds) return;
  closesBeds = true;
  after(async function () {
    this.timeout(270_000);
    await Promise.all(((await beds) ?? []).map((bed) => bed.close()));
  });
}

/**
 * The scenarios of a file. Each runs on two beds at the same time: on one, workflows are kept in
 * memory; on the other, every workflow task replays its history.
 */
export function describeScenarios(
  name: string,
  define: (scenario: (claim: string, run: Scenario) => void) => void,
): void {
  closeBedsAtTheEnd();
  describe(name, function () {
    this.timeout(270_000);
    before(async () => {
      await sharedBeds();
    });
    define((claim, run) => {
      it(claim, async () => {
        const each = await sharedBeds();
        const ends = await Promise.allSettled(each.map((bed) => run(bed)));
        for (const [index, end] of ends.entries()) {
          if (end.status === 'fulfilled') continue;
          throw new Error(`with workflows ${each[index]!.mode}: ${whole(end.reason)}`, {
            cause: end.reason,
          });
        }
      });
    });
  });
}

/** With what lies behind it: the client says of a failed query only that it failed. */
function whole(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${whole(cause)}`;
}
