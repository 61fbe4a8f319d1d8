import { Client, type WorkflowHandle } from '@temporalio/client';
import { type WorkflowBundleWithSourceMap, Worker } from '@temporalio/worker';
import type { Config } from '../../../src/config.ts';
import type { LogPosition } from '../../../src/lake/messages.ts';
import { laneId, ownerId, taskQueues } from '../../../src/lake/messages.ts';
import { connectTemporal } from '../../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../../src/stack/temporal-namespace.ts';
import { connectWorker } from '../../../src/workers/temporal.ts';
import { beQuiet } from '../../support/temporal/workflow-bed.ts';

/*
 * Temporal's side of one Ingot: a namespace, and a worker in this process that runs the shipped
 * workflows. The activities run in the processes under test.
 */

export type Installation = {
  readonly namespace: string;
  /** What a lane knows of its logs. */
  readonly positions: () => Promise<readonly LogPosition[]>;
  /** Per log, up to which number the owner of the windows has been told. */
  readonly told: () => Promise<Readonly<Record<string, number>>>;
  /** What Temporal knows, for whoever must understand a failure. */
  readonly histories: () => Promise<object>;
  /** Gives nobody any more work of the lane. */
  readonly endLane: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type InstallationOptions = {
  readonly config: Config;
  readonly namespace: string;
  readonly dataset: string;
  readonly bundle: WorkflowBundleWithSourceMap;
};

const closeMs = 5_000;

export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { config, namespace, dataset, bundle } = options;
  const connection = await connectTemporal(config, 60_000);
  await ensureTemporalNamespace({ connection, namespace });
  // Here and not at the start of a run: what it installs lives until the last connection is closed.
  beQuiet();
  const native = await connectWorker(config);
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: taskQueues.workflows,
    workflowBundle: bundle,
    shutdownForceTime: closeMs,
  });
  const run = worker.run();
  const client = new Client({ connection, namespace });
  const owner = client.workflow.getHandle(ownerId(dataset));
  const lane = client.workflow.getHandle(laneId(dataset, 'lane-0'));
  return {
    namespace,
    positions: () => lane.query<readonly LogPosition[]>('positions'),
    told: () => toldTo(owner),
    histories: async () => ({
      lane: await lane.fetchHistory().catch(String),
      owner: await owner.fetchHistory().catch(String),
    }),
    endLane: async () => void (await lane.terminate('the lane has moved')),
    close: async () => {
      for (const handle of [lane, owner]) {
        // One that never began has nothing to end.
        await handle.terminate('the case is over').catch(() => undefined);
      }
      worker.shutdown();
      await run.catch(() => undefined);
      await native.close();
      await connection.close();
    },
  };
}

type Signal = { readonly logs: readonly { readonly log: string; readonly sealedTo: number }[] };

async function toldTo(owner: WorkflowHandle): Promise<Readonly<Record<string, number>>> {
  const { events } = await owner.fetchHistory();
  const told: Record<string, number> = {};
  for (const { workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
    const data = signal?.signalName === 'logAdvanced' ? signal.input?.payloads?.[0]?.data : null;
    if (data == null) continue;
    const { logs } = JSON.parse(Buffer.from(data).toString('utf8')) as Signal;
    for (const { log, sealedTo } of logs) told[log] = Math.max(told[log] ?? -1, sealedTo);
  }
  return told;
}
