import { parkedIn } from './owner-limits.ts';
import type { WildGoing } from './owner-parts.ts';
import { windowsIn } from './owner-queue.ts';
import type { OwnerState, SilverState } from './owner-state.ts';
import { wildParked } from './owner-wild.ts';
import { newSilver } from './owner.ts';
import type { LogName } from './paths.ts';
import { type WildPortion, wildPortionMax } from './route.ts';
import type { WindowId } from './window.ts';

/*
 * Rows of wild event times that somebody has let go are worked off in portions: a look at some of their
 * batches, a few windows of them, which are built in the places of backfills, and then the next few.
 */

/** Batches of one look. */
const batchesMax = 500;

/** Nothing is added to a state that has much to hold already. */
const windowsMax = 120;
const parkedMax = 100;

export type WildLook = {
  readonly log: LogName;
  readonly first: number;
  readonly through: number;
  readonly after: WindowId | null;
  readonly heldFrom: number;
  readonly decision: 'retry' | 'waive';
};

/** Where the next portion is to be looked for; null when there is nothing to do just now. */
export function wildToLook(state: OwnerState): WildLook | null {
  const { going } = state.wild;
  if (going === null || state.paused) return null;
  const inWork = Object.values(state.silver).filter(({ asked }) => asked?.kind === 'wildTimes');
  if (inWork.length > wildPortionMax / 2 || parkedIn(state) >= parkedMax) return null;
  return windowsIn(state) > windowsMax ? null : lookOf(going);
}

function lookOf({ batches, after, windowsMax: heldFrom, asked }: WildGoing): WildLook | null {
  const log = Object.keys(batches).sort()[0];
  if (log === undefined) return null;
  const { first, through } = batches[log]!;
  const last = Math.min(through, first + batchesMax - 1);
  return { log, first, through: last, after, heldFrom, decision: asked.decision };
}

/** Takes up what a look has found, unless somebody has looked meanwhile. */
export function wildTakenUp(
  state: OwnerState,
  look: WildLook,
  found: WildPortion,
  nowMs: number,
): OwnerState {
  const { going } = state.wild;
  if (going === null || !isSame(lookOf(going), look)) return state;
  const silver = { ...state.silver };
  for (const { window, rows } of found.windows) {
    const known = silver[window] ?? {
      ...newSilver(state, window, nowMs),
      sealed: true,
      late: false,
    };
    silver[window] = letIn(known, { look, rows, asked: going.asked, nowMs });
  }
  const left = Math.max(0, going.windows - found.windows.length);
  const next = wentOn({ ...going, windows: left }, look, found.after);
  return wildParked({ ...state, silver, wild: { ...state.wild, going: next } }, found.wild, nowMs);
}

/**
 * A build for this reads every batch, so none need be pending, and readers' live tail stays short. A
 * window that waits for a person, or that somebody has asked for, gets the rows with that build.
 */
function letIn(
  window: SilverState,
  more: {
    readonly look: WildLook;
    readonly rows: number;
    readonly asked: WildGoing['asked'];
    readonly nowMs: number;
  },
): SilverState {
  const { look, rows, asked, nowMs } = more;
  if (window.parked === null && window.asked === null)
    return { ...window, asked, touchedMs: nowMs };
  const known = window.pending[look.log];
  const range = {
    first: Math.min(known?.first ?? look.first, look.first),
    through: Math.max(known?.through ?? look.through, look.through),
  };
  return {
    ...window,
    pending: { ...window.pending, [look.log]: range },
    pendingRows: window.pendingRows + rows,
    pendingSinceMs: window.pendingSinceMs ?? nowMs,
    sealed: false,
  };
}

function wentOn(going: WildGoing, look: WildLook, after: WindowId | null): WildGoing | null {
  if (after !== null) return { ...going, after };
  const { [look.log]: range, ...others } = going.batches;
  const isOver = range === undefined || look.through >= range.through;
  const batches = isOver
    ? others
    : { ...others, [look.log]: { first: look.through + 1, through: range.through } };
  return Object.keys(batches).length === 0 ? null : { ...going, batches, after: null };
}

function isSame(a: WildLook | null, b: WildLook): boolean {
  return a !== null && a.log === b.log && a.first === b.first && a.after === b.after;
}
