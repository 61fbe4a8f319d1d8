import type { Worker } from '@temporalio/worker';

/** The Temporal workers of one process, and how it comes to a good end. */
export type RunningWorker = {
  readonly workers: readonly Worker[];
  /** Asks running activities to come to a good end early, before the grace time begins. */
  readonly drain: () => void;
  readonly close: () => Promise<void>;
};
