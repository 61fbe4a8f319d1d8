import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Column } from '../lake/table.ts';
import { duckdbType } from '../lake/table.ts';
import type { TableFile, TableInput } from '../ports.ts';
import { stageRows } from './duckdb-rows.ts';
import { runOwn, runStatement } from './duckdb-statement.ts';
import { castColumn, quoteIdentifier, quoteTableName, quoteText } from './duckdb-text.ts';
import { cacheName } from './object-cache.ts';
import type { ObjectCache } from './object-cache.ts';

export type TableContext = {
  readonly connection: DuckDBConnection;
  readonly cache: ObjectCache;
  /** The session's own folder; links to the files of the tables go below it. */
  readonly folder: string;
};

export type DeclaredTable = {
  readonly kind: 'view' | 'table';
  /** Where the links to its files are; null for one that has none. */
  readonly folder: string | null;
  /** How many objects had to be fetched for it. */
  readonly fetched: number;
};

/** Makes a table that statements may name. No other one of the session has its name or number. */
export async function declareTable(
  context: TableContext,
  table: TableInput,
  number: number,
): Promise<DeclaredTable> {
  await createSchemaOf(context.connection, table.name);
  if (table.kind === 'rows') {
    await declareRows(context.connection, table.name, table.columns, table.rows);
    return { kind: 'table', folder: null, fetched: 0 };
  }
  if (table.files.length === 0) {
    await declareNothing(context.connection, table);
    return { kind: 'view', folder: null, fetched: 0 };
  }
  const folder = join(context.folder, `table-${number}`);
  const fetched = await declareFiles(context, { ...table, folder });
  return { kind: 'view', folder, fetched };
}

async function createSchemaOf(connection: DuckDBConnection, name: string): Promise<void> {
  const parts = name.split('.');
  if (parts.length > 2) {
    throw new IngotError('INPUT_INVALID', 'a table name has at most one dot', {
      retryable: false,
      facts: { table: name },
    });
  }
  if (parts.length === 2) {
    await runOwn(connection, `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(parts[0]!)}`);
  }
}

async function declareRows(
  connection: DuckDBConnection,
  name: string,
  columns: readonly Column[],
  rows: (TableInput & { kind: 'rows' })['rows'],
): Promise<void> {
  if (rows.length === 0) {
    const definitions = columns.map(
      (column) => `${quoteIdentifier(column.name)} ${duckdbType(column.type)}`,
    );
    await runOwn(connection, `CREATE TABLE ${quoteTableName(name)} (${definitions.join(', ')})`);
    return;
  }
  const table = `rows of ${name}`;
  const source = await stageRows(connection, { table, columns, rows });
  const text = `CREATE TABLE ${quoteTableName(name)} AS ${source.sql}`;
  await runStatement(connection, text, source.parameters);
  await runOwn(connection, `DROP TABLE IF EXISTS ${quoteIdentifier(table)}`);
}

/** No rows that the planner knows of: it leaves out whatever would be joined with them. */
async function declareNothing(
  connection: DuckDBConnection,
  { name, columns }: TableInput,
): Promise<void> {
  const nulls = columns.map((column) => castColumn('NULL', column)).join(', ');
  await runOwn(connection, `CREATE VIEW ${quoteTableName(name)} AS SELECT ${nulls} WHERE false`);
}

type FilesTable = {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly files: readonly TableFile[];
  readonly folder: string;
};

/**
 * A view over the files, which appear in folders `column=value`: the engine then makes columns of
 * them and skips the files that a condition on them rules out. Columns are matched by name; one
 * that no file has is NULL, and what is not declared is not visible.
 */
async function declareFiles(context: TableContext, table: FilesTable): Promise<number> {
  const names = partitionNames(table);
  const links = table.files.map((file, index) => ({
    key: file.key,
    path: linkPath(table, names, { file, index }),
  }));
  for (const folder of new Set(links.map(({ path }) => dirname(path)))) {
    await mkdir(folder, { recursive: true });
  }
  const fetched = await context.cache.linkObjects(links);
  await createView(context.connection, table, filesSource(table, { names, links }));
  return fetched;
}

/** A file without one of the columns is rare, and asking every file for its columns takes as long. */
async function createView(
  connection: DuckDBConnection,
  { name, columns }: FilesTable,
  source: string,
): Promise<void> {
  const create = async (isPresent: (column: Column) => boolean): Promise<void> => {
    const expressions = columns.map((column) =>
      castColumn(isPresent(column) ? quoteIdentifier(column.name) : 'NULL', column),
    );
    const view = `CREATE VIEW ${quoteTableName(name)} AS SELECT ${expressions.join(', ')}`;
    await runOwn(connection, `${view} FROM ${source}`);
  };
  try {
    await create(() => true);
  } catch {
    const described = await runOwn(connection, `DESCRIBE SELECT * FROM ${source}`);
    const present = new Set(described.getRows().map((row) => String(row[0]).toLowerCase()));
    await create((column) => present.has(column.name.toLowerCase()));
  }
}

/** Columns that are folders: the same ones, in one order, for all files of a table. */
function partitionNames({ name, files }: FilesTable): readonly string[] {
  const names = Object.keys(files[0]?.partition ?? {}).sort();
  for (const { key, partition } of files) {
    if (Object.keys(partition).sort().join() !== names.join()) {
      throw new IngotError('INPUT_INVALID', 'files of one table have different folders', {
        retryable: false,
        facts: { table: name, key },
      });
    }
  }
  return names;
}

/** Within a folder by the place in the table: that is the order in which the engine reads files. */
function linkPath(
  { folder }: FilesTable,
  names: readonly string[],
  { file, index }: { readonly file: TableFile; readonly index: number },
): string {
  const folders = names.map(
    (name) => `${encodeName(name)}=${encodeName(file.partition[name] ?? '')}`,
  );
  const place = String(index).padStart(7, '0');
  return join(folder, ...folders, `${place}-${cacheName(file.key)}.parquet`);
}

/**
 * Every byte but the plainest as %XX: the engine decodes that, and nothing is left to glob. The
 * text NULL would be read as no value.
 */
function encodeName(text: string): string {
  const isNull = text.toUpperCase() === 'NULL';
  const characters = [...Buffer.from(text)].map((byte, index) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) && !(isNull && index === 0)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return characters.join('');
}

/** From so many files on the engine walks the folder: a statement would have to name every one. */
const namedFilesMax = 100;

function filesSource(
  { columns, folder }: FilesTable,
  {
    names,
    links,
  }: { readonly names: readonly string[]; readonly links: readonly { readonly path: string }[] },
): string {
  const options = ['union_by_name=true', 'hive_types_autocast=false'];
  if (names.length > 0) {
    const types = names.map((name) => {
      const type = columns.find((column) => column.name === name)?.type ?? 'string';
      return `${quoteIdentifier(name)}: ${duckdbType(type)}`;
    });
    options.push('hive_partitioning=true', `hive_types={${types.join(', ')}}`);
  } else {
    options.push('hive_partitioning=false');
  }
  const isNamed = links.length <= namedFilesMax;
  const paths = isNamed ? links.map(({ path }) => path).sort() : [join(folder, '**', '*.parquet')];
  return `read_parquet([${paths.map(quoteText).join(', ')}], ${options.join(', ')})`;
}
