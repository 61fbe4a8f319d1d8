import { isPastRetention, isSameCause } from './cause.ts';
import { noted } from './owner-noted.ts';
import {
  type GoldBuilt,
  type GoldGrain,
  type GoldKey,
  type GoldState,
  type OwnerState,
} from './owner-state.ts';
import { eventReason, knownChecks, parkedReason } from './owner-texts.ts';
import { type WindowId, overlapping, windowOf } from './window.ts';

/* What the owner knows of gold: older than its silver, being built, or parked. */

/** Marks the gold windows that overlap an hour as older than their silver. */
export function markGoldStale(
  state: OwnerState,
  hour: WindowId,
  tables: readonly GoldGrain[],
  nowMs: number,
  release: { readonly complete: boolean } | null = null,
): OwnerState {
  const gold = { ...state.gold };
  for (const { name, grain } of tables) {
    for (const window of overlapping(windowOf(hour), grain)) {
      const key: GoldKey = `${name}/${window.id}`;
      const known = gold[key];
      gold[key] = {
        building: known?.building ?? null,
        parked: null,
        asked: known?.asked ?? null,
        waiver: known?.waiver ?? null,
        builtAtMs: known?.builtAtMs ?? null,
        buildMs: known?.buildMs ?? 0,
        stale: true,
        staleSinceMs: known?.stale === true ? known.staleSinceMs : nowMs,
        complete: release?.complete ?? true,
        due: known?.due === true || release !== null,
      };
    }
  }
  return { ...state, gold };
}

/** A gold build has ended. A verdict about silver that has changed since is none about the new one. */
export function goldBuilt(state: OwnerState, built: GoldBuilt, nowMs: number): OwnerState {
  const key: GoldKey = `${built.table}/${built.window}`;
  const window = state.gold[key];
  if (window === undefined) return state;
  const parked = isVerdict(built) && !window.stale && !isPastRetention(built);
  const reason = eventReason(built.reason ?? built.outcome);
  const checks = knownChecks(built.checks);
  const again = built.outcome === 'superseded';
  const next: GoldState = {
    ...window,
    building: null,
    parked: parked ? { reason: parkedReason(state, reason), sinceMs: nowMs, checks } : null,
    asked: isSameCause(built.cause, window.asked) && !again ? null : window.asked,
    waiver: again ? window.waiver : null,
    stale: window.stale || again,
    due: window.due || again,
    builtAtMs: isVerdict(built) ? window.builtAtMs : nowMs,
    buildMs: built.durationMs,
  };
  const after = { ...state, gold: { ...state.gold, [key]: next } };
  if (!parked) return after;
  const gate = { layer: 'gold', table: built.table, window: built.window } as const;
  return noted(after, { kind: 'gateParked', gate, reason, checks }, nowMs);
}

function isVerdict({ outcome }: GoldBuilt): boolean {
  return outcome === 'blocked' || outcome === 'failed';
}
