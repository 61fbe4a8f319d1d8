import type { AskedCause, WildAsked } from './cause.ts';
import type { LogName } from './paths.ts';
import type { WindowId } from './window.ts';

/* Parts of the owner's state that have rules of their own, in files of their own. */

/** Windows that wait in the lake, in numbered objects, because the state has no room for them. */
export type OwnerQueue = {
  /** The number of the next object; from `first` on none has been taken up yet. */
  readonly next: number;
  readonly first: number;
  /** How many windows they hold. */
  readonly windows: number;
  /** Earliest and latest hour of silver among them. */
  readonly hours: { readonly from: WindowId; readonly to: WindowId } | null;
  /** Per log, the first batch that one of them lacks. */
  readonly batches: Readonly<Record<LogName, number>>;
};

export const emptyQueue: OwnerQueue = { next: 0, first: 0, windows: 0, hours: null, batches: {} };

/** Batches that may hold rows of wild event times; among them may be some that hold none. */
export type BatchRanges = Readonly<
  Record<LogName, { readonly first: number; readonly through: number }>
>;

/** Rows of batches that touch far more windows than a batch should. */
export type WildTimes = {
  /** They wait for a person. Of windows that several batches touch, each counts. */
  readonly parked: WildParked | null;
  /** Somebody wants them built; batches that are done with are in `batches` no more. */
  readonly going: WildGoing | null;
};

export type WildParked = {
  readonly batches: BatchRanges;
  readonly windows: number;
  readonly rows: number;
  /** Earliest and latest hour of them. */
  readonly hours: { readonly from: WindowId; readonly to: WindowId };
  /** So many windows of each batch were let go, or more. */
  readonly windowsMax: number;
  readonly sinceMs: number;
};

export type WildGoing = {
  readonly batches: BatchRanges;
  /** Of the batches that are looked at now, windows up to here were taken up. */
  readonly after: WindowId | null;
  /** About so many are left. */
  readonly windows: number;
  readonly windowsMax: number;
  readonly asked: WildAsked;
};

/** What one look has found in batches of a log. */
export type WildFound = Pick<WildParked, 'windows' | 'rows' | 'hours' | 'windowsMax'> & {
  readonly log: LogName;
  readonly first: number;
  readonly last: number;
};

export const nothingWild: WildTimes = { parked: null, going: null };

/** Batches up to here are routed once more, and what they touch is rebuilt for this cause. */
export type Rewind = { readonly through: number; readonly asked: AskedCause };

/** Where the ledger goes on. */
export type LedgerHead = {
  readonly next: number;
  /** SHA-256 of the entry before; null before the first. */
  readonly hash: string | null;
};

/** What was routed since the newest entry of the ledger. */
export type Advance = {
  readonly sinceMs: number;
  /** Where the bookmarks stood that have moved. */
  readonly from: Readonly<Record<LogName, number>>;
  readonly touched: number;
  readonly rows: number;
};
