import { clipped } from './clip.ts';
import {
  type DayTodo,
  type GoldTables,
  type Mask,
  dayOf,
  windowsInRange,
} from './backfill-days.ts';
import { formatInstant, hourMs } from './time.ts';
import { type WindowId, parseWindowId, windowAt, windowOf } from './window.ts';

/*
 * A backfill as a value: the range that somebody has asked to build again, and how far it is. It is a
 * range and a cursor, never a list of windows, so two years of hours are as small as one.
 */

export const backfillLayers = ['silver', 'gold'] as const;
export type BackfillLayer = (typeof backfillLayers)[number];

/** `missing`: windows without a version. `failed`: windows that are parked. */
export const backfillOnly = ['all', 'missing', 'failed'] as const;
export type BackfillOnly = (typeof backfillOnly)[number];

export const backfillOrders = ['oldest', 'newest'] as const;
export type BackfillOrder = (typeof backfillOrders)[number];

export type BackfillRange = {
  /** First and last hour, both inclusive. */
  readonly from: WindowId;
  readonly to: WindowId;
  readonly layers: readonly BackfillLayer[];
  readonly only: BackfillOnly;
  readonly order: BackfillOrder;
};

export type BackfillRequest = BackfillRange & {
  /** Null: the owner names it. */
  readonly id: string | null;
  readonly author: string;
  readonly reason: string;
};

export type BackfillCounts = {
  /** Published anew. */
  readonly done: number;
  /** The current version was made from the same by the same means. */
  readonly unchanged: number;
  /** Parked: readers keep the version before. */
  readonly failed: number;
  /** Not wanted, still open, or past retention. */
  readonly skipped: number;
  /** Before the first record ever. */
  readonly empty: number;
};

/** The day that is worked on. */
export type BackfillChunk = DayTodo & {
  readonly day: WindowId;
  /** `silver/<hour>` or `<gold table>/<window>`: asked for, and not built yet. */
  readonly asked: readonly string[];
  /** Hours that were published anew: their gold is older until it is built as well. */
  readonly published: Mask;
};

export type BackfillSaid = {
  readonly author: string;
  readonly reason: string;
  readonly at: string;
};

export type Backfill = BackfillRange & {
  readonly id: string;
  readonly author: string;
  readonly reason: string;
  readonly askedAt: string;
  readonly startedAt: string | null;
  readonly ended: { readonly kind: 'done' | 'cancelled'; readonly at: string } | null;
  readonly paused: boolean;
  /** Who has paused, resumed or cancelled it last, and why. */
  readonly said: BackfillSaid | null;
  /** The next day to be looked up; null when every day has been. */
  readonly next: WindowId | null;
  readonly chunk: BackfillChunk | null;
  readonly counts: BackfillCounts;
  /** Windows of the range; null until it has begun. */
  readonly total: number | null;
  /** How the newest windows ended, the last one last: `x` failed, `.` did not. */
  readonly recent: string;
};

/** Backfills that wait or run, and ended ones that are still remembered. */
export const backfillsOpenMax = 3;
export const backfillsEndedMax = 2;
/** Ten years of hours. */
export const backfillHoursMax = 87_672;

/** As JSON: they travel with the state of the owner, which stays small. */
const backfillReasonBytesMax = 120;
const backfillAuthorBytesMax = 40;

export function boundedSaid<T extends { readonly author: string; readonly reason: string }>(
  said: T,
): T {
  const author = clipped(said.author, backfillAuthorBytesMax);
  return { ...said, author, reason: clipped(said.reason, backfillReasonBytesMax) };
}

export function isOpen({ ended }: Backfill): boolean {
  return ended === null;
}

/** The backfill that is worked on: the first one that waits for nobody. */
export function activeBackfill(backfills: readonly Backfill[]): Backfill | null {
  return backfills.find((each) => isOpen(each) && !each.paused) ?? null;
}

export type BackfillStatus = 'waiting' | 'running' | 'paused' | 'done' | 'cancelled';

export function statusOf(backfill: Backfill, backfills: readonly Backfill[]): BackfillStatus {
  if (backfill.ended !== null) return backfill.ended.kind;
  if (backfill.paused) return 'paused';
  return activeBackfill(backfills)?.id === backfill.id ? 'running' : 'waiting';
}

/**
 * First and last hour of a range that a person has written. A window, such as `2026-08-21T13` or
 * `2026-08-21`, is in the range at both ends; an instant on the hour is where the range begins or ends.
 */
export function rangeOf(
  from: string,
  to: string,
): { readonly from: WindowId; readonly to: WindowId } {
  const firstMs = edgeOf('from', from).startMs;
  const lastMs = edgeOf('to', to).endMs - hourMs;
  if (lastMs < firstMs) throw new Error(`from is after to: ${from} … ${to}`);
  return { from: windowAt(firstMs, 'hour').id, to: windowAt(lastMs, 'hour').id };
}

function edgeOf(name: string, text: string): { readonly startMs: number; readonly endMs: number } {
  const window = parseWindowId(text);
  if (window !== null) return window;
  const hour = /^(.+T\d{2}):00(?::00(?:\.0+)?)?Z$/.exec(text)?.[1];
  const named = hour === undefined ? null : parseWindowId(hour);
  if (named !== null) return { startMs: named.startMs, endMs: named.startMs };
  throw new Error(
    `${name} is not an hour or a day of UTC: ${text}; write 2026-08-21T13, 2026-08-21 or 2026-08-21T13:00:00Z`,
  );
}

/** Why a range cannot be built; null when it can. Only hours that are over by the clock are. */
export function rangeRefusal(
  { from, to }: Pick<BackfillRange, 'from' | 'to'>,
  nowMs: number,
): string | null {
  if (windowOf(to).endMs > nowMs) {
    return `the range reaches into the future: ${to} is not over; regular builds take what is open`;
  }
  const hours = (windowOf(to).endMs - windowOf(from).startMs) / hourMs;
  if (hours <= backfillHoursMax) return null;
  return `the range is too long: ${hours} hours, and ${backfillHoursMax} are allowed; ask for parts of it`;
}

/** Why a request cannot be taken; null when it can. */
export function backfillRefusal(
  backfills: readonly Backfill[],
  request: BackfillRequest,
  nowMs: number,
): string | null {
  const wrong = rangeRefusal(request, nowMs);
  if (wrong !== null) return wrong;
  if (request.id !== null && backfills.some(({ id }) => id === request.id)) {
    return `there is a backfill ${request.id} already`;
  }
  if (backfills.filter(isOpen).length >= backfillsOpenMax) {
    return `${backfillsOpenMax} backfills wait already: cancel one, or ask again later`;
  }
  return null;
}

/** A request that `backfillRefusal` has nothing against, as it begins to wait. */
export function newBackfill(
  backfills: readonly Backfill[],
  request: BackfillRequest,
  nowMs: number,
): Backfill {
  const { from, to, layers, only, order } = request;
  return {
    id: request.id ?? freeId(backfills, nowMs),
    from,
    to,
    layers,
    only,
    order,
    ...boundedSaid({ author: request.author, reason: request.reason }),
    askedAt: formatInstant(nowMs),
    startedAt: null,
    ended: null,
    paused: false,
    said: null,
    next: order === 'oldest' ? dayOf(from) : dayOf(to),
    chunk: null,
    counts: { done: 0, unchanged: 0, failed: 0, skipped: 0, empty: 0 },
    total: null,
    recent: '',
  };
}

/** Named by when it was asked: `20260821-133005`, with a number where that is taken. */
function freeId(backfills: readonly Backfill[], nowMs: number): string {
  const base = formatInstant(nowMs).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const taken = new Set(backfills.map(({ id }) => id));
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}

/** The day after one that was looked at, in the order of the backfill; null after the last. */
export function dayAfter(backfill: BackfillRange, day: WindowId): WindowId | null {
  const { startMs, endMs } = windowOf(day);
  const next = windowAt(backfill.order === 'oldest' ? endMs : startMs - 1, 'day').id;
  return next < dayOf(backfill.from) || next > dayOf(backfill.to) ? null : next;
}

export function totalOf(range: BackfillRange, gold: GoldTables): number {
  const silver = range.layers.includes('silver') ? windowsInRange(range, 'hour') : 0;
  if (!range.layers.includes('gold')) return silver;
  return gold.reduce((sum, { grain }) => sum + windowsInRange(range, grain), silver);
}

export function countedOf({ done, unchanged, failed, skipped, empty }: BackfillCounts): number {
  return done + unchanged + failed + skipped + empty;
}

/** Milliseconds that the rest will take at the pace so far; null while that says nothing. */
export function estimateMs(backfill: Backfill, nowMs: number): number | null {
  const counted = countedOf(backfill.counts);
  if (backfill.startedAt === null || backfill.total === null || counted === 0) return null;
  const left = Math.max(0, backfill.total - counted);
  return Math.round(((nowMs - Date.parse(backfill.startedAt)) / counted) * left);
}

/** One plain sentence for the Web UI; null when there is none to speak of. */
export function describeBackfills(backfills: readonly Backfill[]): string | null {
  const open = backfills.filter(isOpen);
  const first = activeBackfill(backfills) ?? open[0];
  if (first === undefined) return null;
  const { id, chunk, counts, total, paused, said } = first;
  const far = `${countedOf(counts)} of ${total ?? '?'} windows, ${counts.failed} failed`;
  const where = paused
    ? `is paused (${said?.reason ?? ''})`
    : `is at ${chunk?.day ?? first.next ?? 'its end'}`;
  const more = open.length > 1 ? ` ${open.length - 1} more wait.` : '';
  return `Backfill ${id} ${where}: ${far}.${more}`;
}
