import { clipped } from './clip.ts';
import type { LogName } from './paths.ts';
import { advanced } from './ledger.ts';
import type { Build } from './owner-decisions.ts';
import { noted } from './owner-noted.ts';
import { markGoldStale } from './owner-gold.ts';
import { logRouted, logTold } from './owner-logs.ts';
import { askedByRewind, rewindsLeft } from './owner-rewind.ts';
import {
  type GoldGrain,
  type GoldState,
  type LogAdvanced,
  type OwnerState,
  type Routed,
  type SilverState,
  isClosed,
} from './owner-state.ts';
import { wildParked } from './owner-wild.ts';
import { formatInstant } from './time.ts';
import { type WindowId, nextWindow, windowAt, windowOf } from './window.ts';

/* What a message does to the owner. Every function returns a new state and touches nothing else. */

/** More source logs do not fit into the state of one owner. */
const logsMax = 200;

/** A lane tells how far its source logs are; from the first time on, hours are closed. */
export function logAdvanced(state: OwnerState, message: LogAdvanced, nowMs: number): OwnerState {
  const logs = { ...state.logs };
  for (const { log, sealedTo, frontier } of message.logs) {
    if (logs[log] === undefined && Object.keys(logs).length >= logsMax) {
      throw new Error(`more than ${logsMax} source logs: ${log} is not taken`);
    }
    logs[log] = logTold(logs[log], { sealedTo, frontier });
  }
  const nextToClose = state.nextToClose ?? windowAt(nowMs, 'hour').id;
  return { ...state, logs, nextToClose };
}

export function routed(state: OwnerState, found: Routed, nowMs: number): OwnerState {
  const logs = { ...state.logs };
  const from: Record<LogName, number> = {};
  for (const [log, through] of Object.entries(found.through)) {
    const known = logs[log];
    if (known === undefined) continue;
    from[log] = known.routedTo;
    logs[log] = logRouted(known, through);
  }
  const silver = { ...state.silver };
  for (const touch of found.windows) {
    const window = silver[touch.window] ?? newSilver(state, touch.window, nowMs);
    const asked = askedByRewind(state, touch) ?? window.asked;
    silver[touch.window] = { ...addPending(window, touch, nowMs), asked };
  }
  const batchesRouted = state.counters.batchesRouted + found.batches;
  const rows = found.windows.reduce((sum, touch) => sum + touch.rows, 0);
  const more = { sinceMs: nowMs, from, touched: found.windows.length, rows };
  const next = {
    ...state,
    logs,
    silver,
    rewinds: rewindsLeft({ ...state, logs }),
    advance: advanced(state.advance, more),
    counters: { ...state.counters, batchesRouted },
  };
  return wildParked(next, found.wild ?? [], nowMs);
}

export function newSilver(state: OwnerState, window: WindowId, nowMs: number): SilverState {
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
    abandoned: false,
    asked: null,
    waiver: null,
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
    late: window.late || window.sealed || window.abandoned,
    sealed: false,
    abandoned: false,
  };
}

/** Nothing new is built while an owner is paused; what runs comes to its end. */
export function pauseSet(
  state: OwnerState,
  paused: boolean,
  said: { readonly author: string; readonly reason: string },
  nowMs: number,
): OwnerState {
  const pauseSaid = { ...said, at: formatInstant(nowMs) };
  return noted(
    { ...state, paused, pauseSaid },
    { kind: paused ? 'paused' : 'resumed', ...said },
    nowMs,
  );
}

const ignoredMax = 5;

/** A message made no sense: its sender may be looking for why nothing happens. */
export function ignored(
  state: OwnerState,
  { message, reason }: { readonly message: string; readonly reason: string },
  nowMs: number,
): OwnerState {
  const entry = { at: formatInstant(nowMs), message, reason: clipped(reason, 200) };
  return { ...state, ignored: [...state.ignored, entry].slice(-ignoredMax) };
}

/** The Schedule catches up 26 hours; more at once come from elsewhere. */
const duesMax = 48;

/** The Schedule says that an hour is over and its gold is due. Asked twice, noted once. */
export function hourDue(state: OwnerState, hour: WindowId, nowMs: number): OwnerState {
  if (state.dues.some((due) => due.hour === hour)) return state;
  if (state.dues.length >= duesMax) throw new Error(`${duesMax} hours are due and wait already`);
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
        window.asked !== null ||
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
  const marked = markGoldStale(state, due.hour, tables, nowMs, due);
  return {
    ...(due.complete ? marked : noted(marked, { kind: 'goldIncomplete', hour: due.hour }, nowMs)),
    dues: state.dues.filter(({ hour }) => hour !== due.hour),
    goldDueBefore: known !== null && known > end ? known : end,
  };
}
