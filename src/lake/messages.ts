import type { ControlChange } from './control.ts';
import type { Tally } from './janitor-tally.ts';
import type { Cause, Waiver } from './cause.ts';
import type { LedgerNote } from './ledger.ts';
import type { LedgerHead } from './owner-parts.ts';
import type { PackedOwner } from './owner-packed.ts';
import type { WildLook } from './owner-wild-builds.ts';
import type { OwnerSettings } from './owner-decisions.ts';
import type { LogAdvanced, PendingRange, Routed, WindowBuilt } from './owner-state.ts';
import type { Verdict } from './gate.ts';
import type { LogName } from './paths.ts';
import type { BuildMode } from './pointer.ts';
import type { WindowId } from './window.ts';

/*
 * What workflows and activities say to each other. Payloads are JSON and small: keys and counts
 * travel, rows do not.
 */

export type IngestInput = {
  readonly dataset: string;
  readonly lane: string;
  /** Where its records come from: the drop folder, or by default Kafka. */
  readonly source?: 'drop';
  /** Logs that another writer had taken over, at a revision of the control. */
  readonly without?: { readonly logs: readonly LogName[]; readonly revision: number } | null;
};

/** All logs of a lane that do not go on; a level, told when it changes. */
export type LogsStopped = { readonly stopped: readonly LogPosition[] };

export type ChangeControlInput = { readonly dataset: string; readonly change: ControlChange };

/** A person's decision about one source log of a lane. */
export type LogRequest = {
  readonly log: LogName;
  readonly author: string;
  readonly reason: string;
};

export type AcceptGapInput = LogRequest & {
  readonly dataset: string;
  /** Of the request: asking again with it changes nothing. */
  readonly id: string;
  /** What the log has stopped with. */
  readonly code: string;
};

export type AcceptedGap = {
  readonly log: LogName;
  /** Of the entry in the log. */
  readonly number: number;
  readonly offsetFirst: string;
  /** Where the log goes on. */
  readonly offsetNext: string;
};

/** Why one topic partition does not go on. */
export type LogStop = { readonly code: string; readonly message: string };

export type LogPosition = {
  readonly log: LogName;
  /** Last number of the log. */
  readonly number: number;
  readonly offsetNext: string;
  readonly frontier: string;
  /** Of this slice. */
  readonly batches: number;
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly stopped: LogStop | null;
  /** Of a drop folder. */
  readonly drop?: DropFigures;
};

/** What lies in a drop folder, as far as it was looked at. */
export type DropFigures = {
  /** Found and not yet taken whole. */
  readonly waiting: number;
  /** What is being taken just now. */
  readonly object: string | null;
  /** Other versions of objects that were taken: a person has to decide. The first few. */
  readonly undecided: readonly { readonly key: string; readonly etag: string }[];
  readonly undecidedCount: number;
  /** Objects whose names do not say how to read them: they are left alone. */
  readonly unknownKinds: number;
  readonly unknownExample: string | null;
};

/** The bookmark of one slice of ingest; it enters workflow history as the activity's result. */
export type IngestResult = {
  /** `retired`: the lane is one too many and has let go of everything. */
  readonly ended: 'slice' | 'draining' | 'retired';
  /** Of the control, as the slice has last read it. */
  readonly revision: number;
  readonly logs: readonly LogPosition[];
};

export type LakehouseDescription = {
  readonly settings: OwnerSettings;
  readonly silverTable: string;
  /** What a new owner begins with; absent or null where there is no ledger. */
  readonly restored?: LedgerState | null;
};

export type RouteInput = {
  readonly dataset: string;
  readonly ranges: readonly {
    readonly log: LogName;
    readonly first: number;
    readonly through: number;
  }[];
  /** Per log, the batch up to which every window has been built; kept as a hint for readers. */
  readonly settledTo: Readonly<Record<LogName, number>>;
  /** Windows whose pending rows no reader may see. */
  readonly withheld: readonly WindowId[];
};

export type RouteResult = Routed & {
  /** Ingest hours that hold one of the batches, as `2026-08-21T13`. */
  readonly ingestHours: readonly WindowId[];
};

/** Batches some of whose windows were held, and who has let them go. */
export type RouteWildInput = WildLook & { readonly dataset: string };

/** What is kept of the owner's life outside of it. */
export type KeepEventsInput = {
  readonly dataset: string;
  readonly note: LedgerNote;
};

export type DescribeInput = {
  readonly dataset: string;
  /** Whether the asker knows nothing yet, and wants what the ledger says. */
  readonly isNew: boolean;
};

/** The newest entry of the ledger. */
export type LedgerState = {
  readonly state: PackedOwner;
  readonly head: LedgerHead;
  readonly at: string;
};

export type QueueWindowsInput = {
  readonly dataset: string;
  readonly number: number;
  readonly windows: PackedOwner;
};

export type TakeQueuedInput = { readonly dataset: string; readonly number: number };

export type RegisterBronzeInput = { readonly dataset: string; readonly hours: readonly WindowId[] };

export type BuildSilverInput = {
  readonly dataset: string;
  readonly window: WindowId;
  readonly mode: BuildMode;
  readonly pending: Readonly<Record<LogName, PendingRange>>;
  /** Workflow that is told the outcome. */
  readonly owner: string;
} & BuildReasons;

/** Absent in builds that were started by hand. */
export type BuildReasons = {
  readonly cause?: Cause;
  readonly waiver?: Waiver | null;
};

export type BuildGoldInput = {
  readonly dataset: string;
  readonly table: string;
  readonly window: WindowId;
  readonly complete: boolean;
  readonly owner: string;
} & BuildReasons;

/** A window of a table. */
export type WindowRef = {
  readonly dataset: string;
  readonly layer: 'silver' | 'gold';
  readonly table: string;
  readonly window: WindowId;
};

export type StageResult =
  | {
      readonly kind: 'staged';
      readonly ref: WindowRef;
      readonly version: string;
      readonly rows: number;
      readonly through: Readonly<Record<LogName, number>>;
    }
  | {
      /** The current version was made from the same inputs by the same means. */
      readonly kind: 'unchanged';
      readonly ref: WindowRef;
      readonly version: string;
      readonly rows: number;
      readonly through: Readonly<Record<LogName, number>>;
    };

export type StagedInput = { readonly ref: WindowRef; readonly version: string };

export type CheckInput = StagedInput & { readonly waiver?: Waiver | null };

export type GateResult = Verdict;

export type PublishInput = StagedInput & {
  readonly gate: GateResult;
  readonly cause: Cause | null;
};

export type PublishResult =
  | { readonly kind: 'published' | 'alreadyPublished' }
  | { readonly kind: 'superseded'; readonly by: string };

/** Where a run of the janitor is: a step of its list, and the last date or ingest hour of it. */
export type JanitorCursor = { readonly step: number; readonly after: string };

export type SweepInput = {
  readonly dataset: string;
  /** Look and count, and change nothing. */
  readonly dryRun: boolean;
  readonly cursor: JanitorCursor;
};

export type SweepResult = {
  /** `null` after the last step. */
  readonly next: JanitorCursor | null;
  /** What the next page looks at, in words. */
  readonly at: string;
  readonly tally: Tally;
};

export type JanitorReport = {
  readonly dataset: string;
  readonly dryRun: boolean;
  readonly startedAt: string;
  readonly pages: number;
  readonly tally: Tally;
};

/** The owner's start; `state` comes with continue-as-new only, packed. */
export type LakehouseInput<State> = {
  readonly dataset: string;
  readonly state?: State | PackedOwner;
};

export type HourDue = { readonly hour: WindowId };

export type { LogAdvanced, WindowBuilt };

export const ownerId = (dataset: string): string => `lakehouse/${dataset}`;
export const laneId = (dataset: string, lane: string): string => `ingest/${dataset}/${lane}`;
export const silverBuildId = (dataset: string, window: WindowId): string =>
  `silver/${dataset}/${window}`;
export const goldBuildId = (table: string, window: WindowId): string => `gold/${table}/${window}`;
export const scheduleId = (dataset: string): string => `gold-hourly/${dataset}`;
export const janitorId = (dataset: string): string => `janitor/${dataset}`;
export const janitorDryRunId = (dataset: string): string => `janitor-dry-run/${dataset}`;

/** What an operator filters workflows by in the Web UI. All are keywords. */
export const searchAttributeNames = [
  'IngotDataset',
  'IngotLayer',
  'IngotWindow',
  'IngotGate',
] as const;

export const taskQueues = {
  workflows: 'ingot-workflows',
  ingest: 'ingot-ingest',
  transform: 'ingot-transform',
  backfill: 'ingot-backfill',
  catalog: 'ingot-catalog',
} as const;
