import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { ObjectStore, UnloadedFile, UnloadOptions } from '../ports.ts';
import { createTableAs, runStatement } from './duckdb-statement.ts';
import { castColumn, metadataOption, quoteIdentifier, quoteText } from './duckdb-text.ts';

export type UnloadContext = {
  readonly connection: DuckDBConnection;
  readonly objects: ObjectStore;
  /** The only folder that the session may write to. */
  readonly folder: string;
  /** Tells the results of one session apart. */
  readonly number: number;
};

type Partition = Readonly<Record<string, string>>;

/** Parquet objects of the lake from a SELECT: `SqlSession.unload`. */
export async function unloadSelect(
  context: UnloadContext,
  options: UnloadOptions,
): Promise<readonly UnloadedFile[]> {
  const table = quoteIdentifier(`unload ${context.number}`);
  try {
    const rows = await createTableAs(context.connection, { table, ...options });
    const partitions = await partitionsOf(context.connection, { table, rows, ...options });
    const files: UnloadedFile[] = [];
    for (const partition of partitions) {
      files.push(await unloadPartition(context, { table, partition, options }));
    }
    return files;
  } finally {
    await runStatement(context.connection, `DROP TABLE IF EXISTS ${table}`);
  }
}

async function partitionsOf(
  connection: DuckDBConnection,
  { table, rows, partitionBy, evenIfEmpty }: UnloadOptions & { table: string; rows: number },
): Promise<readonly Partition[]> {
  if (partitionBy.length === 0) return rows > 0 || evenIfEmpty ? [{}] : [];
  const texts = partitionBy.map((name) => `CAST(${quoteIdentifier(name)} AS VARCHAR)`);
  const order = texts.map((_, index) => String(index + 1)).join(', ');
  const sql = `SELECT DISTINCT ${texts.join(', ')} FROM ${table} ORDER BY ${order}`;
  const reader = await runStatement(connection, sql);
  return reader.getRows().map((values) =>
    Object.fromEntries(
      partitionBy.map((name, index): [string, string] => {
        const value = values[index];
        if (typeof value === 'string') return [name, value];
        throw new IngotError('SQL_FAILED', 'a row has no value for a table partition column', {
          retryable: false,
          facts: { column: name },
        });
      }),
    ),
  );
}

async function unloadPartition(
  context: UnloadContext,
  request: { table: string; partition: Partition; options: UnloadOptions },
): Promise<UnloadedFile> {
  const { partition, options } = request;
  const key = options.keyOf(partition);
  const path = join(context.folder, `unload-${context.number}.parquet`);
  try {
    await copyPartition(context.connection, { ...request, path });
    let bytes: Uint8Array = await readFile(path);
    const { kind } = await context.objects.createObject(key, bytes);
    if (kind === 'alreadyExists') {
      // What lies in the lake counts, also when an earlier attempt of ours put it there.
      bytes = await readExisting(context.objects, key);
      await writeFile(path, bytes);
    }
    const rows = await rowsOf(context.connection, path);
    return { key, partition, rows, bytes: bytes.byteLength };
  } finally {
    await rm(path, { force: true });
  }
}

/** A scan of a table keeps the order in which its rows were inserted, and COPY keeps the scan's. */
async function copyPartition(
  connection: DuckDBConnection,
  {
    table,
    partition,
    options,
    path,
  }: { table: string; partition: Partition; options: UnloadOptions; path: string },
): Promise<void> {
  const columns = options.columns.map((column) => castColumn(quoteIdentifier(column.name), column));
  const names = Object.keys(partition);
  const conditions = names.map(
    (name, index) => `CAST(${quoteIdentifier(name)} AS VARCHAR) = $partition_${index}`,
  );
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const metadata = metadataOption(options.metadata);
  await runStatement(
    connection,
    `COPY (SELECT ${columns.join(', ')} FROM ${table}${where}) TO ${quoteText(path)} ` +
      `(FORMAT parquet, COMPRESSION zstd${metadata.sql})`,
    {
      ...metadata.parameters,
      ...Object.fromEntries(names.map((name, index) => [`partition_${index}`, partition[name]!])),
    },
  );
}

async function readExisting(objects: ObjectStore, key: string): Promise<Uint8Array> {
  const stored = await objects.readObject(key);
  if (stored !== null) return stored.bytes;
  throw new IngotError('OBJECT_MISSING', 'an object that was there is gone', {
    retryable: true,
    facts: { key },
  });
}

async function rowsOf(connection: DuckDBConnection, path: string): Promise<number> {
  const sql = 'SELECT num_rows FROM parquet_file_metadata($path)';
  const reader = await runStatement(connection, sql, { path });
  return Number(reader.getRows()[0]?.[0]);
}
