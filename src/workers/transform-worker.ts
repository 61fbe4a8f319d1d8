import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { createBackfillActivities } from '../activities/backfill.ts';
import { createCatalogActivities } from '../activities/catalog.ts';
import { createGoldActivities } from '../activities/gold.ts';
import { createJanitorActivities } from '../activities/janitor.ts';
import { createLakehouseActivities } from '../activities/lakehouse.ts';
import { createOwnerEventActivities } from '../activities/owner-events.ts';
import { createQueueActivities } from '../activities/owner-queue.ts';
import { type PointerStore, createPointerStore } from '../activities/pointer-store.ts';
import { createQualityActivities } from '../activities/quality.ts';
import { createSilverActivities } from '../activities/silver.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { taskQueues } from '../lake/messages.ts';
import type { Logger, Ports } from '../ports.ts';
import { activityInterceptor } from './activity-interceptor.ts';
import type { RunningWorker } from './running-worker.ts';
import { buildsInUse } from './builds-in-use.ts';
import { connectClient, connectWorker } from './temporal.ts';
import { ensureJanitorSchedule, ensureSchedule } from './schedules.ts';
import { createPorts, describeLakehouse, janitorSettings, transformEngine } from './wiring.ts';
import { cachedWorkflowBundle } from './workflow-bundle.ts';

/** Metadata activities that one worker runs at once: small reads and commits. */
const metadataSlots = 8;

/** What takes the place of what the worker makes itself; tests bring their own. */
export type TransformParts = {
  readonly ports?: Ports;
  /** Options of the worker that runs workflows, with a bundle of theirs. */
  readonly workflows?: Partial<WorkerOptions>;
  /** Options of all workers of the process. */
  readonly all?: Partial<WorkerOptions>;
};

/** The process that runs workflows, transforms, backfills and the catalog. */
export async function startTransformWorker(
  config: Config,
  logger: Logger,
  given: TransformParts = {},
): Promise<RunningWorker> {
  const dataset = events;
  const ports =
    given.ports ?? (await createPorts(config, dataset, logger, transformEngine(config)));
  const { client, connection } = await connectClient(config);
  const native = await connectWorker(config);
  const pointers = createPointerStore(ports);
  const transforms = {
    ...createSilverActivities({ ports, dataset, pointers }),
    ...createGoldActivities({ ports, dataset, pointers }),
    ...createQualityActivities({ ports, dataset, pointers }),
  };
  const metadata = metadataActivities(config, { ports, pointers, client });
  const common = {
    connection: native,
    namespace: config.temporalNamespace,
    shutdownGraceTime: `${config.SHUTDOWN_GRACE_SECONDS}s`,
    // By default four fifths of the heartbeat timeout, which leaves a busy engine too little room.
    maxHeartbeatThrottleInterval: '10s',
    interceptors: { activity: [activityInterceptor({ keepAlive: true })] },
    ...given.all,
  } satisfies Partial<WorkerOptions>;
  const slots = { maxConcurrentActivityTaskExecutions: config.TRANSFORM_SLOTS };
  const workflows = given.workflows ?? { workflowBundle: await cachedWorkflowBundle(config) };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: taskQueues.workflows,
      ...versioning(config),
      ...workflows,
    }),
    Worker.create({ ...common, ...slots, taskQueue: taskQueues.transform, activities: transforms }),
    Worker.create({
      ...common,
      maxConcurrentActivityTaskExecutions: config.BACKFILL_SLOTS,
      taskQueue: taskQueues.backfill,
      activities: { ...transforms, ...createBackfillActivities({ ports, dataset }) },
    }),
    Worker.create({
      ...common,
      maxConcurrentActivityTaskExecutions: metadataSlots,
      taskQueue: taskQueues.catalog,
      activities: metadata,
    }),
  ]);
  await ensureSchedule(client, dataset.name);
  await ensureJanitorSchedule(client, dataset.name);
  return {
    workers,
    drain: () => undefined,
    close: async () => {
      await native.close();
      await connection.close();
    },
  };
}

/** Small reads and commits. */
function metadataActivities(
  config: Config,
  given: { readonly ports: Ports; readonly pointers: PointerStore; readonly client: Client },
) {
  const { ports, pointers, client } = given;
  const dataset = events;
  const { INGOT_ID: id, lakeBucket: bucket } = config;
  return {
    ...createCatalogActivities({ ports, dataset, pointers, id, bucket }),
    ...createLakehouseActivities({
      ports,
      description: describeLakehouse(config, dataset),
      batchWindowsMax: config.BATCH_WINDOWS_MAX,
    }),
    ...createJanitorActivities({
      ports,
      dataset,
      ...janitorSettings(config),
      inUse: (ids) => buildsInUse(client, dataset.name, ids),
    }),
    ...createOwnerEventActivities({ ports, dataset }),
    ...createQueueActivities({ ports }),
  };
}

/** Only workflow code is versioned: activities read their inputs anew, and any of them will do. */
export function versioning(
  config: Pick<Config, 'TEMPORAL_DEPLOYMENT_NAME' | 'TEMPORAL_BUILD_ID'>,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId } = config;
  if (deploymentName === undefined || buildId === undefined) return {};
  return {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName, buildId },
      // Each workflow says its own; one that forgot to must not change its code in mid-run.
      defaultVersioningBehavior: 'PINNED',
    },
  };
}
