import type { Column, ColumnType, Grain, Table, WindowedTable } from './table.ts';

/** One field of a contract, as ingest needs it: where it is in the record and what it becomes. */
export type FieldRule = {
  /** Name in the JSON record. */
  readonly wireName: string;
  /** Name of the bronze column. */
  readonly column: string;
  readonly type: ColumnType;
  /** Accepted spellings of a value and what they mean, such as `view` for `page_view`. */
  readonly valueAliases: Readonly<Record<string, string>>;
};

/** Which record can be placed: it needs an identity and an event time. */
export type PlacementRule = {
  readonly idField: string;
  readonly timeField: string;
  /** Earliest event time accepted, ISO-8601. */
  readonly eventTimeMin: string;
  /** How far an event time may lie after the ingest time, in milliseconds. */
  readonly eventTimeAheadMsMax: number;
};

/** A gold table and its grain; the SQL file has the name of the table. */
export type GoldTable = WindowedTable & { readonly layer: 'gold' };

/** A value that SQL checks take as a named parameter. */
export type Threshold = number | string;

/**
 * A dataset as the pipeline sees it: no code of its own but what its contract says. `datasets/` has
 * one file for each, and `sql/<name>/` its models, checks and queries.
 */
export type Dataset = {
  readonly name: string;
  readonly fields: readonly FieldRule[];
  readonly placement: PlacementRule;
  readonly bronze: Table;
  readonly silver: WindowedTable;
  readonly gold: readonly GoldTable[];
  /** Columns of rows that silver rejected. */
  readonly quarantine: Table;
  /** Allowed values per column, for checks that read the table `contract_values`. */
  readonly allowedValues: Readonly<Record<string, readonly string[]>>;
  readonly thresholds: Readonly<Record<string, Threshold>>;
  /** Changes whenever the contract does; part of every plan and fingerprint. */
  readonly contractHash: string;
  /** `A` or `B` for a Kafka topic of this dataset. */
  readonly familyOf: (topic: string) => string;
};

export type { Column, ColumnType, Grain, Table };
