import type { WindowId } from './window.ts';

/* Why a build was started. It goes into the pointer of the version that the build makes. */

export type Cause =
  /** New rows of an hour that is open, or that is over and not sealed yet. */
  | { readonly kind: 'rows' }
  /** The hour is over. */
  | { readonly kind: 'closed' }
  /** Rows that came after the hour had been sealed, or after it had passed. */
  | { readonly kind: 'late' }
  /** Gold: the silver that it is made from has changed. */
  | { readonly kind: 'silver' }
  /** Gold: the Schedule has called it due. */
  | { readonly kind: 'due' }
  | AskedCause;

/** A person has asked for it. */
export type AskedCause =
  | {
      readonly kind: 'gate';
      readonly decision: 'retry' | 'waive';
      readonly author: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'backfill';
      readonly id: string;
      readonly author: string;
      readonly reason: string;
    }
  | { readonly kind: 'rewind'; readonly author: string; readonly reason: string }
  | WildAsked;

/** Rows of wild event times are let into their windows. */
export type WildAsked = {
  readonly kind: 'wildTimes';
  readonly decision: 'retry' | 'waive';
  readonly author: string;
  readonly reason: string;
};

/** Whether whoever has asked can wait: it is built in places of its own, beside regular builds. */
export function isUnhurried(cause: Cause | null): boolean {
  return cause?.kind === 'backfill' || cause?.kind === 'wildTimes';
}

/** A person lets a build publish although these checks have failed. Good for one version. */
export type Waiver = {
  readonly checks: readonly string[];
  readonly author: string;
  readonly reason: string;
  /** ISO-8601. */
  readonly at: string;
};

/** A window of a layer; `table` is null for silver, which has one table. */
export type GateRef = {
  readonly layer: 'silver' | 'gold';
  readonly table: string | null;
  readonly window: WindowId;
};

/** Whether a cause is one that a person has asked for by this very request. */
export function isSameCause(left: Cause | null, right: Cause | null): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/**
 * Whether a version is to be made although it would come out the same: who asks for a backfill wants
 * the files written anew, once.
 */
export function isAskedAnew(
  cause: Cause | undefined,
  current: { readonly cause?: Cause } | null,
): boolean {
  if (cause?.kind !== 'backfill') return false;
  return !(current?.cause?.kind === 'backfill' && current.cause.id === cause.id);
}

/** A build for a backfill that was refused because its rows are gone: the version before stays. */
export function isPastRetention(built: {
  readonly cause: Cause | null;
  readonly outcome: string;
  readonly reason: string | null;
}): boolean {
  const refused =
    built.outcome === 'failed' && built.reason?.startsWith('RETENTION_PASSED') === true;
  return built.cause?.kind === 'backfill' && refused;
}
