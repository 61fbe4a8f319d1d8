import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { BackfillActivities } from '../activities/backfill.ts';
import type { CatalogActivities } from '../activities/catalog.ts';
import type { GoldActivities } from '../activities/gold.ts';
import type { ControlActivities } from '../activities/control.ts';
import type { GapActivities } from '../activities/ingest-gap.ts';
import type { DropActivities } from '../activities/drop.ts';
import type { IngestActivities } from '../activities/ingest.ts';
import type { JanitorActivities } from '../activities/janitor.ts';
import type { LakehouseActivities } from '../activities/lakehouse.ts';
import type { OwnerEventActivities } from '../activities/owner-events.ts';
import type { QueueActivities } from '../activities/owner-queue.ts';
import type { QualityActivities } from '../activities/quality.ts';
import type { SilverActivities } from '../activities/silver.ts';
import { type Cause, isUnhurried } from '../lake/cause.ts';
import { taskQueues } from '../lake/messages.ts';

/*
 * The activities as workflows see them, grouped by how long they may take. What is down is retried
 * for as long as it takes: the error in the Web UI names the part and its address.
 */

const retry = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '30 seconds',
} as const;

/** One slice of ingest. Bounded by time, not by attempts: a worker that ends costs an attempt. */
export const ingestion = proxyActivities<IngestActivities & DropActivities>({
  taskQueue: taskQueues.ingest,
  startToCloseTimeout: '24 hours',
  scheduleToCloseTimeout: '30 days',
  heartbeatTimeout: '30 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** Decisions about a source log. A person waits for the answer. */
export const decisions = proxyActivities<GapActivities & ControlActivities>({
  taskQueue: taskQueues.ingest,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '10 minutes',
  retry,
});

type TransformActivities = SilverActivities & GoldActivities & QualityActivities;

const whole = { startToCloseTimeout: '1 hour', heartbeatTimeout: '60 seconds', retry } as const;
const transform = proxyActivities<TransformActivities>({
  ...whole,
  taskQueue: taskQueues.transform,
});
const backfill = proxyActivities<TransformActivities>({
  ...whole,
  taskQueue: taskQueues.backfill,
});

/** Reading and writing whole windows. Those of a backfill stand in a queue of their own. */
export function transformFor(cause: Cause | null): TransformActivities {
  return isUnhurried(cause) ? backfill : transform;
}

/** Facts about many windows at once. */
export const planning = proxyActivities<BackfillActivities>({
  taskQueue: taskQueues.backfill,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '60 seconds',
  retry,
});

/** Small reads and commits. */
export const metadata = proxyActivities<
  CatalogActivities & LakehouseActivities & OwnerEventActivities & QueueActivities
>({
  taskQueue: taskQueues.catalog,
  startToCloseTimeout: '5 minutes',
  // Without it a window whose publisher was killed would wait for the whole five minutes.
  heartbeatTimeout: '60 seconds',
  retry,
});

/** A page of the janitor: up to thousands of objects, one after the other. */
export const sweeping = proxyActivities<JanitorActivities>({
  taskQueue: taskQueues.catalog,
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '60 seconds',
  retry,
});
