import { nameOf } from './owner-events.ts';
import { parkedWindows } from './owner-gates.ts';
import { type OwnerState, isClosed } from './owner-state.ts';

/* How far the owner is with what it knows of. */

export type OwnerProgress = {
  /** Batches that are sealed and not routed yet. */
  readonly unrouted: number;
  /**
   * Silver windows that have rows to build, are being built, or are closed and not sealed; and those
   * that are queued in the lake, of either layer.
   */
  readonly silver: number;
  /** Gold windows that are older than their silver, or are being built. */
  readonly gold: number;
  readonly parked: readonly string[];
};

export function progressOf(state: OwnerState, allowedLatenessMs: number): OwnerProgress {
  const logs = Object.values(state.logs);
  const silver = Object.entries(state.silver);
  const gold = Object.entries(state.gold);
  return {
    unrouted: logs.reduce((sum, { sealedTo, routedTo }) => sum + sealedTo - routedTo, 0),
    silver:
      state.queue.windows +
      (state.wild.going === null ? 0 : Math.max(1, state.wild.going.windows)) +
      silver.filter(
        ([id, window]) =>
          window.parked === null &&
          (!window.abandoned || window.asked !== null) &&
          (window.building !== null ||
            Object.keys(window.pending).length > 0 ||
            (isClosed(state, id, allowedLatenessMs) && !window.sealed)),
      ).length,
    gold: gold.filter(
      ([, window]) => window.parked === null && (window.stale || window.building !== null),
    ).length,
    parked: parkedWindows(state).map((window) => `${nameOf(window)}: ${window.reason}`),
  };
}

/** Nothing is left to do that needs no person. */
export function isSettled(progress: OwnerProgress): boolean {
  return progress.unrouted === 0 && progress.silver === 0 && progress.gold === 0;
}
