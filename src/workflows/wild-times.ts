import { isCancellation, log } from '@temporalio/workflow';
import { wildTakenUp, wildToLook } from '../lake/owner-wild-builds.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { nowMs } from './clock.ts';
import { metadata } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/** Looks up rows of wild event times that were let go, beside everything else that the owner does. */
export type WildTimesKeeper = {
  readonly look: () => void;
  readonly isBusy: () => boolean;
};

export function createWildTimesKeeper(
  owner: { readonly state: () => OwnerState; readonly change: (next: OwnerState) => void },
  waits: Waits,
): WildTimesKeeper {
  const { state, change } = owner;
  let busy = false;
  const lookUp = async (): Promise<void> => {
    const wanted = wildToLook(state());
    if (wanted === null) return;
    busy = true;
    try {
      const found = await metadata.routeWild({ dataset: state().dataset, ...wanted });
      waits.tell('wildTimes');
      busy = false;
      change(wildTakenUp(state(), wanted, found, nowMs()));
    } catch (error) {
      busy = false;
      if (isCancellation(error)) return;
      log.warn('held rows cannot be looked up', { reason: permanentFault(error) });
      waits.tryLater('wildTimes');
      change({ ...state() });
    }
  };
  return {
    isBusy: () => busy,
    look: () => {
      if (!busy && !waits.isWaiting('wildTimes')) void lookUp();
    },
  };
}
