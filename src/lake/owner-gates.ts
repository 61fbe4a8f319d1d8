import type { AskedCause, GateRef, Waiver } from './cause.ts';
import type { GateDecision } from './owner-events.ts';
import { noted } from './owner-noted.ts';
import { packedBytes, packedBytesMax } from './owner-packed.ts';
import type { GoldKey, GoldState, OwnerState, Parked, SilverState } from './owner-state.ts';
import { isWildGate, wildGate, wildReason, wildRefusal, wildResolved } from './owner-wild.ts';
import { formatInstant } from './time.ts';

/*
 * Windows that wait for a person, and what a person may decide. A parked window is a few words of
 * state: it costs nothing while it waits, however long that is.
 */

export type ResolveGate = GateRef & {
  readonly decision: GateDecision;
  readonly author: string;
  readonly reason: string;
};

export type ParkedWindow = GateRef & Parked;

/** All parked windows, those that wait longest first; rows of wild event times are one of them. */
export function parkedWindows(state: OwnerState): readonly ParkedWindow[] {
  const silver = Object.entries(state.silver).flatMap(([window, { parked }]) =>
    parked === null ? [] : [{ layer: 'silver' as const, table: null, window, ...parked }],
  );
  const gold = Object.entries(state.gold).flatMap(([key, { parked }]) =>
    parked === null ? [] : [{ layer: 'gold' as const, ...tableAndWindow(key), ...parked }],
  );
  const { parked } = state.wild;
  const wild =
    parked === null
      ? []
      : [{ ...wildGate, reason: wildReason(parked), sinceMs: parked.sinceMs, checks: [] }];
  return [...silver, ...gold, ...wild].sort((a, b) => a.sinceMs - b.sinceMs);
}

function tableAndWindow(key: string): { readonly table: string; readonly window: string } {
  const slash = key.indexOf('/');
  return { table: key.slice(0, slash), window: key.slice(slash + 1) };
}

/** Why a decision cannot be taken; null when it can. */
export function gateRefusal(state: OwnerState, request: ResolveGate): string | null {
  if (isWildGate(request)) return wildRefusal(state, request);
  const name = `${request.table ?? 'silver'} ${request.window}`;
  const window = windowNamed(state, request);
  if (window === undefined) return `nothing is known of ${name}: it does not wait for anybody`;
  if (window.parked === null) {
    const held = 'heldBack' in window && window.heldBack !== null;
    return held
      ? `${name} is not parked: its rows are held back until its hour is over`
      : `${name} is not parked`;
  }
  // Only a backfill builds what is parked.
  if (window.building !== null) return `${name} is being built again just now, for a backfill`;
  if (request.decision !== 'retry' && request.reason.trim() === '') {
    return `say why: to ${request.decision} a gate needs a reason`;
  }
  if (request.decision === 'waive' && window.parked.checks.length === 0) {
    return `${name} has no failed check to waive, it met a fault: ${window.parked.reason}`;
  }
  if (packedBytes(state) > packedBytesMax - 4_096) {
    return 'too much waits already: ask again when builds that run have ended';
  }
  return null;
}

function windowNamed(state: OwnerState, ref: GateRef): SilverState | GoldState | undefined {
  return ref.layer === 'silver' ? state.silver[ref.window] : state.gold[goldKeyOf(ref)];
}

function goldKeyOf({ table, window }: GateRef): GoldKey {
  return `${table ?? ''}/${window}`;
}

/** Carries a decision out that `gateRefusal` has nothing against. */
export function gateResolved(state: OwnerState, request: ResolveGate, nowMs: number): OwnerState {
  const { layer, table, window, decision, author, reason } = request;
  if (isWildGate(request)) return wildResolved(state, { decision, author, reason }, nowMs);
  const found = windowNamed(state, request);
  const parked = found?.parked;
  if (parked === undefined || parked === null) return state;
  const gate: GateRef = { layer, table, window };
  const { checks } = parked;
  const known = noted(
    state,
    { kind: 'gateResolved', gate, decision, author, reason, checks },
    nowMs,
  );
  const waiver: Waiver | null =
    decision === 'waive' ? { checks, author, reason, at: formatInstant(nowMs) } : null;
  const asked: AskedCause | null =
    decision === 'abandon' ? null : { kind: 'gate', decision, author, reason };
  const common = { parked: null, waiver, asked };
  if (layer === 'silver') {
    const next: SilverState = {
      ...state.silver[window]!,
      ...common,
      abandoned: decision === 'abandon',
      touchedMs: nowMs,
    };
    return { ...known, silver: { ...known.silver, [window]: next } };
  }
  const key = goldKeyOf(request);
  const goes = decision !== 'abandon';
  const next: GoldState = { ...state.gold[key]!, ...common, stale: goes, due: goes };
  return { ...known, gold: { ...known.gold, [key]: next } };
}
