import { type Backfill, type BackfillCounts, isOpen } from './backfill.ts';
import { windowNamed } from './backfill-asks.ts';
import { backfillControlled, changedBackfill } from './backfill-control.ts';
import { type DayTodo, type GoldTables, bitOf, countOf, dayOf } from './backfill-days.ts';
import { withGoldOf } from './backfill-plan.ts';
import { isPastRetention, isSameCause } from './cause.ts';
import { parkedWindows } from './owner-gates.ts';
import { noted } from './owner-noted.ts';
import type { OwnerState, WindowBuilt } from './owner-state.ts';

/* What the end of a build does to the backfill that has asked for it. */

/** So many of the newest windows having failed, the data or the code is wrong everywhere. */
const recentMax = 24;

const recentFailedMax = 20;

/** Windows that wait for a person; a backfill does not add to more. */
const parkedMax = 100;

/** Whether the gold of a published hour is left to the backfill, which builds it with the day. */
export function keepsGold(state: OwnerState, built: WindowBuilt): boolean {
  return ownerOf(state, built)?.chunk?.day === dayOf(built.window);
}

function ownerOf(state: OwnerState, { cause }: WindowBuilt): Backfill | null {
  if (cause?.kind !== 'backfill') return null;
  const found = state.backfills.find(({ id }) => id === cause.id);
  return found !== undefined && isOpen(found) && !found.paused ? found : null;
}

/** Counts a window that was asked for and has come to its end. */
export function backfillBuilt(
  state: OwnerState,
  end: {
    readonly before: OwnerState;
    readonly built: WindowBuilt;
    readonly gold: GoldTables;
    readonly nowMs: number;
  },
): OwnerState {
  const { before, built, gold, nowMs } = end;
  const { cause } = built;
  if (cause?.kind !== 'backfill') return state;
  const key = `${built.layer === 'silver' ? 'silver' : built.table}/${built.window}`;
  const backfill = state.backfills.find(({ id }) => id === cause.id);
  const chunk = backfill?.chunk ?? null;
  const wasAsked = isSameCause(windowNamed(before, key)?.asked ?? null, cause);
  const isOver = windowNamed(state, key)?.asked == null;
  if (backfill === undefined || chunk === null || !chunk.asked.includes(key)) return state;
  if (!wasAsked || !isOver) return state;
  const counted = changedBackfill(state, cause.id, () => {
    const over = { ...chunk, asked: chunk.asked.filter((each) => each !== key) };
    return withOutcome({ ...backfill, chunk: over }, built, gold);
  });
  return stoppedAtFaults(counted, { id: cause.id, reason: built.reason ?? '', gold, nowMs });
}

function withOutcome(backfill: Backfill, built: WindowBuilt, gold: GoldTables): Backfill {
  const kind = outcomeOf(built);
  const counts = { ...backfill.counts, [kind]: backfill.counts[kind] + 1 };
  const recent = `${backfill.recent}${kind === 'failed' ? 'x' : '.'}`.slice(-recentMax);
  const next = { ...backfill, counts, recent };
  const { chunk } = next;
  // A paused one has let go of its gold: regular work has it.
  if (kind !== 'done' || built.layer !== 'silver' || chunk === null || backfill.paused) return next;
  const more = withGoldOf(chunk, built.window, gold);
  const added = {
    ...chunk,
    ...more,
    published: chunk.published | bitOf(built.window),
  };
  // What is built besides, because its silver has changed, is part of the work as well.
  const besides = bitsOf(added) - bitsOf(chunk);
  return { ...next, chunk: added, total: (next.total ?? 0) + besides };
}

function bitsOf({ gold }: DayTodo): number {
  return Object.values(gold).reduce((sum, mask) => sum + countOf(mask), 0);
}

function outcomeOf(built: WindowBuilt): keyof BackfillCounts {
  if (built.outcome === 'published') return 'done';
  if (built.outcome === 'unchanged') return 'unchanged';
  return isPastRetention(built) ? 'skipped' : 'failed';
}

/** Pauses a backfill under which nearly everything fails, before it fails everywhere. */
function stoppedAtFaults(
  state: OwnerState,
  about: {
    readonly id: string;
    readonly reason: string;
    readonly gold: GoldTables;
    readonly nowMs: number;
  },
): OwnerState {
  const { id, reason, gold, nowMs } = about;
  const { recent, paused } = state.backfills.find((each) => each.id === id)!;
  if (paused || !recent.endsWith('x')) return state;
  const failed = recent.length - recent.replaceAll('x', '').length;
  const parked = parkedWindows(state).length;
  if (failed < recentFailedMax && parked < parkedMax) return state;
  const why =
    failed >= recentFailedMax
      ? `${failed} of its last ${recent.length} windows have failed, the last one: ${reason}`
      : `${parked} windows wait for a person, the last one: ${reason}`;
  const text = why.slice(0, 300);
  const request = { id, action: 'pause', author: 'ingot', reason: text } as const;
  const stopped = backfillControlled(state, request, { gold, nowMs });
  return noted(stopped, { kind: 'backfillPaused', id, text: `has paused itself: ${text}` }, nowMs);
}
