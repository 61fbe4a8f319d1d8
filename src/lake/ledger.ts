import type { OwnerEvent } from './owner-events.ts';
import { type PackedOwner, packOwner } from './owner-packed.ts';
import type { Advance, LedgerHead } from './owner-parts.ts';
import type { OwnerState } from './owner-state.ts';
import type { LogName } from './paths.ts';
import { formatInstant } from './time.ts';

/*
 * The ledger: what became of the bookmark, beyond what Temporal remembers. Numbered entries in the
 * lake, create-only, each with the hash of the one before, and each with the whole state of the owner, so
 * that the newest one is enough to go on from.
 */

export type LedgerEntry = {
  readonly schema: 1;
  readonly dataset: string;
  readonly number: number;
  /** SHA-256 of the entry before; null in the first. */
  readonly previousHash: string | null;
  readonly at: string;
  /** Since when batches were routed that no entry before tells of; null when none were. */
  readonly since: string | null;
  /** How far the bookmark of a log has moved since the entry before. */
  readonly moved: Readonly<Record<LogName, { readonly from: number; readonly to: number }>>;
  /** Windows that routed batches have touched, once for each route and log. */
  readonly touched: number;
  readonly rows: number;
  /** What happened besides: parked windows, decisions, rewinds. */
  readonly events: readonly OwnerEvent[];
  readonly state: PackedOwner;
};

/** What the owner wants to be kept; its place in the ledger is found when it is written. */
export type LedgerNote = Omit<LedgerEntry, 'number' | 'previousHash'> & {
  /** Where the owner believes the ledger to go on. */
  readonly head: LedgerHead;
};

/** Of a state from which nothing was taken off yet. */
export function noteOf(state: OwnerState, nowMs: number): LedgerNote {
  const { advance } = state;
  const before = Object.entries(advance?.from ?? {});
  return {
    schema: 1,
    dataset: state.dataset,
    at: formatInstant(nowMs),
    since: advance === null ? null : formatInstant(advance.sinceMs),
    moved: Object.fromEntries(
      before.map(([log, from]) => [log, { from, to: state.logs[log]?.routedTo ?? from }]),
    ),
    touched: advance?.touched ?? 0,
    rows: advance?.rows ?? 0,
    events: state.events,
    state: packOwner(withoutKept(state)),
    head: state.ledger,
  };
}

export function withoutKept(state: OwnerState): OwnerState {
  return { ...state, events: [], advance: null };
}

/** The entry of a note behind a head. */
export function entryAt({ head: _, ...note }: LedgerNote, head: LedgerHead): LedgerEntry {
  return { ...note, number: head.next, previousHash: head.hash };
}

/** What could not be kept goes before what has happened since. */
export function notKept(
  state: OwnerState,
  left: { readonly events: readonly OwnerEvent[]; readonly advance: Advance | null },
): OwnerState {
  const { events, advance } = left;
  return {
    ...state,
    events: [...events, ...state.events],
    advance: advance === null ? state.advance : merged(advance, state.advance),
  };
}

/** More was routed: `from` says where the bookmarks stood before. */
export function advanced(known: Advance | null, more: Advance): Advance {
  return known === null ? more : merged(known, more);
}

function merged(earlier: Advance, later: Advance | null): Advance {
  if (later === null) return earlier;
  return {
    sinceMs: earlier.sinceMs,
    from: { ...later.from, ...earlier.from },
    touched: earlier.touched + later.touched,
    rows: earlier.rows + later.rows,
  };
}
