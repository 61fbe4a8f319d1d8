import { isPastRetention, isSameCause } from './cause.ts';
import { backfillBuilt, keepsGold } from './backfill-built.ts';
import { noted } from './owner-noted.ts';
import { goldBuilt, markGoldStale } from './owner-gold.ts';
import type {
  GoldGrain,
  OwnerState,
  PendingRange,
  SilverBuilt,
  SilverState,
  WindowBuilt,
} from './owner-state.ts';
import { eventReason, knownChecks, parkedReason } from './owner-texts.ts';
import type { LogName } from './paths.ts';

/* What the end of a build does to the owner. */

/** A build has ended. Its report may come twice, or be about a build that nobody remembers. */
export function windowBuilt(
  state: OwnerState,
  built: WindowBuilt,
  gold: readonly GoldGrain[],
  nowMs: number,
): OwnerState {
  const counted = countBuilt(state, built);
  const after =
    built.layer === 'silver'
      ? silverBuilt(counted, built, gold, nowMs)
      : goldBuilt(counted, built, nowMs);
  return backfillBuilt(after, { before: state, built, gold, nowMs });
}

function countBuilt(state: OwnerState, built: WindowBuilt): OwnerState {
  const counters = { ...state.counters };
  if (built.outcome === 'blocked') counters.gatesBlocked += 1;
  if (built.outcome === 'published') {
    if (built.layer === 'silver') counters.silverBuilt += 1;
    else counters.goldBuilt += 1;
  }
  return { ...state, counters };
}

function silverBuilt(
  state: OwnerState,
  built: SilverBuilt,
  gold: readonly GoldGrain[],
  nowMs: number,
): OwnerState {
  const done = built.outcome === 'published' || built.outcome === 'unchanged';
  // An unchanged build may be the second one after a publication that nobody has heard of; and one that
  // is superseded has met such a publication, also when its window has long been forgotten here.
  const marks = built.outcome === 'superseded' || (done && !keepsGold(state, built));
  const marked = marks ? markGoldStale(state, built.window, gold, nowMs) : state;
  const window = state.silver[built.window];
  if (window === undefined) return marked;
  const pending = done ? withoutCovered(window.pending, built.through) : window.pending;
  const empty = Object.keys(pending).length === 0;
  // A fold that does not pass leaves its rows to the seal build: nobody has to decide about an hour
  // that everybody still watches.
  const held = built.outcome === 'blocked' && built.mode === 'fold';
  // Nobody has to decide about a version that stays because its rows are gone.
  const stays = isPastRetention(built);
  const parked = (built.outcome === 'failed' && !stays) || (built.outcome === 'blocked' && !held);
  const reason = eventReason(built.reason ?? built.outcome);
  const checks = knownChecks(built.checks);
  const isAsked = isSameCause(built.cause, window.asked);
  const { usualMs, ...known } = window;
  const usual = done ? usualFold(window, built) : usualMs;
  const next: SilverState = {
    ...known,
    pending,
    pendingRows: empty ? 0 : window.pendingRows,
    pendingSinceMs: empty ? null : nowMs,
    building: null,
    parked: parked ? { reason: parkedReason(state, reason), sinceMs: nowMs, checks } : null,
    asked: isAsked && (parked || done || stays) ? null : window.asked,
    waiver: parked || done ? null : window.waiver,
    abandoned: done ? false : window.abandoned,
    heldBack: held ? reason : done ? null : window.heldBack,
    sealed: stays ? window.sealed : done && built.mode !== 'fold' && empty,
    late: empty ? false : window.late,
    builtAtMs: done ? nowMs : window.builtAtMs,
    buildMs: done ? built.durationMs : window.buildMs,
    ...(usual === undefined ? {} : { usualMs: usual }),
  };
  const silver = { ...state.silver, [built.window]: next };
  const after = { ...marked, silver };
  if (!parked) return after;
  const gate = { layer: 'silver', table: null, window: built.window } as const;
  return noted(after, { kind: 'gateParked', gate, reason, checks }, nowMs);
}

/**
 * Builds of other windows can only make a fold slower, such as that of a whole hour that has just ended:
 * a faster one is believed at once, a slower one by a quarter.
 */
function usualFold(
  { usualMs }: SilverState,
  { mode, durationMs }: SilverBuilt,
): number | undefined {
  if (mode !== 'fold') return undefined;
  if (usualMs === undefined || durationMs < usualMs) return durationMs;
  return Math.round(usualMs + (durationMs - usualMs) / 4);
}

function withoutCovered(
  pending: Readonly<Record<LogName, PendingRange>>,
  through: Readonly<Record<LogName, number>>,
): Record<LogName, PendingRange> {
  const left = Object.entries(pending)
    .map(([log, range]) => {
      const first = Math.max(range.first, (through[log] ?? -1) + 1);
      return [log, { ...range, first }] as const;
    })
    .filter(([, range]) => range.first <= range.through);
  return Object.fromEntries(left);
}
