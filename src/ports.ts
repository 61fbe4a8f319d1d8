// Longer than 300 lines because everything that the pipeline needs from the world is on one page.
import type { ColumnVector } from './lake/column-vectors.ts';
import type { Alert } from './lake/owner-events.ts';
import type { Column, Table } from './lake/table.ts';

/*
 * Everything the pipeline needs from the world, on one page. Adapters implement these; activities
 * receive them; only workers/ (and tests) construct them. Each port has one contract suite under
 * test/support/contracts/ that every implementation passes.
 */

// ── Objects ─────────────────────────────────────────────────────────────────────────────────────

/** Equal bytes may have equal etags, as they have on S3. */
export type StoredObject = { readonly bytes: Uint8Array; readonly etag: string };
export type ObjectPart = { readonly first: number; readonly length: number };

export type ObjectSummary = {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
};

/** The difference between create, swap and replace is the commit protocol. */
export interface ObjectStore {
  /**
   * Writes only if the key is absent. A second call answers `alreadyExists`, also when the first
   * call was one's own and only its answer was lost: recognise one's own content.
   */
  createObject(key: string, bytes: Uint8Array): Promise<CreateResult>;
  /**
   * Writes only if the object still has this etag (`null`: only if absent). `conflict` when it has
   * not, which may also be one's own write whose answer was lost. Whoever must notice
   * that others wrote the same bytes again puts something new into each version.
   */
  swapObject(key: string, bytes: Uint8Array, etag: string | null): Promise<SwapResult>;
  /** Overwrites. Only for objects that are hints or caches, never for a commit. */
  replaceObject(key: string, bytes: Uint8Array): Promise<void>;
  /** `null` when there is none; of a part, the bytes that the object has there, perhaps none. */
  readObject(key: string, part?: ObjectPart): Promise<StoredObject | null>;
  /** `null` when there is none. */
  headObject(key: string): Promise<ObjectSummary | null>;
  /** Keys in byte order, at most `limit`, after `startAfter` (exclusive). */
  listObjects(prefix: string, options?: ListOptions): Promise<readonly ObjectSummary[]>;
  /** Server-side; overwrites the target. `OBJECT_MISSING` when the source is gone. */
  copyObject(from: string, to: string): Promise<void>;
  /** A key that is already gone is no error. */
  deleteObjects(keys: readonly string[]): Promise<void>;
}

export type CreateResult = { readonly kind: 'created' | 'alreadyExists' };
export type SwapResult =
  { readonly kind: 'swapped'; readonly etag: string } | { readonly kind: 'conflict' };
/** `limit` undefined: all of them. */
export type ListOptions = { readonly startAfter?: string; readonly limit?: number };

// ── Kafka ───────────────────────────────────────────────────────────────────────────────────────

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** Offsets are decimal strings: they pass 2^53. */
export type SourceRecord = {
  readonly offset: string;
  /** The broker's time of the record, ms since the epoch. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** `null` for a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, readonly Uint8Array[]>> | null;
  /** Where key and value lie, for whom views of them are too much work; absent where they lie apart. */
  readonly place?: RecordPlace;
};

export type RecordPlace = {
  readonly bytes: Uint8Array;
  /** `null` where the offset passes 2^53. */
  readonly offsetNumber: number | null;
  readonly keyAt: number;
  /** Below 0 for none. */
  readonly keyBytes: number;
  readonly valueAt: number;
  readonly valueBytes: number;
};

export type TopicPartitionOffsets = TopicPartition & {
  /** Offset of the oldest record that is still there. */
  readonly offsetStart: string;
  /** Offset after the last record. */
  readonly offsetEnd: string;
  /** A topic that is deleted and made again has another one. Absent where the broker tells none. */
  readonly topicId?: string;
};

export type Fetched = TopicPartition & {
  readonly records: readonly SourceRecord[];
  /** Where the next fetch goes on; past the last record where the end of a range is not visible. */
  readonly offsetNext: string;
  readonly highWatermark: string;
  /**
   * The id that the topic has when this is called, asked over the connection that the records came by;
   * `null` where it cannot be told. Quick, while `describeTopic` connects anew.
   */
  readonly topicIdNow?: () => Promise<string | null>;
};

export type ReadOptions = {
  /** Exactly where each topic partition begins. */
  readonly positions: readonly (TopicPartition & { readonly offset: string })[];
  /**
   * Called for one topic partition at a time, in offset order; the next fetch of it waits for this.
   * `records` may be empty (a range without visible records). A throw ends the read with it.
   */
  readonly onFetched: (fetched: Fetched) => Promise<void>;
  /** Asked now and then; once it says no, the topic partition is read no more. */
  readonly isWanted?: (where: TopicPartition) => boolean;
  /** Told once of each that cannot be read on; the others go on. Without it the read ends with that. */
  readonly onLost?: (where: TopicPartition, fault: SourceFault) => void;
  /** Ends the read; `read` then resolves after the running `onFetched` calls have. */
  readonly signal: AbortSignal;
};

/** `OFFSETS_LOST`, `TOPIC_CHANGED` or `RECORDS_UNREADABLE`, with the place among its facts. */
export type SourceFault = Error & {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
};

export interface EventSource {
  /** All topic partitions of the topic and their offsets. `TOPIC_MISSING` when there is none. */
  describeTopic(topic: string): Promise<readonly TopicPartitionOffsets[]>;
  /** Reads until the signal. Never commits, never resets silently. */
  read(options: ReadOptions): Promise<void>;
  /** Publishes positions as committed offsets of a group, for ordinary lag tools only. */
  publishPositions(
    group: string,
    positions: readonly (TopicPartition & { readonly offset: string })[],
  ): Promise<void>;
}

// ── Parquet ─────────────────────────────────────────────────────────────────────────────────────

/** A value of a row: timestamps as ISO-8601 UTC strings, decimals and bigints as strings or numbers. */
export type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;

/** What a bronze file says of itself: the seal is made from it, also for an adopted file. */
export type FileFacts = {
  readonly rows: number;
  /** Kafka offsets of the rows, ascending. */
  readonly offsets: BigInt64Array;
  /** Rows per UTC event hour, key `2026-08-21T13`. */
  readonly rowsPerEventHour: Readonly<Record<string, number>>;
  /** ISO-8601; `null` without rows. */
  readonly eventTimeMin: string | null;
  readonly eventTimeMax: string | null;
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>;
};

/** A bronze file, and what was read back from its bytes. */
export type EncodedFile = { readonly bytes: Uint8Array; readonly facts: FileFacts };

/** Encodes the rows of one batch. `name` and version are part of the plan. */
export interface BronzeEncoder {
  readonly name: string;
  encode(input: ParquetInput): Promise<EncodedFile>;
  /** The same from columns of bytes (lake/column-vectors.ts), without a value for each. */
  encodeColumns?(input: ColumnsInput): Promise<EncodedFile>;
  /** Reads a bronze file that this or another encoder wrote. */
  inspect(bytes: Uint8Array): Promise<FileFacts>;
}

export type ColumnsInput = {
  /** Of the file, in order. */
  readonly columns: readonly Column[];
  /** Those of them that have a vector in each group, in the order of the vectors. */
  readonly varying: readonly Column[];
  /** The values of the others, the same throughout. */
  readonly constants: Row;
  /** The rows in their order; called again, once more from the beginning. */
  readonly groups: () => Iterable<ColumnGroup>;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Some rows. What it holds is only valid until the next group is asked for. */
export type ColumnGroup = { readonly rows: number; readonly vectors: readonly ColumnVector[] };

/** Row-shaped records in small numbers: dead letters, check results. */
export interface RowFileCodec {
  encode(input: ParquetInput): Promise<Uint8Array>;
  decode(bytes: Uint8Array): Promise<readonly Row[]>;
}

export type ParquetInput = {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly metadata: Readonly<Record<string, string>>;
};

// ── SQL ─────────────────────────────────────────────────────────────────────────────────────────

/** A table that statements of a session may name: Parquet objects of the lake, or given rows. */
export type TableInput = {
  readonly name: string;
  readonly columns: readonly Column[];
} & (
  | {
      readonly kind: 'files';
      readonly files: readonly TableFile[];
      /** Sessions after this one are likely to want the same files under the same name. */
      readonly isShared?: boolean;
    }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
);

export type TableFile = {
  readonly key: string;
  /** Values of columns that are folders and so not in the file. */
  readonly partition: Readonly<Record<string, string>>;
};

export type Parameters = Readonly<Record<string, Value>>;

export type QueryResult = {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
};

export type UnloadOptions = {
  readonly sql: string;
  readonly parameters: Parameters;
  /** Columns of the files, in order. */
  readonly columns: readonly Column[];
  /** One file for each combination of these; they are not in the files. Empty: one file. */
  readonly partitionBy: readonly string[];
  /**
   * Told once which combinations there are, before any of their files is written. Only with
   * `partitionBy`, not with `expected`.
   */
  readonly onPartitions?: (partitions: readonly TableFile['partition'][]) => void;
  /** Key of the file of a combination. Written create-only: an existing one is kept. */
  readonly keyOf: (partition: Readonly<Record<string, string>>) => string;
  /**
   * Run the statement again for the rows of each file, instead of once and holding all of its rows: for
   * one that filters and computes little. Only with `partitionBy`.
   */
  readonly perFile?: boolean;
  /**
   * The combination that all rows should have, of all names of `partitionBy`: they are then written as they
   * are made. Where rows have another one, the files are the same, and take longer.
   */
  readonly expected?: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
};

export type UnloadedFile = TableFile & {
  /** From the footer of the file that lies in the lake. */
  readonly rows: number;
  readonly bytes: number;
};

/** Statements over the same inputs. Always closed by who opened it. */
export interface SqlSession {
  /** `SQL_FAILED` with the engine's message; `$name` parameters. */
  query(sql: string, parameters?: Parameters): Promise<QueryResult>;
  /** Names the result of a SELECT for later statements of this session; answers its row count. */
  materialize(name: string, sql: string, parameters?: Parameters): Promise<number>;
  /** Writes the result of a SELECT as Parquet objects of the lake. */
  unload(options: UnloadOptions): Promise<readonly UnloadedFile[]>;
  /** More tables, as those that the session was opened with. A name that is taken gets the new one. */
  declare(tables: readonly TableInput[]): Promise<void>;
  /** Names a SELECT without parameters, which runs wherever a later statement reads the name. */
  define(name: string, sql: string): Promise<void>;
  /** Lets go of tables and what they hold. A name that nothing has is no error. */
  forget(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface SqlEngine {
  /** Name and version, part of every fingerprint. */
  readonly identity: string;
  open(tables: readonly TableInput[]): Promise<SqlSession>;
  /** Names of the tables that a statement reads. `SQL_FAILED` when it does not parse. */
  tablesOf(sql: string): Promise<readonly string[]>;
}

// ── Catalog ─────────────────────────────────────────────────────────────────────────────────────

/** A table partition of the catalog. Values are in the order of the table's partition columns. */
export type CatalogPartition = {
  readonly values: readonly string[];
  /** `s3://bucket/folder/`. */
  readonly location: string;
  readonly rows: number;
};

export type CatalogTable = {
  readonly database: string;
  readonly table: Table;
  /** `s3://bucket/folder/` of the table. */
  readonly location: string;
};

/** What is believed of table partitions that are put: that they are new, or there already. */
export type ExpectedPartitions = 'new' | 'there';

/** Calls on table partitions fail with `CATALOG_UNSETTLED` while the table is gone. */
export interface Catalog {
  /** Creates the database and table where missing and makes their columns equal to these. */
  ensureTable(table: CatalogTable): Promise<void>;
  /** Table partitions whose leading values are these, in no order. */
  listPartitions(
    table: CatalogTable,
    leadingValues: readonly string[],
  ): Promise<readonly CatalogPartition[]>;
  /**
   * Those of these table partitions that are there, in no order. Costs the same however many others the
   * table has.
   */
  findPartitions(
    table: CatalogTable,
    partitionValues: readonly (readonly string[])[],
  ): Promise<readonly CatalogPartition[]>;
  /**
   * Creates or updates, whichever is needed. Any number; at most 100 a request are sent. An expectation
   * that is wrong costs requests, and nothing else.
   */
  putPartitions(
    table: CatalogTable,
    partitions: readonly CatalogPartition[],
    expected: ExpectedPartitions,
  ): Promise<void>;
  /** One that is already gone is no error. */
  deletePartitions(
    table: CatalogTable,
    partitionValues: readonly (readonly string[])[],
  ): Promise<void>;
}

// ── Everything else ─────────────────────────────────────────────────────────────────────────────

export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Somebody has to know. Never throws: who cannot be told holds nothing up. */
export interface Alerts {
  send(alert: Alert): Promise<void>;
}

/** A SQL file of the repository: its SELECT and the facts of its header comment. */
export type SqlFile = {
  readonly name: string;
  readonly sql: string;
  readonly header: Readonly<Record<string, string>>;
};

/** The SQL of a dataset, read once at start. */
export type SqlLibrary = {
  readonly silver: Readonly<Record<string, SqlFile>>;
  readonly gold: Readonly<Record<string, SqlFile>>;
  readonly checks: Readonly<Record<string, SqlFile>>;
  readonly queries: Readonly<Record<string, SqlFile>>;
};

export type Ports = {
  readonly objects: ObjectStore;
  readonly source: EventSource;
  readonly bronze: BronzeEncoder;
  readonly rowFiles: RowFileCodec;
  readonly engine: SqlEngine;
  readonly catalog: Catalog;
  readonly sql: SqlLibrary;
  readonly logger: Logger;
  readonly alerts: Alerts;
  /** ms since the epoch. */
  readonly now: () => number;
};
