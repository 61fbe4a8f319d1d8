import { isCancellation, log, patched } from '@temporalio/workflow';
import { noteOf, notKept, withoutKept } from '../lake/ledger.ts';
import type { LedgerHead } from '../lake/owner-parts.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { nowMs } from './clock.ts';
import { metadata } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/** What is only routed goes into the ledger so often; what somebody must know of, at once. */
const entryEveryMs = 30_000;

/** Has what happens to the owner kept, beside everything else that it does. */
export type EventKeeper = {
  /** Begins where there is something to keep, and no reason to wait. */
  readonly keep: () => void;
  readonly isBusy: () => boolean;
  /** When something that waits may be kept; null when nothing does. */
  readonly nextMs: () => number | null;
};

export function createEventKeeper(
  owner: { readonly state: () => OwnerState; readonly change: (next: OwnerState) => void },
  waits: Waits,
): EventKeeper {
  const { state, change } = owner;
  let busy = false;
  let notBeforeMs = 0;
  // A run that began before there was a ledger keeps only what it kept then, until its end.
  const keepsLedger = patched('ledger');
  const keep = async (): Promise<void> => {
    const taken = state();
    const note = noteOf(taken, nowMs());
    change(withoutKept(taken));
    notBeforeMs = nowMs() + entryEveryMs;
    try {
      const ledger = (await metadata.keepEvents({ dataset: taken.dataset, note })) as
        LedgerHead | undefined;
      waits.tell('events');
      busy = false;
      // An answer from before there was a ledger is none.
      change({ ...state(), ledger: ledger ?? state().ledger });
    } catch (error) {
      busy = false;
      // Only a cancelled owner cancels this, and that is at its end.
      if (isCancellation(error)) return;
      log.warn('events cannot be kept', { reason: permanentFault(error) });
      waits.tryLater('events');
      change(notKept(state(), taken));
    }
  };
  const isDue = (): boolean =>
    state().events.length > 0 ||
    (keepsLedger && state().advance !== null && nowMs() >= notBeforeMs);
  return {
    isBusy: () => busy,
    nextMs: () => {
      // While it has to wait after a fault, the wait itself says when it is over.
      if (!keepsLedger || busy || waits.isWaiting('events')) return null;
      return state().advance === null ? null : notBeforeMs;
    },
    keep: () => {
      if (busy || !isDue() || waits.isWaiting('events')) return;
      busy = true;
      void keep();
    },
  };
}
