import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError, messageOf } from '../errors.ts';
import type { ObjectStore, Parameters, UnloadedFile, UnloadOptions } from '../ports.ts';
import { checkSelect, createTableAs, runOwn, runStatement } from './duckdb-statement.ts';
import { castColumn, metadataOption, quoteIdentifier, quoteText } from './duckdb-text.ts';
import type { ObjectCache } from './object-cache.ts';

export type UnloadContext = {
  readonly connection: DuckDBConnection;
  readonly objects: ObjectStore;
  /** Who writes a file most often reads it next. */
  readonly cache: ObjectCache;
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
  if (options.perFile === true) return unloadPerFile(context, options);
  const only = options.partitionBy.length === 0 ? {} : options.expected;
  return only === undefined ? unloadHeld(context, options) : unloadInOne(context, options, only);
}

/** Where the rows of the files come from. */
type Source = {
  /** As it stands in a FROM. */
  readonly from: string;
  /** Of the statement in it, if it is one. */
  readonly parameters: Parameters;
};

/** The text may end in a comment; its lines keep their numbers, which faults name. */
function sourceOf(sql: string, parameters: Parameters): Source {
  return { from: `(${sql}\n)`, parameters };
}

async function unloadHeld(
  context: UnloadContext,
  options: UnloadOptions,
): Promise<readonly UnloadedFile[]> {
  const { connection } = context;
  const table = quoteIdentifier(`unload ${context.number}`);
  try {
    await createTableAs(connection, { table, ...options });
    // A scan of a table keeps the order in which its rows were inserted.
    const source: Source = { from: table, parameters: {} };
    const partitions = await partitionsOf(connection, source, options);
    options.onPartitions?.(partitions);
    return await unloadPartitions(context, { source, partitions, options });
  } finally {
    await runOwn(connection, `DROP TABLE IF EXISTS ${table}`);
  }
}

/** One file, written as its rows are made. A row that is of another one undoes that. */
async function unloadInOne(
  context: UnloadContext,
  options: UnloadOptions,
  partition: Partition,
): Promise<readonly UnloadedFile[]> {
  assert(
    options.onPartitions === undefined,
    'whether there are rows is known after they are written',
  );
  const { sql, parameters } = options;
  const source = sourceOf(sql, parameters);
  try {
    const request = { source, partitions: [partition], options, isGuarded: true };
    return await unloadPartitions(context, request);
  } catch (error) {
    const isStray = options.partitionBy.length > 0 && messageOf(error).includes(strayRow);
    if (isStray) return unloadHeld(context, options);
    // The places in a message are those of the text that the caller knows.
    await checkSelect(context.connection, sql);
    throw error;
  }
}

async function unloadPerFile(
  context: UnloadContext,
  options: UnloadOptions,
): Promise<readonly UnloadedFile[]> {
  const { sql, parameters, partitionBy } = options;
  assert(partitionBy.length > 0, 'a statement runs again for the files of table partitions');
  const source = sourceOf(sql, parameters);
  try {
    const partitions = await partitionsOf(context.connection, source, options);
    options.onPartitions?.(partitions);
    return await unloadPartitions(context, { source, partitions, options });
  } catch (error) {
    // The places in a message are those of the text that the caller knows.
    await checkSelect(context.connection, sql);
    throw error;
  }
}

async function partitionsOf(
  connection: DuckDBConnection,
  { from, parameters }: Source,
  { partitionBy }: UnloadOptions,
): Promise<readonly Partition[]> {
  const texts = partitionBy.map((name) => `CAST(${quoteIdentifier(name)} AS VARCHAR)`);
  const order = texts.map((_, index) => String(index + 1)).join(', ');
  // Casts come after: they would be of every row.
  const names = partitionBy.map(quoteIdentifier).join(', ');
  const distinct = `SELECT DISTINCT ${names} FROM ${from} AS unloaded`;
  const sql = `SELECT ${texts.join(', ')} FROM (${distinct}) AS places ORDER BY ${order}`;
  const reader = await runStatement(connection, sql, parameters);
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

type Upload = {
  readonly partition: Partition;
  readonly key: string;
  readonly path: string;
  readonly rows: number;
};

/** While one file is on its way to the lake, the engine encodes the next. */
async function unloadPartitions(
  context: UnloadContext,
  request: {
    readonly source: Source;
    readonly partitions: readonly Partition[];
    readonly options: UnloadOptions;
    /** Whether a row that is of none of them fails it, rather than being left to another one. */
    readonly isGuarded?: boolean;
  },
): Promise<readonly UnloadedFile[]> {
  const { connection, folder } = context;
  const { source, partitions, options, isGuarded = false } = request;
  const paths: string[] = [];
  const files: Upload[] = [];
  const uploads: Promise<Uploaded>[] = [];
  try {
    for (const partition of partitions) {
      // The database outlives the session, and knows the footers of what it has read by their paths.
      const path = join(folder, `unload-${randomUUID()}.parquet`);
      paths.push(path);
      // What all rows have alike rules none of them out, and would be compared row by row.
      const names = options.partitionBy.filter(
        (name) => isGuarded || partitions.some((other) => other[name] !== partition[name]),
      );
      const where = { partition, names, isGuarded };
      const rows = await copyPartition(connection, { source, where, options, path });
      assert(rows > 0 || isGuarded, 'a table partition that was found has no rows');
      if (rows === 0) continue;
      files.push({ partition, key: options.keyOf(partition), path, rows });
      const upload = uploadFile(context, files.at(-1)!);
      // Whoever waits for it below is told; until then nobody is, which is no crash.
      upload.catch(() => undefined);
      uploads.push(upload);
      if (uploads.length >= uploadsAhead) await uploads.at(-uploadsAhead);
    }
    const unloaded: UnloadedFile[] = [];
    for (const [index, { isOurs, bytes }] of (await Promise.all(uploads)).entries()) {
      const { partition, key, path, rows } = files[index]!;
      // Not before all are written: a connection runs one statement at a time.
      unloaded.push({
        partition,
        key,
        bytes,
        rows: isOurs ? rows : await rowsOf(connection, path),
      });
    }
    return unloaded;
  } finally {
    await Promise.allSettled(uploads);
    for (const path of paths) await rm(path, { force: true });
  }
}

type Uploaded = {
  /** Whether it is this file that lies in the lake now. */
  readonly isOurs: boolean;
  readonly bytes: number;
};

/** Files that are on their way at once: each is in memory. */
const uploadsAhead = 4;

/** Puts the file into the lake; afterwards what lies there lies at the path too, and is answered. */
async function uploadFile(
  { objects, cache }: UnloadContext,
  { key, path }: Upload,
): Promise<Uploaded> {
  let bytes: Uint8Array = await readFile(path);
  const { kind } = await objects.createObject(key, bytes);
  if (kind === 'alreadyExists') {
    // What lies in the lake counts, also when an earlier attempt of ours put it there.
    bytes = await readExisting(objects, key);
    await rm(path);
    await writeFile(path, bytes);
  }
  await flushFile(path);
  await cache.keepObject({ key, path, bytes: bytes.byteLength });
  return { isOurs: kind === 'created', bytes: bytes.byteLength };
}

/** As everything in the cache, so that a power cut leaves no half of one. */
async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Which rows of the source a file has. */
type Where = {
  readonly partition: Partition;
  /** Columns that tell its rows from others. */
  readonly names: readonly string[];
  readonly isGuarded: boolean;
};

/** What a statement fails with that was guarded against rows of other table partitions. */
const strayRow = 'a row is of another table partition';

function conditionOf({ names, isGuarded }: Where): string {
  if (names.length === 0) return '';
  const matches = names
    .map((name, index) => `CAST(${quoteIdentifier(name)} AS VARCHAR) = $partition_${index}`)
    .join(' AND ');
  if (!isGuarded) return ` WHERE ${matches}`;
  return ` WHERE CASE WHEN ${matches} THEN true ELSE error(${quoteText(strayRow)}) END`;
}

/** Answers how many rows the file has. COPY keeps the order of its SELECT. */
async function copyPartition(
  connection: DuckDBConnection,
  {
    source,
    where,
    options,
    path,
  }: {
    readonly source: Source;
    readonly where: Where;
    readonly options: UnloadOptions;
    readonly path: string;
  },
): Promise<number> {
  const { partition, names } = where;
  const columns = options.columns.map((column) => castColumn(quoteIdentifier(column.name), column));
  const metadata = metadataOption(options.metadata);
  const select = `SELECT ${columns.join(', ')} FROM ${source.from} AS unloaded${conditionOf(where)}`;
  const reader = await runStatement(
    connection,
    `COPY (${select}) TO ${quoteText(path)} ` +
      `(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1${metadata.sql})`,
    {
      ...source.parameters,
      ...metadata.parameters,
      ...Object.fromEntries(names.map((name, index) => [`partition_${index}`, partition[name]!])),
    },
  );
  return Number(reader.getRows()[0]?.[0]);
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
