/** The logical types of all tables. Each engine, catalog and encoder maps them in one place. */
export type ColumnType =
  | 'string'
  | 'int'
  | 'bigint'
  | 'double'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'decimal(12,2)'
  | 'decimal(18,2)';

export type Column = {
  readonly name: string;
  readonly type: ColumnType;
  readonly comment: string;
};

export type Layer = 'bronze' | 'silver' | 'gold';

/** How much event time one window of a table covers. Windows are UTC and never overlap. */
export type Grain = 'hour' | 'day';

export type Table = {
  readonly layer: Layer;
  readonly name: string;
  readonly comment: string;
  /** Columns inside the files, in order. Table partition columns are not among them. */
  readonly columns: readonly Column[];
  /** Columns that are folders, outermost first. */
  readonly partitionColumns: readonly Column[];
};

/** A table that is built window by window and published by pointer. */
export type WindowedTable = Table & {
  readonly layer: 'silver' | 'gold';
  readonly grain: Grain;
};

/** File columns and table partition columns together, as a reader sees the table. */
export function visibleColumns(table: Table): readonly Column[] {
  return [...table.columns, ...table.partitionColumns];
}

const duckdbTypes: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  'decimal(12,2)': 'DECIMAL(12,2)',
  'decimal(18,2)': 'DECIMAL(18,2)',
};

/** The DuckDB type of a logical type. */
export function duckdbType(type: ColumnType): string {
  return duckdbTypes[type];
}

/** The Glue (Hive) type of a logical type. Hive and Ingot spell all of them alike. */
export function glueType(type: ColumnType): string {
  return type;
}

/** `events_bronze` style names are the caller's; a database is `<layer>_<id>` (S004-03). */
export function databaseName(layer: Layer, id: string): string {
  return `${layer}_${id}`;
}
