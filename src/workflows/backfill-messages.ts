import { condition, setHandler } from '@temporalio/workflow';
import { backfillRefusal } from '../lake/backfill.ts';
import { backfillAsked, backfillControlled, controlRefusal } from '../lake/backfill-control.ts';
import type { GoldGrain, OwnerState } from '../lake/owner-state.ts';
import { checkedBackfill, checkedControlBackfill } from './backfill-checks.ts';
import { nowMs } from './clock.ts';
import { backfillSignal, controlBackfillUpdate, requestBackfillUpdate } from './messages.ts';

type Access = {
  readonly state: () => OwnerState;
  readonly change: (next: OwnerState) => void;
  readonly gold: () => readonly GoldGrain[] | null;
};

/** Registers the messages about backfills. */
export function listenToBackfills(
  { state, change, gold }: Access,
  tolerant: (name: string, handle: (message: unknown) => void) => (message: unknown) => void,
): void {
  const ask = (message: unknown): string => {
    const request = checkedBackfill(message);
    refuse(backfillRefusal(state().backfills, request, nowMs()));
    change(backfillAsked(state(), request, nowMs()));
    return state().backfills.at(-1)!.id;
  };
  setHandler(
    backfillSignal,
    tolerant('backfill', (message) => void ask(message)),
  );
  setHandler(requestBackfillUpdate, (request: unknown) => ({ id: ask(request) }), {
    validator: (request: unknown) =>
      refuse(backfillRefusal(state().backfills, checkedBackfill(request), nowMs())),
  });
  setHandler(
    controlBackfillUpdate,
    async (message: unknown) => {
      const request = checkedControlBackfill(message);
      // Which gold becomes stale by it hangs on the settings.
      if (gold() === null) await condition(() => gold() !== null);
      refuse(controlRefusal(state(), request));
      change(backfillControlled(state(), request, { gold: gold()!, nowMs: nowMs() }));
    },
    {
      validator: (request: unknown) =>
        refuse(controlRefusal(state(), checkedControlBackfill(request))),
    },
  );
}

function refuse(reason: string | null): void {
  if (reason !== null) throw new Error(reason);
}
