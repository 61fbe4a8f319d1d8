import type { OwnerSettings } from './owner-decisions.ts';
import type { OwnerState } from './owner-state.ts';
import type { Pointer } from './pointer.ts';
import type { WindowId } from './window.ts';

/* What the explanation of a window is made from, and what it comes to. */

/** What the owner has answered; `silent` when it does not run or cannot be reached. */
export type OwnerAnswer =
  | { readonly kind: 'answered'; readonly state: OwnerState }
  | { readonly kind: 'silent'; readonly reason: string };

export type WindowFacts = {
  readonly layer: 'silver' | 'gold';
  readonly table: string;
  readonly window: WindowId;
  readonly nowMs: number;
  /** As the asker has them; the owner's own are those of the workers. */
  readonly settings: OwnerSettings;
  readonly owner: OwnerAnswer;
  /** Null: never published. */
  readonly pointer: Pointer | null;
  /** Gold: the versions that silver has now, of the hours of the window; empty for silver. */
  readonly silverNow: Readonly<Record<WindowId, string>>;
};

export type Condition =
  | 'building'
  | 'parked'
  | 'abandoned'
  /** A person has asked for a rebuild that has not begun. */
  | 'asked'
  | 'late'
  | 'heldBack'
  | 'waiting'
  | 'stale'
  | 'open'
  | 'queued'
  | 'current'
  /** There is a version, and nobody to say what is to become of it. */
  | 'published'
  | 'neverBuilt';

/** A condition and the sentences that give its reasons. */
export type Reasoned = { readonly condition: Condition; readonly now: readonly string[] };
