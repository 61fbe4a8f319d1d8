import { type AskedCause, type Cause, isUnhurried } from './cause.ts';
import type { OwnerState } from './owner-state.ts';
import { type WindowId, windowOf } from './window.ts';

/*
 * How many builds may run at once. Windows older than what is folded have the least priority: they
 * never take all the places, so that however many of them there are, the hours near now go on.
 */

/** So many parked windows, and old ones are not built any more: they would most likely park, too. */
const parkedMax = 100;

type Limits = { readonly buildsMax: number; readonly foldHorizonMs: number };
type WithWindow = { readonly window: WindowId; readonly cause: Cause };

/** The first builds of a list that may start now. */
export function withinLimits<T extends WithWindow>(
  state: OwnerState,
  settings: Limits,
  builds: readonly T[],
): readonly T[] {
  const flying = inFlight(state);
  let free = settings.buildsMax - flying.length;
  let freeForOld =
    Math.max(1, settings.buildsMax - 1) -
    flying.filter((window) => isOld(state, settings, window)).length;
  const isHeld = parkedIn(state) >= parkedMax;
  const started: T[] = [];
  for (const build of builds) {
    if (free <= 0) break;
    if (isOld(state, settings, build.window)) {
      const isAsked = ['gate', 'rewind'].includes(build.cause.kind);
      if (freeForOld <= 0 || (isHeld && !isAsked)) continue;
      freeForOld -= 1;
    }
    free -= 1;
    started.push(build);
  }
  return started;
}

/** Whether a window is so old that it would not be folded. */
export function isOld(
  state: Pick<OwnerState, 'nextToClose'>,
  { foldHorizonMs }: Pick<Limits, 'foldHorizonMs'>,
  window: WindowId,
): boolean {
  const newestMs = state.nextToClose === null ? 0 : windowOf(state.nextToClose).startMs;
  return windowOf(window).endMs <= newestMs - foldHorizonMs;
}

/** Whether a window is built for a backfill, or as one: whole, from all batches, in its places. */
export function isBackfilled({ asked }: { readonly asked: AskedCause | null }): boolean {
  return isUnhurried(asked);
}

function inFlight({ silver, gold }: OwnerState): readonly WindowId[] {
  return [...Object.entries(silver), ...Object.entries(gold)]
    .filter(([, window]) => window.building !== null && !isBackfilled(window))
    .map(([key]) => key.slice(key.lastIndexOf('/') + 1));
}

/** Windows that wait for a person. */
export function parkedIn({ silver, gold }: Pick<OwnerState, 'silver' | 'gold'>): number {
  const windows = [...Object.values(silver), ...Object.values(gold)];
  return windows.filter(({ parked }) => parked !== null).length;
}
