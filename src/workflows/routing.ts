import { log } from '@temporalio/workflow';
import { decideRoute } from '../lake/owner-decisions.ts';
import { type OwnerState, type Routed, settledTo, withheldWindows } from '../lake/owner-state.ts';
import { metadata } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/** Batches of one log that are looked at in one go: the answer stays small. */
const routeBatchesMax = 500;

export type Routing = {
  /** What the next sealed batches touch; null when there are none, or they cannot be read. */
  readonly next: () => Promise<Routed | null>;
  /** Why batches cannot be read. */
  readonly fault: () => string | null;
};

/** Reads sealed batches for the owner. A fault of the lake does not end it. */
export function createRouting(state: () => OwnerState, waits: Waits): Routing {
  let fault: string | null = null;
  return {
    fault: () => fault,
    next: async () => {
      if (waits.isWaiting('route')) return null;
      try {
        const found = await route(state());
        fault = null;
        waits.tell('route');
        return found;
      } catch (error) {
        // The owner must not end by a fault of the lake: whatever it knows of windows would be lost.
        fault = permanentFault(error);
        waits.tryLater('route');
        log.warn('batches cannot be routed', { reason: fault });
        return null;
      }
    },
  };
}

/** Reads the next sealed batches: which windows do they touch? */
async function route(state: OwnerState): Promise<Routed | null> {
  const ranges = decideRoute(state, routeBatchesMax);
  if (ranges.length === 0) return null;
  const { dataset } = state;
  const found = await metadata.routeBatches({
    dataset,
    ranges,
    settledTo: settledTo(state),
    withheld: withheldWindows(state),
  });
  if (found.ingestHours.length > 0) {
    await metadata.registerBronzeHours({ dataset, hours: found.ingestHours });
  }
  return found;
}
