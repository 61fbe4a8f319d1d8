import {
  type GoldBuilt,
  type GoldGrain,
  type GoldKey,
  type GoldState,
  type OwnerState,
} from './owner-state.ts';
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
  const parked = isVerdict(built) && !window.stale;
  const next: GoldState = {
    ...window,
    building: null,
    parked: parked ? { reason: built.reason ?? built.outcome, sinceMs: nowMs } : null,
    stale: window.stale || built.outcome === 'superseded',
    due: window.due || built.outcome === 'superseded',
    builtAtMs: isVerdict(built) ? window.builtAtMs : nowMs,
    buildMs: built.durationMs,
  };
  return { ...state, gold: { ...state.gold, [key]: next } };
}

function isVerdict({ outcome }: GoldBuilt): boolean {
  return outcome === 'blocked' || outcome === 'failed';
}
