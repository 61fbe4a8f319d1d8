import type { Backfill, BackfillChunk } from './backfill.ts';
import { changedBackfill } from './backfill-control.ts';
import { type GoldTables, bitOf, windowsOf } from './backfill-days.ts';
import type { AskedCause } from './cause.ts';
import { newSilver } from './owner.ts';
import type { GoldKey, GoldState, OwnerState, SilverState } from './owner-state.ts';
import type { WindowId } from './window.ts';

/* Which windows of its day a backfill asks for next. */

export function windowsAsked(
  state: OwnerState,
  options: {
    readonly id: string;
    readonly gold: GoldTables;
    readonly backfillBuildsMax: number;
    readonly nowMs: number;
  },
): OwnerState {
  const inWork = state.backfills.reduce((sum, { chunk }) => sum + (chunk?.asked.length ?? 0), 0);
  let next = state;
  for (let free = options.backfillBuildsMax - inWork; free > 0; free -= 1) {
    const asked = oneAsked(next, options);
    if (asked === null) break;
    next = asked;
  }
  return next;
}

/** Asks for the next window that nobody else is about; null when there is none just now. */
function oneAsked(
  state: OwnerState,
  { id, gold, nowMs }: { readonly id: string; readonly gold: GoldTables; readonly nowMs: number },
): OwnerState | null {
  const backfill = state.backfills.find((each) => each.id === id)!;
  const { chunk } = backfill;
  if (chunk === null) return null;
  const key = keysTodo(backfill, chunk, gold).find((each) => {
    const window = windowNamed(state, each);
    if (window === undefined) return true;
    // What was asked for of a window that is parked again will not be built: it is free to be asked for.
    return window.building === null && (window.asked === null || window.parked !== null);
  });
  if (key === undefined) return null;
  const slash = key.indexOf('/');
  const [table, window] = [key.slice(0, slash), key.slice(slash + 1)];
  const cause: AskedCause = {
    kind: 'backfill',
    id,
    author: backfill.author,
    reason: backfill.reason,
  };
  const isSilver = table === 'silver';
  const left: BackfillChunk = {
    ...chunk,
    asked: [...chunk.asked, key],
    silver: isSilver ? chunk.silver & ~bitOf(window) : chunk.silver,
    gold: isSilver
      ? chunk.gold
      : { ...chunk.gold, [table]: (chunk.gold[table] ?? 0) & ~bitOf(window) },
  };
  const marked = isSilver
    ? silverAsked(state, window, cause, nowMs)
    : goldAsked(state, key as GoldKey, cause, nowMs);
  return changedBackfill(marked, id, (each) => ({ ...each, chunk: left }));
}

/** Gold comes when all silver of the day has been built. */
function keysTodo(backfill: Backfill, chunk: BackfillChunk, gold: GoldTables): readonly string[] {
  const silver = windowsOf(chunk.day, 'hour', chunk.silver).map((hour) => `silver/${hour}`);
  const isSilverOver = silver.length === 0 && !chunk.asked.some((key) => key.startsWith('silver/'));
  const keys = isSilverOver
    ? gold.flatMap(({ name, grain }) =>
        windowsOf(chunk.day, grain, chunk.gold[name] ?? 0).map((window) => `${name}/${window}`),
      )
    : silver;
  return backfill.order === 'oldest' ? keys : keys.toReversed();
}

function silverAsked(
  state: OwnerState,
  hour: WindowId,
  asked: AskedCause,
  nowMs: number,
): OwnerState {
  // Of a window that the owner had forgotten nothing was left to do.
  const known = state.silver[hour] ?? {
    ...newSilver(state, hour, nowMs),
    sealed: true,
    late: false,
  };
  return { ...state, silver: { ...state.silver, [hour]: { ...known, asked, touchedMs: nowMs } } };
}

function goldAsked(state: OwnerState, key: GoldKey, asked: AskedCause, nowMs: number): OwnerState {
  const window = state.gold[key];
  const next = {
    building: null,
    parked: window?.parked ?? null,
    waiver: window?.waiver ?? null,
    builtAtMs: window?.builtAtMs ?? null,
    buildMs: window?.buildMs ?? 0,
    complete: window?.complete ?? true,
    stale: true,
    staleSinceMs: window?.stale === true ? window.staleSinceMs : nowMs,
    due: true,
    asked,
  };
  return { ...state, gold: { ...state.gold, [key]: next } };
}

/** Windows that were asked for and are not any more: somebody has decided otherwise meanwhile. */
export function forgotten(state: OwnerState, id: string): OwnerState {
  const { chunk } = state.backfills.find((each) => each.id === id)!;
  if (chunk === null) return state;
  const isMine = (key: string): boolean => {
    const asked = windowNamed(state, key)?.asked ?? null;
    return asked?.kind === 'backfill' && asked.id === id;
  };
  const lost = chunk.asked.filter((key) => !isMine(key));
  if (lost.length === 0) return state;
  return changedBackfill(state, id, (each) => ({
    ...each,
    chunk: { ...chunk, asked: chunk.asked.filter(isMine) },
    counts: { ...each.counts, skipped: each.counts.skipped + lost.length },
  }));
}

export function windowNamed(state: OwnerState, key: string): SilverState | GoldState | undefined {
  return key.startsWith('silver/')
    ? state.silver[key.slice('silver/'.length)]
    : state.gold[key as GoldKey];
}
