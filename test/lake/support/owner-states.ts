import type { OwnerSettings } from '../../../src/lake/owner-decisions.ts';
import {
  type GoldState,
  type LogProgress,
  type OwnerState,
  type SilverState,
  newOwner,
} from '../../../src/lake/owner-state.ts';
import { hourMs, minuteMs } from '../../../src/lake/time.ts';

/* Owners in the middle of their life, at 2026-08-21T13:30, for tests that claim one thing. */

export const nowMs = Date.UTC(2026, 7, 21, 13, 30);
export const hour = '2026-08-21T13';
export const closedHour = '2026-08-21T12';
export const day = '2026-08-21';

export const settings: OwnerSettings = {
  allowedLatenessMs: 2 * minuteMs,
  foldMs: minuteMs,
  foldHorizonMs: 3 * hourMs,
  maxWaitMs: 30 * minuteMs,
  goldRefresh: 'follow',
  buildsMax: 4,
  backfillBuildsMax: 2,
  gold: [
    { name: 'hourly_revenue', grain: 'hour' },
    { name: 'top_products', grain: 'day' },
  ],
};

/** A log that is routed to its end and complete up to now. */
export const log: LogProgress = {
  sealedTo: 9,
  routedTo: 9,
  frontier: '2026-08-21T13:30:00.000Z',
  promised: [],
};

/** A window that was folded a minute and a half ago and has nothing to do. */
export const silver: SilverState = {
  pending: {},
  pendingRows: 0,
  pendingSinceMs: null,
  touchedMs: nowMs - 100_000,
  building: null,
  parked: null,
  heldBack: null,
  sealed: false,
  abandoned: false,
  asked: null,
  waiver: null,
  late: false,
  builtAtMs: nowMs - 90_000,
  buildMs: 1_000,
};

/** Ten rows that came five seconds ago. */
export const pending = {
  pending: { 'a-0': { first: 8, through: 9 } },
  pendingRows: 10,
  pendingSinceMs: nowMs - 5_000,
  touchedMs: nowMs - 5_000,
} as const;

export const gold: GoldState = {
  stale: false,
  staleSinceMs: nowMs,
  building: null,
  parked: null,
  builtAtMs: nowMs - 90_000,
  buildMs: 1_000,
  complete: true,
  due: false,
  asked: null,
  waiver: null,
};

export function owner(differences: Partial<OwnerState> = {}): OwnerState {
  return { ...newOwner('events'), logs: { 'a-0': log }, nextToClose: hour, ...differences };
}
