import { type Cause, type Waiver, isUnhurried } from './cause.ts';
import type { LogName } from './paths.ts';
import type { BuildMode } from './pointer.ts';
import {
  type GoldGrain,
  type GoldKey,
  type GoldState,
  type OwnerState,
  type PendingRange,
  type SilverState,
  isClosed,
} from './owner-state.ts';
import { isBackfilled, withinLimits } from './owner-limits.ts';
import { mayBeQueued } from './owner-queue.ts';
import { formatInstant } from './time.ts';
import { type WindowId, overlapping, windowOf } from './window.ts';

/*
 * What the owner does next. Pure: the same state, settings and time give the same actions, and an
 * action that was carried out (its window is `building`) is not decided again.
 */

export type OwnerSettings = {
  readonly allowedLatenessMs: number;
  readonly foldMs: number;
  readonly foldHorizonMs: number;
  readonly maxWaitMs: number;
  readonly goldRefresh: 'schedule' | 'follow';
  readonly buildsMax: number;
  /** Builds of backfills at once, beside those. */
  readonly backfillBuildsMax: number;
  /** Folds come as often as what they usually take allows. By what the last one took, in older runs. */
  readonly usualFolds?: boolean;
  readonly gold: readonly GoldGrain[];
};

type Reasons = {
  readonly cause: Cause;
  readonly waiver: Waiver | null;
};

export type BuildSilver = Reasons & {
  readonly kind: 'buildSilver';
  readonly window: WindowId;
  readonly mode: BuildMode;
  readonly pending: Readonly<Record<LogName, PendingRange>>;
};

export type BuildGold = Reasons & {
  readonly kind: 'buildGold';
  readonly key: GoldKey;
  readonly table: string;
  readonly window: WindowId;
  readonly complete: boolean;
};

export type Build = BuildSilver | BuildGold;

/** Rows that arrive together should be built together: a window rests this long after a touch. */
const settleMsMax = 1_000;

/** The next build of a window, and when it may start. */
export type Candidate = { readonly build: Build; readonly dueMs: number };

/** Builds to start now, most urgent first, within the limit of builds at once. */
export function decideBuilds(
  state: OwnerState,
  settings: OwnerSettings,
  nowMs: number,
): readonly Build[] {
  if (state.paused) return [];
  const due = candidates(state, settings, nowMs)
    .filter(({ dueMs }) => dueMs <= nowMs)
    .map(({ build }) => build);
  const regular = due.filter(({ cause }) => !isUnhurried(cause));
  const backfilled = due.filter(({ cause }) => isUnhurried(cause));
  return [
    ...withinLimits(state, settings, regular),
    ...backfilled.slice(0, Math.max(0, settings.backfillBuildsMax - backfillsInFlight(state))),
  ];
}

/** When the owner must look again by itself; null when only a message can change anything. */
export function nextLookMs(
  state: OwnerState,
  settings: OwnerSettings,
  nowMs: number,
): number | null {
  const dues = state.paused ? [] : candidates(state, settings, nowMs).map(({ dueMs }) => dueMs);
  const waits = state.dues.map(({ sinceMs }) => sinceMs + settings.maxWaitMs);
  const later = [...dues, ...waits].filter((ms) => ms > nowMs);
  return later.length === 0 ? null : Math.min(...later);
}

/** A backfill asks for no window that is being built, so what is asked for tells who builds. */
function backfillsInFlight({ silver, gold }: OwnerState): number {
  const windows = [...Object.values(silver), ...Object.values(gold)];
  return windows.filter((window) => window.building !== null && isBackfilled(window)).length;
}

/** The next build of every window that has one, also of those that must wait. */
export function candidates(
  state: OwnerState,
  settings: OwnerSettings,
  nowMs: number,
): readonly Candidate[] {
  const silver = silverCandidates(state, settings);
  return [...silver, ...goldCandidates(state, settings, nowMs)];
}

/** Open windows first, newest first: they are the ones that everybody watches. */
function silverCandidates(state: OwnerState, settings: OwnerSettings): Candidate[] {
  return Object.entries(state.silver)
    .map(([id, window]) => ({
      id,
      window,
      closed: isClosed(state, id, settings.allowedLatenessMs),
    }))
    .filter(({ window, closed }) => isBuildable(window, closed))
    .sort((a, b) => Number(a.closed) - Number(b.closed) || (a.id < b.id ? 1 : -1))
    .map(({ id, window, closed }) => ({
      build: {
        kind: 'buildSilver',
        window: id,
        mode: silverMode(state, id, window, closed, settings),
        pending: isBackfilled(window) ? everyBatch(state) : window.pending,
        cause: silverCause(window, closed),
        waiver: window.waiver,
      },
      dueMs: silverDueMs(window, closed, settings),
    }));
}

/** A window without a version knows of no batch: its build looks for its rows in all of them. */
function everyBatch(state: OwnerState): BuildSilver['pending'] {
  const known = Object.entries(state.logs).filter(([, { routedTo }]) => routedTo >= 0);
  return Object.fromEntries(
    known.map(([log, { routedTo }]) => [log, { first: 0, through: routedTo }]),
  );
}

function silverCause(window: SilverState, closed: boolean): Cause {
  if (window.asked !== null) return window.asked;
  if (window.late) return { kind: 'late' };
  return { kind: closed && !hasPending(window) ? 'closed' : 'rows' };
}

function isBuildable(window: SilverState, closed: boolean): boolean {
  if (window.building !== null) return false;
  if (isBackfilled(window)) return true;
  if (window.parked !== null) return false;
  if (window.heldBack !== null && !closed) return false;
  if (window.abandoned && window.asked === null) return false;
  return hasPending(window) || (closed && (!window.sealed || window.asked !== null));
}

function hasPending(window: SilverState): boolean {
  return Object.keys(window.pending).length > 0;
}

function silverMode(
  state: OwnerState,
  id: WindowId,
  window: SilverState,
  closed: boolean,
  settings: OwnerSettings,
): BuildMode {
  if (isBackfilled(window)) return 'rebuild';
  if (closed) return window.late || window.asked !== null ? 'rebuild' : 'seal';
  // Its batches come once more, or did: what a fold has already read it would leave out.
  if (window.asked !== null) return 'rebuild';
  const newest = state.nextToClose === null ? 0 : windowOf(state.nextToClose).startMs;
  return windowOf(id).startMs >= newest - settings.foldHorizonMs ? 'fold' : 'rebuild';
}

function silverDueMs(window: SilverState, closed: boolean, settings: OwnerSettings): number {
  if (!hasPending(window) || isBackfilled(window)) return window.touchedMs;
  const settleMs = Math.min(settleMsMax, settings.foldMs);
  const sinceMs = window.pendingSinceMs ?? window.touchedMs;
  const restedMs = Math.min(window.touchedMs + settleMs, sinceMs + settings.foldMs);
  if (closed || window.builtAtMs === null) return restedMs;
  // From begin to begin: a fold may take a quarter of the time, no more.
  const foldMs = settings.usualFolds === true ? window.usualMs : undefined;
  const intervalMs = Math.max(settings.foldMs, 4 * (foldMs ?? window.buildMs));
  return Math.max(restedMs, window.builtAtMs - window.buildMs + intervalMs);
}

function goldCandidates(state: OwnerState, settings: OwnerSettings, nowMs: number): Candidate[] {
  return Object.entries(state.gold)
    .filter(([, window]) => window.stale && window.building === null)
    .filter(([, window]) => window.parked === null || isBackfilled(window))
    .map(([key, window]) => goldCandidate(state, settings, key as GoldKey, window, nowMs))
    .filter((candidate) => candidate !== null)
    .sort((a, b) => a.dueMs - b.dueMs || (a.build.window < b.build.window ? -1 : 1));
}

function goldCandidate(
  state: OwnerState,
  settings: OwnerSettings,
  key: GoldKey,
  window: GoldState,
  nowMs: number,
): Candidate | null {
  const slash = key.indexOf('/');
  const [table, id] = [key.slice(0, slash), key.slice(slash + 1)];
  const backfilled = isBackfilled(window);
  if (settings.goldRefresh === 'schedule' && !backfilled && !isDue(state, id, window)) return null;
  const complete = window.complete && isComplete(state, id, settings);
  const cause: Cause = window.asked ?? { kind: window.due ? 'due' : 'silver' };
  const { waiver } = window;
  const build: BuildGold = { kind: 'buildGold', key, table, window: id, complete, cause, waiver };
  if (backfilled) return { build, dueMs: window.staleSinceMs };
  const restMs = window.builtAtMs === null ? 0 : window.builtAtMs + 3 * window.buildMs;
  // Gold waits while its silver is moving, but never longer than two folds.
  const longestMs = window.staleSinceMs + 2 * settings.foldMs;
  const quiet = isQuiet(state, id, settings);
  return { build, dueMs: Math.max(restMs, quiet ? nowMs : longestMs) };
}

/** A window that ends before the last due hour did is built as soon as it is stale. */
export function isDue(state: OwnerState, gold: WindowId, window: GoldState): boolean {
  return window.due || formatInstant(windowOf(gold).endMs) <= (state.goldDueBefore ?? '');
}

/** Whether every hour of a gold window that was due is over and built whole. */
function isComplete(state: OwnerState, gold: WindowId, settings: OwnerSettings): boolean {
  const dueBefore = state.goldDueBefore;
  if (dueBefore === null) return true;
  return overlapping(windowOf(gold), 'hour').every(
    ({ id, endMs }) => formatInstant(endMs) > dueBefore || isWhole(state, id, settings),
  );
}

/** An hour of which nothing is known any more was built whole, or brought nothing. */
function isWhole(state: OwnerState, hour: WindowId, settings: OwnerSettings): boolean {
  const window = state.silver[hour];
  const closed = isClosed(state, hour, settings.allowedLatenessMs);
  if (mayBeQueued(state, hour)) return false;
  return closed && (window === undefined || (window.sealed && !hasPending(window)));
}

/** Whether no hour of a gold window has a silver build running or waiting. */
function isQuiet(state: OwnerState, gold: WindowId, settings: OwnerSettings): boolean {
  return overlapping(windowOf(gold), 'hour').every(({ id }) => {
    const window = state.silver[id];
    if (window === undefined || window.parked !== null) return true;
    const closed = isClosed(state, id, settings.allowedLatenessMs);
    return window.building === null && !(closed && isBuildable(window, closed));
  });
}

export type ReleasedDue = { readonly hour: WindowId; readonly complete: boolean };

/** Hours whose gold need not wait any longer: built and sealed, or waited for long enough. */
export function releasedDues(
  state: OwnerState,
  settings: OwnerSettings,
  nowMs: number,
): readonly ReleasedDue[] {
  return state.dues.flatMap(({ hour, sinceMs }): ReleasedDue[] => {
    if (isWhole(state, hour, settings)) return [{ hour, complete: true }];
    return nowMs >= sinceMs + settings.maxWaitMs ? [{ hour, complete: false }] : [];
  });
}

/** Batches to look at next: sealed, not routed, a bounded number of each log. */
export function decideRoute(
  state: OwnerState,
  batchesMax: number,
): readonly { readonly log: LogName; readonly first: number; readonly through: number }[] {
  return Object.entries(state.logs)
    .filter(([, { sealedTo, routedTo }]) => sealedTo > routedTo)
    .map(([log, { sealedTo, routedTo }]) => ({
      log,
      first: routedTo + 1,
      through: Math.min(sealedTo, routedTo + batchesMax),
    }));
}
