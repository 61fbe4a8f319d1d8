import { utf8Length } from './clip.ts';
import { isBackfilled, isOld } from './owner-limits.ts';
import { packOwner, packedBytes } from './owner-packed.ts';
import { type OwnerQueue, emptyQueue } from './owner-parts.ts';
import {
  type GoldState,
  type OwnerState,
  type PendingRange,
  type SilverState,
  newOwner,
} from './owner-state.ts';
import type { LogName } from './paths.ts';
import type { WindowId } from './window.ts';

/*
 * The state of the owner stays small: windows that it has no room for wait in the lake. A window may
 * be in the state and in the queue at the same time, since rows may come for one that is queued;
 * taking it up puts the two together, and any number of times is as good as once. Only windows that
 * are never folded are queued: a whole build finds its batches by itself.
 */

export type QueueLimits = {
  /** Windows of silver and gold that the state holds by itself. */
  readonly windowsMax: number;
  /** Above this windows are queued, and up to `bytesRoom` taken up; the rest is for bursts. */
  readonly bytesMax: number;
  readonly windowsRoom: number;
  readonly bytesRoom: number;
  /** Of one object: what has been taken up must not be too much at once. */
  readonly objectWindowsMax: number;
  readonly objectBytesMax: number;
};

export const queueLimits: QueueLimits = {
  windowsMax: 200,
  bytesMax: 20_000,
  windowsRoom: 150,
  bytesRoom: 12_000,
  objectWindowsMax: 50,
  objectBytesMax: 6_000,
};

/** Windows as they are queued, part of a state. */
export type QueuedWindows = Pick<OwnerState, 'silver' | 'gold'>;

/** What has to leave the state now; null when there is room. */
export function decideQueue(
  state: OwnerState,
  foldHorizonMs: number,
  limits: QueueLimits = queueLimits,
): QueuedWindows | null {
  const { windowsMax, bytesMax, objectWindowsMax, objectBytesMax } = limits;
  if (windowsIn(state) <= windowsMax && packedBytes(state) <= bytesMax) return null;
  const { silver, gold } = mayLeave(state, foldHorizonMs);
  const ids = [
    ...Object.keys(silver).map((key) => ({ layer: 'silver' as const, key, id: key })),
    ...Object.keys(gold).map((key) => ({ layer: 'gold' as const, key, id: windowIdOf(key) })),
  ].sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)) || (a.layer < b.layer ? 1 : -1));
  let leaving: QueuedWindows = { silver: {}, gold: {} };
  for (const { layer, key } of ids.slice(0, objectWindowsMax)) {
    const all = layer === 'silver' ? silver : gold;
    const more = { ...leaving, [layer]: { ...leaving[layer], [key]: all[key as never] } };
    if (windowsIn(leaving) > 0 && bytesOf(more) > objectBytesMax) break;
    leaving = more;
  }
  return windowsIn(leaving) === 0 ? null : leaving;
}

/** What nobody works on or waits for, and is older than what is folded. */
function mayLeave(state: OwnerState, foldHorizonMs: number): QueuedWindows {
  const filtered = <T extends SilverState | GoldState>(windows: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(windows).filter(
        ([key, window]) =>
          window.building === null &&
          window.parked === null &&
          // A backfill waits for those that it has asked for, which are few.
          !isBackfilled(window) &&
          isOld(state, { foldHorizonMs }, windowIdOf(key)),
      ),
    );
  return { silver: filtered(state.silver), gold: filtered(state.gold) };
}

/** After the lake has them: they leave the state, but for those that have changed meanwhile. */
export function queued(state: OwnerState, leaving: QueuedWindows): OwnerState {
  const without = <T>(windows: Readonly<Record<string, T>>, gone: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(windows).filter(([key, window]) => window !== gone[key]));
  const { queue } = state;
  const ids = Object.keys(leaving.silver).sort();
  const hours = [...ids, ...(queue.hours === null ? [] : [queue.hours.from, queue.hours.to])];
  const batches = Object.values(leaving.silver).flatMap(({ pending }) => Object.entries(pending));
  const next: OwnerQueue = {
    ...queue,
    next: queue.next + 1,
    windows: queue.windows + windowsIn(leaving),
    hours: hours.length === 0 ? null : { from: hours.sort()[0]!, to: hours.sort().at(-1)! },
    batches: batches.reduce<Record<LogName, number>>(
      (known, [log, { first }]) => ({ ...known, [log]: Math.min(known[log] ?? first, first) }),
      queue.batches,
    ),
  };
  const silver = without(state.silver, leaving.silver);
  return { ...state, silver, gold: without(state.gold, leaving.gold), queue: next };
}

/** The number of the object to take up now, oldest first; null when there is none, or no room. */
export function decideTake(state: OwnerState, limits: QueueLimits = queueLimits): number | null {
  const { first, next } = state.queue;
  if (first >= next || windowsIn(state) > limits.windowsRoom) return null;
  return packedBytes(state) > limits.bytesRoom ? null : first;
}

/** Puts the windows of an object back; its number tells an object that was taken up before. */
export function takenUp(state: OwnerState, number: number, found: QueuedWindows): OwnerState {
  const { queue } = state;
  if (number !== queue.first) return state;
  const first = number + 1;
  const left = { ...queue, first, windows: Math.max(0, queue.windows - windowsIn(found)) };
  return {
    ...state,
    silver: merged(state.silver, found.silver, mergedSilver),
    gold: merged(state.gold, found.gold, mergedGold),
    queue: first === queue.next ? { ...emptyQueue, next: queue.next, first } : left,
  };
}

function merged<T>(
  known: Readonly<Record<string, T>>,
  found: Readonly<Record<string, T>>,
  merge: (known: T, found: T) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(found).map(([key, window]) => {
    const present = known[key];
    return [key, present === undefined ? window : merge(present, window)] as const;
  });
  return { ...known, ...Object.fromEntries(entries) };
}

/** What the state knows is newer; the queued rows are pending beside it. */
function mergedSilver(known: SilverState, found: SilverState): SilverState {
  const pending = mergedPending(known.pending, found.pending);
  const since = [known.pendingSinceMs, found.pendingSinceMs].filter((ms) => ms !== null);
  return {
    ...known,
    pending,
    pendingRows: Math.max(known.pendingRows, found.pendingRows),
    pendingSinceMs: since.length === 0 ? null : Math.min(...since),
    sealed: known.sealed && found.sealed,
    late: known.late || found.late,
    asked: known.asked ?? found.asked,
    waiver: known.waiver ?? found.waiver,
  };
}

function mergedPending(
  known: Readonly<Record<LogName, PendingRange>>,
  found: Readonly<Record<LogName, PendingRange>>,
): Readonly<Record<LogName, PendingRange>> {
  const entries = Object.entries(found).map(([log, range]) => {
    const present = known[log] ?? range;
    const first = Math.min(present.first, range.first);
    return [log, { first, through: Math.max(present.through, range.through) }] as const;
  });
  return { ...known, ...Object.fromEntries(entries) };
}

function mergedGold(known: GoldState, found: GoldState): GoldState {
  return {
    ...known,
    stale: known.stale || found.stale,
    due: known.due || found.due,
    asked: known.asked ?? found.asked,
    waiver: known.waiver ?? found.waiver,
  };
}

/** Whether an hour may be one of those that are queued. */
export function mayBeQueued({ queue: { hours } }: OwnerState, hour: WindowId): boolean {
  return hours !== null && hours.from <= hour && hour <= hours.to;
}

export function windowsIn({ silver, gold }: QueuedWindows): number {
  return Object.keys(silver).length + Object.keys(gold).length;
}

function bytesOf(windows: QueuedWindows): number {
  const { texts, ...packed } = packOwner({ ...newOwner(''), ...windows });
  return utf8Length(JSON.stringify([texts, packed.silver, packed.gold]));
}

function windowIdOf(key: string): WindowId {
  return key.slice(key.lastIndexOf('/') + 1);
}
