import { isCancellation, log } from '@temporalio/workflow';
import type { OwnerEvent } from '../lake/owner-events.ts';
import { metadata } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/** Has the events of the owner kept, beside everything else that it does. */
export type EventKeeper = {
  /** Takes events off the owner and begins; false when it is busy, or has to wait. */
  readonly keep: (dataset: string, events: readonly OwnerEvent[]) => boolean;
  readonly isBusy: () => boolean;
};

/** `ended` gets back what could not be kept, which is nothing in a good case. */
export function createEventKeeper(
  waits: Waits,
  ended: (left: readonly OwnerEvent[]) => void,
): EventKeeper {
  let busy = false;
  const keep = async (dataset: string, events: readonly OwnerEvent[]): Promise<void> => {
    try {
      await metadata.keepEvents({ dataset, events });
      waits.tell('events');
      busy = false;
      ended([]);
    } catch (error) {
      busy = false;
      // Only a cancelled owner cancels this, and that is at its end.
      if (isCancellation(error)) return;
      log.warn('events cannot be kept', { reason: permanentFault(error) });
      waits.tryLater('events');
      ended(events);
    }
  };
  return {
    isBusy: () => busy,
    keep: (dataset, events) => {
      if (busy || events.length === 0 || waits.isWaiting('events')) return false;
      busy = true;
      void keep(dataset, events);
      return true;
    },
  };
}
