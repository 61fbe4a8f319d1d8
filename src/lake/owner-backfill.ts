import { type Backfill, activeBackfill, dayAfter, totalOf } from './backfill.ts';
import { forgotten, windowsAsked } from './backfill-asks.ts';
import { backfillEnded, changedBackfill } from './backfill-control.ts';
import { type GoldTables, isTodo } from './backfill-days.ts';
import { type DayPlan, planFailedDay } from './backfill-plan.ts';
import { parkedWindows } from './owner-gates.ts';
import type { OwnerState } from './owner-state.ts';
import { formatInstant } from './time.ts';
import type { WindowId } from './window.ts';

/*
 * What backfills do to the owner. One is worked on at a time, day by day: first the silver hours of
 * the day, then its gold, and only a few windows are asked for at once. From there on a window goes
 * the way of every other one; its cause tells that it was asked for by a backfill.
 */

/** Asks for the next windows of the active backfill, and goes on to the next day or to the end. */
export function backfillStep(
  state: OwnerState,
  { gold, backfillBuildsMax }: { readonly gold: GoldTables; readonly backfillBuildsMax: number },
  nowMs: number,
): OwnerState {
  const settled = state.backfills.reduce(
    (before, { id, chunk }) => (chunk === null ? before : forgotten(before, id)),
    state,
  );
  const active = settled.paused ? null : activeBackfill(settled.backfills);
  if (active === null) return settled;
  const begun =
    active.startedAt === null
      ? changedBackfill(settled, active.id, (each) => ({
          ...each,
          startedAt: formatInstant(nowMs),
          total: totalOf(each, gold),
        }))
      : settled;
  const planned = failedPlanned(begun, active.id, gold);
  const asked = windowsAsked(planned, { id: active.id, gold, backfillBuildsMax, nowMs });
  const { chunk, next } = asked.backfills.find(({ id }) => id === active.id)!;
  if (chunk !== null && (isTodo(chunk) || chunk.asked.length > 0)) return asked;
  if (next === null) return backfillEnded(asked, active.id, 'done', nowMs);
  return chunk === null
    ? asked
    : changedBackfill(asked, active.id, (each) => ({ ...each, chunk: null }));
}

/** What is parked the owner knows by itself: the next day that has something of it. */
function failedPlanned(state: OwnerState, id: string, tables: GoldTables): OwnerState {
  const { only, chunk, next: day } = state.backfills.find((each) => each.id === id)!;
  if (only !== 'failed' || chunk !== null || day === null) return state;
  const parked = parkedWindows(state);
  const ids = (table: string | null) =>
    parked.filter((each) => each.table === table).map(({ window }) => window);
  const gold = Object.fromEntries(tables.map(({ name }) => [name, ids(name)]));
  return changedBackfill(state, id, (backfill) => {
    let next = backfill;
    while (next.chunk === null && next.next !== null) {
      next = taken(next, planFailedDay(next, next.next, { silver: ids(null), gold, tables }));
    }
    return next;
  });
}

/** The backfill whose next day has to be looked up in the lake; null when there is none. */
export function backfillToPlan(state: OwnerState): Backfill | null {
  const active = state.paused ? null : activeBackfill(state.backfills);
  if (active === null || active.chunk !== null || active.next === null) return null;
  return active.only === 'failed' ? null : active;
}

/** The answer of a look-up, which may have passed days on which there is nothing to do. */
export type BackfillPlan = {
  readonly id: string;
  /** The day that the look-up began with. */
  readonly first: WindowId;
  /** The last day that it has looked at; only this one may have something to do. */
  readonly plan: DayPlan;
};

export function backfillPlanned(state: OwnerState, { id, first, plan }: BackfillPlan): OwnerState {
  const found = state.backfills.find((each) => each.id === id);
  // It may have been cancelled meanwhile; a paused one may take its day up, and waits.
  if (found === undefined || found.next !== first || found.chunk !== null) return state;
  return changedBackfill(state, id, (each) => taken(each, plan));
}

function taken(backfill: Backfill, plan: DayPlan): Backfill {
  const { day, silver, gold, skipped, empty } = plan;
  const counts = {
    ...backfill.counts,
    skipped: backfill.counts.skipped + skipped,
    empty: backfill.counts.empty + empty,
  };
  const chunk = isTodo(plan) ? { day, silver, gold, asked: [], published: 0 } : null;
  return { ...backfill, counts, chunk, next: dayAfter(backfill, day) };
}
