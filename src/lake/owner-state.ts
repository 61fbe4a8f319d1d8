import type { Backfill } from './backfill.ts';
import type { AskedCause, Cause, Waiver } from './cause.ts';
import type { OwnerEvent } from './owner-events.ts';
import {
  type Advance,
  type LedgerHead,
  type OwnerQueue,
  type Rewind,
  type WildFound,
  type WildTimes,
  emptyQueue,
  nothingWild,
} from './owner-parts.ts';
import type { LogName } from './paths.ts';
import type { BuildMode } from './pointer.ts';
import type { Grain } from './table.ts';
import { type WindowId, windowOf } from './window.ts';

/*
 * The owner of all windows of a dataset, as a value: its state, the messages it gets, and what can be
 * read off it. Messages become transitions in owner.ts; what to do next is decided in
 * owner-decisions.ts; the workflow `lakehouse` only carries out. Times are milliseconds that the
 * caller passes in.
 */

export type LogProgress = {
  /** Highest number of the log that is sealed or needs no seal; -1 before the first. */
  readonly sealedTo: number;
  /** Highest number that was routed to windows: the bookmark. */
  readonly routedTo: number;
  /** Everything before this has been read and routed, ISO-8601. */
  readonly frontier: string;
  /** Frontiers that count as soon as the batches before them are routed. */
  readonly promised: readonly FrontierPromise[];
  /** Nothing serves it any more, a person has said: no window waits for it. */
  readonly retired?: true;
};

/** Everything before the frontier is in the batches up to `sealedTo`. */
export type FrontierPromise = { readonly sealedTo: number; readonly frontier: string };

/** Batches `first` to `through` of a log hold rows of a window that no version has yet. */
export type PendingRange = { readonly first: number; readonly through: number };

export type Parked = {
  readonly reason: string;
  readonly sinceMs: number;
  /** Gate checks that had failed; none where the build met a fault. */
  readonly checks: readonly string[];
};

/** What a person may have decided about a window since its last build. */
type Decided = {
  /** Somebody has asked for a whole build; the next one is made for that. */
  readonly asked: AskedCause | null;
  /** The next build may publish in spite of these checks. */
  readonly waiver: Waiver | null;
};

export type SilverState = Decided & {
  readonly pending: Readonly<Record<LogName, PendingRange>>;
  readonly pendingRows: number;
  readonly pendingSinceMs: number | null;
  readonly touchedMs: number;
  readonly building: { readonly mode: BuildMode; readonly sinceMs: number } | null;
  readonly parked: Parked | null;
  /** Why a fold did not pass its gate: its rows wait for the seal build. Null: they may be folded. */
  readonly heldBack: string | null;
  /** A whole build was published after the window had closed. */
  readonly sealed: boolean;
  /** A person has given its pending rows up until more of them come. */
  readonly abandoned: boolean;
  /** The rows came after the window had been sealed. */
  readonly late: boolean;
  readonly builtAtMs: number | null;
  /** Of the last build. */
  readonly buildMs: number;
  /** What a fold of it usually takes; only known while it is folded. */
  readonly usualMs?: number;
};

export type GoldState = Decided & {
  readonly stale: boolean;
  readonly staleSinceMs: number;
  readonly building: { readonly sinceMs: number } | null;
  readonly parked: Parked | null;
  readonly builtAtMs: number | null;
  readonly buildMs: number;
  /** False when the hour was not waited for to the end. */
  readonly complete: boolean;
  /** The Schedule has called it due since it was built; without that only `follow` builds it. */
  readonly due: boolean;
};

export type GoldKey = `${string}/${WindowId}`;

export type OwnerState = {
  readonly schema: 1;
  readonly dataset: string;
  readonly logs: Readonly<Record<LogName, LogProgress>>;
  readonly silver: Readonly<Record<WindowId, SilverState>>;
  readonly gold: Readonly<Record<GoldKey, GoldState>>;
  /** Next hour to be closed; hours from the first one on are published even when empty. */
  readonly nextToClose: WindowId | null;
  /** Hours that the Schedule called due, not yet released. */
  readonly dues: readonly { readonly hour: WindowId; readonly sinceMs: number }[];
  /** Gold windows that end by this were due already: they are built as soon as they are stale. */
  readonly goldDueBefore: string | null;
  /** Windows that the state has no room for. */
  readonly queue: OwnerQueue;
  readonly wild: WildTimes;
  /** Logs that were rewound and are not where they were again. */
  readonly rewinds: Readonly<Record<LogName, Rewind>>;
  readonly ledger: LedgerHead;
  /** What was routed and is not in the ledger yet. */
  readonly advance: Advance | null;
  readonly paused: boolean;
  /** Who has paused or resumed last, and why; null when nobody ever has. */
  readonly pauseSaid: {
    readonly author: string;
    readonly reason: string;
    readonly at: string;
  } | null;
  /** Those that are open in the order in which they were asked for, and the newest ended ones. */
  readonly backfills: readonly Backfill[];
  /** What has happened and is not kept in the lake yet. */
  readonly events: readonly OwnerEvent[];
  /** The newest messages that made no sense. */
  readonly ignored: readonly {
    readonly at: string;
    readonly message: string;
    readonly reason: string;
  }[];
  readonly counters: {
    readonly batchesRouted: number;
    readonly silverBuilt: number;
    readonly goldBuilt: number;
    readonly gatesBlocked: number;
  };
};

export function newOwner(dataset: string): OwnerState {
  return {
    schema: 1,
    dataset,
    logs: {},
    silver: {},
    gold: {},
    nextToClose: null,
    dues: [],
    goldDueBefore: null,
    queue: emptyQueue,
    wild: nothingWild,
    rewinds: {},
    ledger: { next: 0, hash: null },
    advance: null,
    paused: false,
    pauseSaid: null,
    backfills: [],
    events: [],
    ignored: [],
    counters: { batchesRouted: 0, silverBuilt: 0, goldBuilt: 0, gatesBlocked: 0 },
  };
}

export type LogAdvanced = {
  readonly logs: readonly (FrontierPromise & { readonly log: LogName })[];
};

/** What one route found: batches up to `through` of each log, and the rows they hold per hour. */
export type Routed = {
  readonly through: Readonly<Record<LogName, number>>;
  readonly windows: readonly {
    readonly window: WindowId;
    readonly log: LogName;
    readonly first: number;
    readonly last: number;
    readonly rows: number;
  }[];
  readonly batches: number;
  /** Rows that are not among them, since their batches touch too many windows. */
  readonly wild?: readonly WildFound[];
};

export type SilverBuilt = {
  readonly layer: 'silver';
  readonly window: WindowId;
  readonly mode: BuildMode;
  readonly outcome: 'published' | 'unchanged' | 'superseded' | 'blocked' | 'failed';
  /** Batches that the current version has looked at, per log. */
  readonly through: Readonly<Record<LogName, number>>;
  readonly rows: number;
  readonly version: string | null;
  readonly durationMs: number;
  readonly reason: string | null;
  /** Gate checks that have failed, waived ones too. */
  readonly checks: readonly string[];
  /** As the build was given it. */
  readonly cause: Cause | null;
};

export type GoldBuilt = {
  readonly layer: 'gold';
  readonly table: string;
  readonly window: WindowId;
  readonly outcome: SilverBuilt['outcome'];
  readonly rows: number;
  readonly version: string | null;
  readonly durationMs: number;
  readonly reason: string | null;
  readonly checks: readonly string[];
  readonly cause: Cause | null;
};

export type WindowBuilt = SilverBuilt | GoldBuilt;

export type GoldGrain = { readonly name: string; readonly grain: Grain };

/** Per log, the batch up to which every window has been built: where a reader's live tail begins. */
export function settledTo(state: OwnerState): Record<LogName, number> {
  const settled = Object.fromEntries(
    Object.entries(state.logs).map(([log, { routedTo }]) => [log, routedTo]),
  );
  for (const { pending, parked, abandoned } of Object.values(state.silver)) {
    // Rows that wait for a person are no part of the tail, however long they wait.
    if (parked !== null || abandoned) continue;
    for (const [log, { first }] of Object.entries(pending)) {
      settled[log] = Math.min(settled[log] ?? first - 1, first - 1);
    }
  }
  for (const [log, first] of Object.entries(state.queue.batches)) {
    settled[log] = Math.min(settled[log] ?? first - 1, first - 1);
  }
  return settled;
}

/** Windows whose pending rows a reader must not see: nothing bad becomes visible. */
export function withheldWindows(state: OwnerState): readonly WindowId[] {
  return Object.entries(state.silver)
    .filter(([, { parked, abandoned }]) => parked !== null || abandoned)
    .map(([window]) => window)
    .sort();
}

/** The instant up to which every source log that is served is complete; null without any. */
export function frontierOf(state: OwnerState): string | null {
  const frontiers = Object.values(state.logs)
    .filter(({ retired }) => retired !== true)
    .map(({ frontier }) => frontier);
  return frontiers.length === 0 ? null : frontiers.reduce((a, b) => (a < b ? a : b));
}

/** Whether every frontier has passed the end of an hour by the allowed lateness. */
export function isClosed(state: OwnerState, window: WindowId, allowedLatenessMs: number): boolean {
  const frontier = frontierOf(state);
  return frontier !== null && Date.parse(frontier) >= windowOf(window).endMs + allowedLatenessMs;
}

/** One plain sentence about the owner, for the Web UI and `ingot status`. */
export function describeOwner(state: OwnerState): string {
  const windows = Object.values(state.silver);
  const pendingRows = windows.reduce((sum, window) => sum + window.pendingRows, 0);
  const building = [...windows, ...Object.values(state.gold)].filter((w) => w.building !== null);
  const parked = [...windows, ...Object.values(state.gold)].filter((w) => w.parked !== null);
  const heldBack = windows.filter((window) => window.heldBack !== null);
  const stale = Object.values(state.gold).filter((window) => window.stale).length;
  const frontier = frontierOf(state);
  return [
    state.paused ? 'Paused.' : null,
    frontier === null ? 'No source log has reported yet.' : `Complete up to ${frontier}.`,
    `${building.length} builds running, ${pendingRows} rows wait for silver, ${stale} gold windows are stale,`,
    `${parked.length} parked, ${heldBack.length} held back until their hour is over.`,
    state.queue.windows === 0
      ? null
      : `${state.queue.windows} more windows are queued in the lake.`,
    state.wild.parked === null
      ? null
      : `${state.wild.parked.rows} rows of wild event times are held until a person decides.`,
    state.wild.going === null
      ? null
      : `Rows of wild event times are worked off, about ${state.wild.going.windows} windows are left.`,
    `${state.counters.silverBuilt} silver and ${state.counters.goldBuilt} gold versions published since the start.`,
  ]
    .filter((part) => part !== null)
    .join(' ');
}
