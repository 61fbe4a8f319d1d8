import { Client, type Connection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config.ts';
import { dropLane } from '../lake/drop.ts';
import type { LogAdvanced, LogsStopped } from '../lake/messages.ts';
import { laneId, ownerId, taskQueues } from '../lake/messages.ts';
import { connectTemporal, temporalConnectionOptions } from '../stack/temporal-connection.ts';
import { datasetAttributes } from '../workflows/search-attributes.ts';

/* How the processes reach Temporal, and what they make sure is running there. */

const connectMs = 10_000;

export type TemporalClient = { readonly client: Client; readonly connection: Connection };

export async function connectClient(config: Config): Promise<TemporalClient> {
  const connection = await connectTemporal(config, connectMs);
  return { connection, client: new Client({ connection, namespace: config.temporalNamespace }) };
}

export async function connectWorker(config: Config): Promise<NativeConnection> {
  const { address, tls, apiKey } = await temporalConnectionOptions(config);
  return NativeConnection.connect({
    address: address!,
    ...(tls === undefined ? {} : { tls }),
    ...(typeof apiKey === 'string' ? { apiKey } : {}),
  });
}

/** Starts the lane unless it runs; one that is about to end is told that it is wanted again. */
export async function ensureLane(client: Client, dataset: string, lane: string): Promise<void> {
  await client.workflow.signalWithStart('ingestLane', {
    workflowId: laneId(dataset, lane),
    taskQueue: taskQueues.workflows,
    signal: 'laneWanted',
    signalArgs: [],
    typedSearchAttributes: datasetAttributes(dataset),
    staticSummary: `Kafka to bronze, ${lane}`,
    args: [{ dataset, lane }],
  });
}

/** Starts the lane of the drop folder unless it runs. */
export async function ensureDropLane(client: Client, dataset: string): Promise<void> {
  await client.workflow.start('ingestLane', {
    workflowId: laneId(dataset, dropLane),
    taskQueue: taskQueues.workflows,
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: datasetAttributes(dataset),
    staticSummary: 'dropped files to bronze',
    args: [{ dataset, lane: dropLane, source: 'drop' }],
  });
}

/** Tells a running lane what does not go on. */
export async function signalLane(
  client: Client,
  workflowId: string,
  message: LogsStopped,
): Promise<void> {
  await client.workflow.getHandle(workflowId).signal('logsStopped', message);
}

/** Starts the owner of the windows; false where it runs. It begins from the ledger, if there is one. */
export async function startOwner(client: Client, dataset: string): Promise<boolean> {
  try {
    await client.workflow.start('lakehouse', {
      workflowId: ownerId(dataset),
      taskQueue: taskQueues.workflows,
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: datasetAttributes(dataset),
      staticSummary: `owner of all windows of ${dataset}`,
      args: [{ dataset }],
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** Tells the owner of the windows, starting it where it does not run. */
export async function signalOwner(
  client: Client,
  dataset: string,
  message: LogAdvanced,
): Promise<void> {
  await client.workflow.signalWithStart('lakehouse', {
    workflowId: ownerId(dataset),
    taskQueue: taskQueues.workflows,
    typedSearchAttributes: datasetAttributes(dataset),
    staticSummary: `owner of all windows of ${dataset}`,
    args: [{ dataset }],
    signal: 'logAdvanced',
    signalArgs: [message],
  });
}
