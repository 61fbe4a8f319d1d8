import type { GateRef, WildAsked } from './cause.ts';
import type { GateDecision } from './owner-events.ts';
import { noted } from './owner-noted.ts';
import type { BatchRanges, WildFound, WildParked } from './owner-parts.ts';
import type { OwnerState } from './owner-state.ts';
import { spanOf } from './route.ts';
import { wildTimesId } from './wild-times.ts';
import type { WindowId } from './window.ts';

/*
 * Rows of wild event times wait for a person, all of them as one gate: a few words of state, however
 * many windows they touch. What they are is found again in the batches.
 */

export const wildGate: GateRef = { layer: 'silver', table: null, window: wildTimesId };

export function isWildGate({ layer, window }: GateRef): boolean {
  return layer === 'silver' && window === wildTimesId;
}

/** One more look has found rows that are held. A batch that is looked at again is counted once. */
export function wildParked(
  state: OwnerState,
  found: readonly WildFound[],
  nowMs: number,
): OwnerState {
  const before = state.wild.parked;
  const parked = found.reduce<WildParked | null>((known, each) => {
    const range = known?.batches[each.log];
    const isKnown = range !== undefined && range.first <= each.first && each.last <= range.through;
    return isKnown ? known : added(known, each, nowMs);
  }, before);
  if (parked === before || parked === null) return state;
  const next = { ...state, wild: { ...state.wild, parked } };
  if (before !== null) return next;
  const event = {
    kind: 'gateParked',
    gate: wildGate,
    reason: wildReason(parked),
    checks: [],
  } as const;
  return noted(next, event, nowMs);
}

function added(known: WildParked | null, found: WildFound, nowMs: number): WildParked {
  const { log, first, last, windows, rows, hours, windowsMax } = found;
  const range = known?.batches[log];
  const batches: BatchRanges = {
    ...known?.batches,
    [log]: {
      first: Math.min(range?.first ?? first, first),
      through: Math.max(range?.through ?? last, last),
    },
  };
  return {
    batches,
    windows: (known?.windows ?? 0) + windows,
    rows: (known?.rows ?? 0) + rows,
    hours: known === null ? hours : spanOf(known.hours, hours),
    windowsMax: Math.min(known?.windowsMax ?? windowsMax, windowsMax),
    sinceMs: known?.sinceMs ?? nowMs,
  };
}

export function wildReason({ batches, windows, rows, hours, windowsMax }: WildParked): string {
  const where = Object.entries(batches).map(([log, { first, through }]) =>
    first === through ? `${log} ${first}` : `${log} ${first}–${through}`,
  );
  const shown = [
    ...where.slice(0, 3),
    ...(where.length > 3 ? [`${where.length - 3} more logs`] : []),
  ];
  return (
    `${rows} rows of ${windows} hours from ${hours.from} to ${hours.to} are held: their batches touch ` +
    `more than ${windowsMax} windows each (${shown.join('; ')})`
  );
}

/** Why a decision about the held rows cannot be taken; null when it can. */
export function wildRefusal(
  { wild }: OwnerState,
  { decision, reason }: { readonly decision: GateDecision; readonly reason: string },
): string | null {
  if (wild.parked === null) return 'no rows of wild event times are held';
  if (decision !== 'retry' && reason.trim() === '') {
    return `say why: to ${decision} a gate needs a reason`;
  }
  if (decision !== 'abandon' && wild.going !== null) {
    return (
      `rows that were let go before are worked off just now, about ${wild.going.windows} windows are ` +
      'left: ask again when that is over'
    );
  }
  return null;
}

/** Carries a decision out that `wildRefusal` has nothing against. */
export function wildResolved(
  state: OwnerState,
  said: { readonly decision: GateDecision; readonly author: string; readonly reason: string },
  nowMs: number,
): OwnerState {
  const { parked, going } = state.wild;
  if (parked === null) return state;
  const { decision, author, reason } = said;
  const event = { kind: 'gateResolved', gate: wildGate, ...said, checks: [] } as const;
  const known = noted(state, { ...event, held: wildReason(parked) }, nowMs);
  if (decision === 'abandon') return { ...known, wild: { parked: null, going } };
  const asked: WildAsked = { kind: 'wildTimes', decision, author, reason };
  const { batches, windows, windowsMax } = parked;
  return {
    ...known,
    wild: { parked: null, going: { batches, windows, windowsMax, asked, after: null } },
  };
}

/** Whether an hour may be one of those whose rows are held. */
export function mayBeHeld({ wild: { parked } }: OwnerState, hour: WindowId): boolean {
  return parked !== null && parked.hours.from <= hour && hour <= parked.hours.to;
}
