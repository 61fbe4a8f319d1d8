import { isCancellation, log } from '@temporalio/workflow';
import { type BackfillPlan, backfillToPlan } from '../lake/owner-backfill.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { planning } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/** Looks up the next day of a backfill, beside everything else that the owner does. */
export type BackfillPlanner = {
  readonly plan: (state: OwnerState) => void;
  readonly isBusy: () => boolean;
};

export function createBackfillPlanner(
  waits: Waits,
  planned: (plan: BackfillPlan) => void,
  failed: () => void,
): BackfillPlanner {
  let busy = false;
  const lookUp = async (state: OwnerState): Promise<void> => {
    const backfill = backfillToPlan(state);
    if (backfill === null || backfill.next === null) return;
    const { id, from, to, layers, only, order, next } = backfill;
    const routedTo = Object.fromEntries(
      Object.entries(state.logs).map(([name, progress]) => [name, progress.routedTo]),
    );
    busy = true;
    try {
      const plan = await planning.planBackfill({
        ...{ dataset: state.dataset, id, from, to, layers, only, order },
        ...{ day: next, openFrom: state.nextToClose, routedTo },
      });
      waits.tell('backfill');
      busy = false;
      planned({ id, first: next, plan });
    } catch (error) {
      busy = false;
      if (isCancellation(error)) return;
      log.warn('the next day of a backfill cannot be looked up', { reason: permanentFault(error) });
      waits.tryLater('backfill');
      failed();
    }
  };
  return {
    isBusy: () => busy,
    plan: (state) => {
      if (!busy && !waits.isWaiting('backfill')) void lookUp(state);
    },
  };
}
