import {
  type Backfill,
  type BackfillRequest,
  backfillsEndedMax,
  isOpen,
  newBackfill,
  boundedSaid,
} from './backfill.ts';
import { type GoldTables, bitOf, windowsOf } from './backfill-days.ts';
import type { AskedCause } from './cause.ts';
import { markGoldStale } from './owner-gold.ts';
import { noted } from './owner-noted.ts';
import type { OwnerState } from './owner-state.ts';
import { formatInstant } from './time.ts';
import { windowAt, windowOf } from './window.ts';

/* Asking for a backfill, stopping it, and its end. */

export function backfillAsked(
  state: OwnerState,
  request: BackfillRequest,
  nowMs: number,
): OwnerState {
  const backfill = newBackfill(state.backfills, request, nowMs);
  return { ...state, backfills: [...state.backfills, backfill] };
}

export const backfillActions = ['pause', 'resume', 'cancel'] as const;

export type ControlBackfill = {
  readonly id: string;
  readonly action: (typeof backfillActions)[number];
  readonly author: string;
  readonly reason: string;
};

/** Why nothing can be done to a backfill; null when it can. */
export function controlRefusal(state: OwnerState, { id, action }: ControlBackfill): string | null {
  const found = state.backfills.find((each) => each.id === id);
  if (found === undefined) {
    const known = state.backfills.map((each) => each.id).join(', ');
    return `there is no backfill ${id}; ${known === '' ? 'there is none' : `there are: ${known}`}`;
  }
  if (found.ended !== null) return `backfill ${id} has ended: ${found.ended.kind}`;
  if (action === 'pause' && found.paused) return `backfill ${id} is paused already`;
  if (action === 'resume' && !found.paused) return `backfill ${id} is not paused`;
  return null;
}

/** What runs comes to its end; gold that is older than its silver by then goes to regular work. */
export function backfillControlled(
  state: OwnerState,
  { id, action, author, reason }: ControlBackfill,
  { gold, nowMs }: { readonly gold: GoldTables; readonly nowMs: number },
): OwnerState {
  const said = boundedSaid({ author, reason, at: formatInstant(nowMs) });
  if (action === 'resume') {
    return changedBackfill(state, id, (each) => ({ ...each, paused: false, said, recent: '' }));
  }
  const released = goldReleased(state, id, { gold, nowMs });
  if (action === 'pause')
    return changedBackfill(released, id, (each) => ({ ...each, paused: true, said }));
  const left = unasked(released, id);
  const cancelled = changedBackfill(left, id, (each) => ({ ...each, said }));
  return backfillEnded(cancelled, id, 'cancelled', nowMs);
}

/** The gold that a stopped backfill owes, because it has published the silver under it. */
function goldReleased(
  state: OwnerState,
  id: string,
  { gold, nowMs }: { readonly gold: GoldTables; readonly nowMs: number },
): OwnerState {
  const chunk = state.backfills.find((each) => each.id === id)?.chunk ?? null;
  if (chunk === null) return state;
  const owed = windowsOf(chunk.day, 'hour', chunk.published).flatMap((hour) =>
    gold
      .filter(({ name, grain }) => {
        const bit = bitOf(windowAt(windowOf(hour).startMs, grain).id);
        return ((chunk.gold[name] ?? 0) & bit) !== 0;
      })
      .map((table) => ({ hour, table })),
  );
  const stale = owed.reduce(
    (before, { hour, table }) => markGoldStale(before, hour, [table], nowMs),
    state,
  );
  return changedBackfill(stale, id, (each) => ({ ...each, chunk: { ...chunk, published: 0 } }));
}

/** Takes the windows back that were asked for and have not begun to be built. */
function unasked(state: OwnerState, id: string): OwnerState {
  const isLeft = (window: { asked: AskedCause | null; building: unknown }): boolean =>
    window.asked?.kind === 'backfill' && window.asked.id === id && window.building === null;
  const silver = Object.entries(state.silver).map(
    ([key, window]) => [key, isLeft(window) ? { ...window, asked: null } : window] as const,
  );
  // Gold that was asked for is stale already: regular work builds it.
  const gold = Object.entries(state.gold).map(
    ([key, window]) => [key, isLeft(window) ? { ...window, asked: null } : window] as const,
  );
  return { ...state, silver: Object.fromEntries(silver), gold: Object.fromEntries(gold) };
}

export function backfillEnded(
  state: OwnerState,
  id: string,
  kind: 'done' | 'cancelled',
  nowMs: number,
): OwnerState {
  const at = formatInstant(nowMs);
  const marked = changedBackfill(state, id, (each) => ({
    ...each,
    ended: { kind, at },
    chunk: null,
    next: null,
  }));
  const known = marked.backfills.filter((each) => !isOpen(each)).slice(-backfillsEndedMax);
  const backfills = marked.backfills.filter((each) => isOpen(each) || known.includes(each));
  const { counts } = marked.backfills.find((each) => each.id === id)!;
  const text =
    `${kind === 'done' ? 'has ended' : 'was cancelled'}: ${counts.done} windows built, ` +
    `${counts.unchanged} unchanged, ${counts.failed} failed, ${counts.skipped + counts.empty} left out`;
  return noted({ ...marked, backfills }, { kind: 'backfillEnded', id, text }, nowMs);
}

export function changedBackfill(
  state: OwnerState,
  id: string,
  to: (backfill: Backfill) => Backfill,
): OwnerState {
  const backfills = state.backfills.map((each) => (each.id === id ? to(each) : each));
  return { ...state, backfills };
}
