import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { createIngestActivities } from '../activities/ingest.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { taskQueues } from '../lake/messages.ts';
import type { Logger } from '../ports.ts';
import { activityInterceptor } from './activity-interceptor.ts';
import type { RunningWorker } from './running-worker.ts';
import { connectClient, connectWorker, ensureLane, signalOwner } from './temporal.ts';
import { createPorts, topicsOf } from './wiring.ts';

/** The process that runs ingest: one activity slot per lane, no workflow code. */
export async function startIngestWorker(config: Config, logger: Logger): Promise<RunningWorker> {
  const dataset = events;
  const draining = new AbortController();
  const ports = await createPorts(config, dataset, logger);
  const { client, connection } = await connectClient(config);
  const native = await connectWorker(config);
  const activities = createIngestActivities({
    ports,
    dataset,
    topics: topicsOf(config),
    limits: {
      rowsMax: config.INGEST_BATCH_ROWS_MAX,
      bytesMax: config.INGEST_BATCH_BYTES_MAX,
      ageMs: config.INGEST_FLUSH_MS,
      ageIdleMs: config.INGEST_FLUSH_IDLE_MS,
    },
    plan: { rawCopy: config.INGEST_RAW_COPY, recordBytesMax: config.INGEST_RECORD_BYTES_MAX },
    sliceMs: config.INGEST_SLICE_SECONDS * 1_000,
    lagGroup: `ingot-${config.INGOT_ID}-${dataset.name}`,
    tellOwner: (message) => signalOwner(client, dataset.name, message),
    draining: draining.signal,
    uniqueId: randomUUID,
  });
  const worker = await Worker.create({
    connection: native,
    namespace: config.temporalNamespace,
    taskQueue: taskQueues.ingest,
    activities,
    maxConcurrentActivityTaskExecutions: 4,
    maxHeartbeatThrottleInterval: '5s',
    shutdownGraceTime: `${config.SHUTDOWN_GRACE_SECONDS}s`,
    interceptors: { activity: [activityInterceptor({ keepAlive: false })] },
  });
  await ensureLane(client, dataset.name, 'lane-0');
  return {
    workers: [worker],
    drain: () => draining.abort(),
    close: async () => {
      await native.close();
      await connection.close();
    },
  };
}
