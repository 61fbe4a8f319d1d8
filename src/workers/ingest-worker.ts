import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { changeControl, createControlActivities } from '../activities/control.ts';
import { createDropActivities, withDropGaps } from '../activities/drop.ts';
import { createIngestActivities } from '../activities/ingest.ts';
import { type GapDeps, createGapActivities } from '../activities/ingest-gap.ts';
import { type GroupDeps, type StartGroup, startGroup } from '../activities/ingest-group.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { laneName } from '../lake/lanes.ts';
import { type LogAdvanced, type LogsStopped, taskQueues } from '../lake/messages.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { Logger } from '../ports.ts';
import { activityInterceptor } from './activity-interceptor.ts';
import { createGroupThreads } from './ingest-threads.ts';
import { createGroupPorts, dropSettings, groupSettings, topicsOf } from './ingest-wiring.ts';
import type { RunningWorker } from './running-worker.ts';
import {
  connectClient,
  connectWorker,
  ensureDropLane,
  ensureLane,
  signalLane,
  signalOwner,
} from './temporal.ts';
import { compileThread } from './thread.ts';

/** What runs in the threads; tests bring their own. */
const ownThread = new URL('./ingest-thread.ts', import.meta.url);

/** The drop folder is a lane beside those of Kafka. */
const dropSlots = 1;
/** Decisions about source logs that one worker carries out beside its lanes. */
const decisionSlots = 2;

/** The process that runs ingest: one activity slot per lane, no workflow code. */
export async function startIngestWorker(
  config: Config,
  logger: Logger,
  threadModule = ownThread,
): Promise<RunningWorker> {
  const dataset = events;
  const draining = new AbortController();
  const { client, connection } = await connectClient(config);
  const native = await connectWorker(config);
  const ports = await createGroupPorts(config, logger);
  const groups = Math.max(1, config.INGEST_THREADS);
  const slices = {
    sliceMs: config.INGEST_SLICE_SECONDS * 1_000,
    tellOwner: (message: LogAdvanced) => signalOwner(client, dataset.name, message),
    tellLane: (workflowId: string, message: LogsStopped) => signalLane(client, workflowId, message),
    draining: draining.signal,
    uniqueId: randomUUID,
  };
  const dropDeps = { ...dropSettings(config, dataset), ports, ...slices };
  const kafka = createIngestActivities({
    ...slices,
    ports,
    dataset,
    topics: topicsOf(config),
    startGroup: await createGroupStarter(config, dataset, logger, threadModule),
    groupsMax: groups,
    lagGroup: `ingot-${config.INGOT_ID}-${dataset.name}`,
  });
  const gaps = withDropGaps(dropDeps, createGapActivities(gapDeps(config, dataset, ports)));
  const worker = await Worker.create({
    connection: native,
    namespace: config.temporalNamespace,
    taskQueue: taskQueues.ingest,
    activities: {
      ...kafka,
      ...createDropActivities(dropDeps),
      ...gaps,
      ...createControlActivities(ports.objects),
    },
    maxConcurrentActivityTaskExecutions: config.INGEST_LANES_PER_WORKER + dropSlots + decisionSlots,
    maxHeartbeatThrottleInterval: '5s',
    shutdownGraceTime: `${config.SHUTDOWN_GRACE_SECONDS}s`,
    interceptors: { activity: [activityInterceptor({ keepAlive: false })] },
  });
  await ensureLanes(config, client, dataset, ports);
  // One that runs from before goes on, and says that it is switched off.
  if (config.DROP_ENABLED) await ensureDropLane(client, dataset.name);
  return {
    workers: [worker],
    drain: () => draining.abort(),
    close: async () => {
      await native.close();
      await connection.close();
    },
  };
}

/** The settings of whichever worker started last say how many lanes there are. */
async function ensureLanes(
  { INGEST_LANES: lanes }: Config,
  client: Client,
  dataset: Dataset,
  { objects, logger }: GroupDeps['ports'],
): Promise<void> {
  const control = await changeControl(objects, dataset.name, { kind: 'lanes', lanes });
  logger.info({ lanes, revision: control.revision }, 'topic partitions are dealt to lanes');
  for (let index = 0; index < lanes; index += 1) {
    await ensureLane(client, dataset.name, laneName(index));
  }
}

function gapDeps(config: Config, dataset: Dataset, ports: GroupDeps['ports']): GapDeps {
  return { ports, dataset, settings: groupSettings(config, dataset, 1).plan };
}

async function createGroupStarter(
  config: Config,
  dataset: Dataset,
  logger: Logger,
  module: URL,
): Promise<StartGroup> {
  const groups = config.INGEST_THREADS;
  if (groups > 0) {
    const compiled = await compileThread(module);
    return createGroupThreads({ config, dataset, groups, module: compiled, logger });
  }
  const deps = {
    ...groupSettings(config, dataset, 1),
    ports: await createGroupPorts(config, logger),
  };
  return (spec) => startGroup(deps, spec);
}
