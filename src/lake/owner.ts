import type { LogName } from './paths.ts';
import type { Build } from './owner-decisions.ts';
import { goldBuilt, markGoldStale } from './owner-gold.ts';
import { logRouted, logTold } from './owner-logs.ts';
import {
  type GoldGrain,
  type GoldState,
  type LogAdvanced,
  type OwnerState,
  type PendingRange,
  type Routed,
  type SilverBuilt,
  type SilverState,
  type WindowBuilt,
  isClosed,
} from './owner-state.ts';
import { formatInstant } from './time.ts';
import { type WindowId, nextWindow, windowAt, windowOf } from './window.ts';

/* What a message does to the owner. Every function returns a new state and touches nothing else. */

/** A lane tells how far its source logs are; from the first time on, hours are closed. */
export function logAdvanced(state: OwnerState, message: LogAdvanced, nowMs: number): OwnerState {
  const logs = { ...state.logs };
  for (const { log, sealedTo, frontier } of message.logs) {
    logs[log] = logTold(logs[log], { sealedTo, frontier });
  }
  const nextToClose = state.nextToClose ?? windowAt(nowMs, 'hour').id;
  return { ...state, logs, nextToClose };
}

export function routed(state: OwnerState, found: Routed, nowMs: number): OwnerState {
  const logs = { ...state.logs };
  for (const [log, through] of Object.entries(found.through)) {
    const known = logs[log];
    if (known !== undefined) logs[log] = logRouted(known, through);
  }
  const silver = { ...state.silver };
  for (const touch of found.windows) {
    const window = silver[touch.window] ?? newSilver(state, touch.window, nowMs);
    silver[touch.window] = addPending(window, touch, nowMs);
  }
  const batchesRouted = state.counters.batchesRouted + found.batches;
  return { ...state, logs, silver, counters: { ...state.counters, batchesRouted } };
}

function newSilver(state: OwnerState, window: WindowId, nowMs: number): SilverState {
  const passed =
    state.nextToClose !== null && windowOf(window).startMs < windowOf(state.nextToClose).startMs;
  return {
    pending: {},
    pendingRows: 0,
    pendingSinceMs: null,
    touchedMs: nowMs,
    building: null,
    parked: null,
    heldBack: null,
    sealed: false,
    late: passed,
    builtAtMs: null,
    buildMs: 0,
  };
}

function addPending(
  window: SilverState,
  touch: { log: LogName; first: number; last: number; rows: number },
  nowMs: number,
): SilverState {
  const known = window.pending[touch.log];
  const range = {
    first: Math.min(known?.first ?? touch.first, touch.first),
    through: Math.max(known?.through ?? touch.last, touch.last),
  };
  return {
    ...window,
    pending: { ...window.pending, [touch.log]: range },
    pendingRows: window.pendingRows + touch.rows,
    pendingSinceMs: window.pendingSinceMs ?? nowMs,
    touchedMs: nowMs,
    late: window.late || window.sealed,
    sealed: false,
  };
}

export function windowBuilt(
  state: OwnerState,
  built: WindowBuilt,
  gold: readonly GoldGrain[],
  nowMs: number,
): OwnerState {
  const counted = countBuilt(state, built);
  return built.layer === 'silver'
    ? silverBuilt(counted, built, gold, nowMs)
    : goldBuilt(counted, built, nowMs);
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
  // An unchanged build may be the second one after a publication that nobody has heard of.
  const marked = done ? markGoldStale(state, built.window, gold, nowMs) : state;
  const window = state.silver[built.window];
  if (window === undefined) return marked;
  const pending = done ? withoutCovered(window.pending, built.through) : window.pending;
  const empty = Object.keys(pending).length === 0;
  // A fold that does not pass leaves its rows to the seal build: nobody has to decide about an hour
  // that everybody still watches.
  const held = built.outcome === 'blocked' && built.mode === 'fold';
  const parked = built.outcome === 'failed' || (built.outcome === 'blocked' && !held);
  const reason = built.reason ?? built.outcome;
  const next: SilverState = {
    ...window,
    pending,
    pendingRows: empty ? 0 : window.pendingRows,
    pendingSinceMs: empty ? null : nowMs,
    building: null,
    parked: parked ? { reason, sinceMs: nowMs } : null,
    heldBack: held ? reason : done ? null : window.heldBack,
    sealed: done && built.mode !== 'fold' && empty,
    late: empty ? false : window.late,
    builtAtMs: done ? nowMs : window.builtAtMs,
    buildMs: done ? built.durationMs : window.buildMs,
  };
  const silver = { ...state.silver, [built.window]: next };
  return { ...marked, silver };
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

/** The Schedule says that an hour is over and its gold is due. Asked twice, noted once. */
export function hourDue(state: OwnerState, hour: WindowId, nowMs: number): OwnerState {
  if (state.dues.some((due) => due.hour === hour)) return state;
  return { ...state, dues: [...state.dues, { hour, sinceMs: nowMs }] };
}

/** After a start: builds that were believed in flight may have ended unheard. */
export function forgetFlights(state: OwnerState): OwnerState {
  const land = <T extends { building: unknown }>(windows: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(windows).map(([id, window]) => [id, { ...window, building: null }]),
    );
  const gold = Object.fromEntries(
    Object.entries(state.gold).map(([key, window]) => [
      key,
      {
        ...window,
        building: null,
        stale: window.stale || window.building !== null,
        due: window.due || window.building !== null,
      },
    ]),
  );
  return { ...state, silver: land(state.silver), gold };
}

/** Takes up hours that have closed since, so that an hour without events gets its empty version. */
export function closeHours(
  state: OwnerState,
  allowedLatenessMs: number,
  nowMs: number,
): OwnerState {
  if (state.nextToClose === null || !isClosed(state, state.nextToClose, allowedLatenessMs))
    return state;
  const silver = { ...state.silver };
  let hour = windowOf(state.nextToClose);
  // One call takes up at most a day: an owner that slept for weeks catches up over several calls.
  for (let taken = 0; taken < 24 && isClosed(state, hour.id, allowedLatenessMs); taken += 1) {
    silver[hour.id] ??= { ...newSilver(state, hour.id, nowMs), late: false };
    hour = nextWindow(hour);
  }
  return { ...state, silver, nextToClose: hour.id };
}

/** Drops windows about which there is nothing left to know but what their pointers say. */
export function prune(state: OwnerState): OwnerState {
  const silver = Object.fromEntries(
    Object.entries(state.silver).filter(
      ([, window]) =>
        !window.sealed ||
        window.building !== null ||
        window.parked !== null ||
        Object.keys(window.pending).length > 0,
    ),
  );
  const horizon = state.nextToClose === null ? null : windowOf(state.nextToClose).startMs;
  const gold = Object.fromEntries(
    Object.entries(state.gold).filter(
      ([key, window]) =>
        window.stale ||
        window.building !== null ||
        window.parked !== null ||
        horizon === null ||
        windowOf(key.slice(key.indexOf('/') + 1)).endMs > horizon,
    ),
  );
  return { ...state, silver, gold };
}

/** Marks a decided build as running. A gold window that is touched meanwhile becomes stale again. */
export function buildStarted(state: OwnerState, build: Build, nowMs: number): OwnerState {
  if (build.kind === 'buildGold') {
    const window = state.gold[build.key];
    if (window === undefined) return state;
    const started: GoldState = {
      ...window,
      stale: false,
      due: false,
      building: { sinceMs: nowMs },
    };
    return { ...state, gold: { ...state.gold, [build.key]: started } };
  }
  const window = state.silver[build.window];
  if (window === undefined) return state;
  const started: SilverState = { ...window, building: { mode: build.mode, sinceMs: nowMs } };
  return { ...state, silver: { ...state.silver, [build.window]: started } };
}

/** Lets the gold of a due hour go: its windows are stale, also where the hour brought nothing. */
export function dueReleased(
  state: OwnerState,
  due: { readonly hour: WindowId; readonly complete: boolean },
  tables: readonly GoldGrain[],
  nowMs: number,
): OwnerState {
  const end = formatInstant(windowOf(due.hour).endMs);
  const known = state.goldDueBefore;
  return {
    ...markGoldStale(state, due.hour, tables, nowMs, due),
    dues: state.dues.filter(({ hour }) => hour !== due.hour),
    goldDueBefore: known !== null && known > end ? known : end,
  };
}
