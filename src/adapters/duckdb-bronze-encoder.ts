import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBBigIntVector, DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type {
  BronzeEncoder,
  ColumnsInput,
  EncodedFile,
  FileFacts,
  ParquetInput,
} from '../ports.ts';
import { selectColumns } from './duckdb-columns.ts';
import { duckdbIdentity } from './duckdb-engine.ts';
import { type RowSource, stageRows } from './duckdb-rows.ts';
import type { DuckdbLimits } from './duckdb-session.ts';
import { createDatabase } from './duckdb-session.ts';
import { runOwn, runStatement } from './duckdb-statement.ts';
import { metadataOption, quoteText } from './duckdb-text.ts';
import {
  createScratchFolder,
  nameSpillFolder,
  removeAbandonedScratch,
  removeFolder,
} from './scratch-folder.ts';
import { createPlainParquet, plainParquetStart } from './plain-parquet.ts';

export type DuckdbBronzeEncoderOptions = DuckdbLimits & {
  /** The folder of the object cache; files lie there while they are written or read. */
  readonly cacheDirectory: string;
  readonly compression?: 'zstd' | 'snappy';
};

/** Writes bronze files with the embedded engine: one file for each batch, its rows in order. */
export function createDuckdbBronzeEncoder(options: DuckdbBronzeEncoderOptions): BronzeEncoder {
  let database: DuckDBInstance | undefined;
  let uses = 0;
  const inTurn = createTurns();
  const openOne = async (): Promise<DuckDBInstance> => {
    if (uses >= usesMax) {
      database?.closeSync();
      database = undefined;
    }
    if (database === undefined) uses = 0;
    uses += 1;
    return (database ??= await openDatabase(options));
  };
  const withFile = <T>(work: (target: OpenFile) => Promise<T>): Promise<T> =>
    inTurn(() => withScratchFile(work));
  const withScratchFile = async <T>(work: (target: OpenFile) => Promise<T>): Promise<T> => {
    const folder = await createScratchFolder(options.cacheDirectory);
    try {
      const connection = await (await openOne()).connect();
      try {
        const target = { connection, path: join(folder, 'batch.parquet') };
        return await withEnoughMemory(connection, options.memoryMb, () => work(target));
      } finally {
        connection.closeSync();
      }
    } finally {
      await removeFolder(folder);
    }
  };
  const compression = options.compression ?? 'zstd';
  return {
    name: duckdbIdentity,
    encode: (input) => withFile((target) => encodeRows(target, input, compression)),
    encodeColumns: (input) => withFile((target) => encodeColumns(target, input, compression)),
    inspect: (bytes) =>
      withFile(async ({ connection, path }) => {
        await writeFile(path, bytes);
        return inspect(connection, path);
      }),
  };
}

/** The engine keeps what it knows of every file that a database has read: 26 KiB for each batch. */
const usesMax = 500;

/** One after the other: the engine has one thread for all of them, and one bound of memory. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    // Whoever asked is told of a failure; the next one has its turn all the same.
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** As many times the limit as the largest batch of the largest records may need. */
const memoryTimesMax = 8;

/**
 * Runs the work again with more memory when the engine has run out of it: it cannot encode a few
 * large records in pieces, and a batch that is never encoded would stop its source log for ever.
 */
async function withEnoughMemory<T>(
  connection: DuckDBConnection,
  memoryMb: number,
  work: () => Promise<T>,
): Promise<T> {
  const limitTo = (times: number) =>
    runOwn(connection, `SET memory_limit = '${times * memoryMb}MiB'`);
  try {
    for (let times = 1; ; times *= 2) {
      if (times > 1) await limitTo(times);
      try {
        return await work();
      } catch (error) {
        if (!isOutOfMemory(error) || times >= memoryTimesMax) throw error;
      }
    }
  } finally {
    await limitTo(1);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof IngotError && error.message.startsWith('Out of Memory Error');
}

/** Freed memory goes back to the system: an ingest process holds more than one engine. */
async function openDatabase(options: DuckdbBronzeEncoderOptions): Promise<DuckDBInstance> {
  await removeAbandonedScratch(options.cacheDirectory);
  const database = await createDatabase(options, await nameSpillFolder(options.cacheDirectory));
  const connection = await database.connect();
  await runOwn(connection, "SET allocator_flush_threshold = '1MiB'");
  await runOwn(connection, "SET allocator_bulk_deallocation_flush_threshold = '1MiB'");
  connection.closeSync();
  return database;
}

type OpenFile = { readonly connection: DuckDBConnection; readonly path: string };

async function encodeRows(
  target: OpenFile,
  { columns, rows, metadata }: ParquetInput,
  compression: string,
): Promise<EncodedFile> {
  const source = await stageRows(target.connection, { table: 'batch', columns, rows });
  return copyOut(target, { source, metadata, compression });
}

async function encodeColumns(
  target: OpenFile,
  input: ColumnsInput,
  compression: string,
): Promise<EncodedFile> {
  const plainPath = `${target.path}.plain`;
  await writeGroups(plainPath, input);
  const source = selectColumns(plainPath, input);
  return copyOut(target, { source, metadata: input.metadata, compression });
}

/** Group after group, because each is in the memory of the one before. */
async function writeGroups(path: string, { varying, groups }: ColumnsInput): Promise<void> {
  const file = await open(path, 'w');
  const write = async (pieces: readonly Uint8Array[]): Promise<void> => {
    const { bytesWritten } = await file.writev(pieces);
    const wanted = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytesWritten !== wanted) throw new Error(`${path}: only a part could be written`);
  };
  try {
    const parquet = createPlainParquet(varying);
    await write([plainParquetStart]);
    for (const group of groups()) await write(parquet.group(group));
    await write([parquet.end()]);
  } finally {
    await file.close();
  }
}

async function copyOut(
  { connection, path }: OpenFile,
  { source, metadata, compression }: Copy,
): Promise<EncodedFile> {
  const option = metadataOption(metadata);
  await runStatement(
    connection,
    `COPY (${source.sql}) TO ${quoteText(path)} ` +
      `(FORMAT parquet, PARQUET_VERSION v2, ROW_GROUP_SIZE 20480, WRITE_BLOOM_FILTER false, COMPRESSION ${compression}${level(compression)}${option.sql})`,
    { ...source.parameters, ...option.parameters },
  );
  const facts = await inspect(connection, path);
  return { bytes: await readFile(path), facts };
}

type Copy = {
  readonly source: RowSource;
  readonly metadata: Readonly<Record<string, string>>;
  readonly compression: string;
};

/** Level 1 is as small as 3 here, within a few hundredths, and about a tenth faster. */
function level(compression: string): string {
  return compression === 'zstd' ? ', COMPRESSION_LEVEL 1' : '';
}

async function inspect(connection: DuckDBConnection, path: string): Promise<FileFacts> {
  return {
    rows: await readRowCount(connection, path),
    offsets: await readOffsets(connection, path),
    ...(await readEventTimes(connection, path)),
    metadata: await readMetadata(connection, path),
  };
}

async function readRowCount(connection: DuckDBConnection, path: string): Promise<number> {
  const sql = 'SELECT num_rows FROM parquet_file_metadata($path)';
  return Number((await runStatement(connection, sql, { path })).getRows()[0]?.[0]);
}

/** Copied vector by vector: a value for each row would be as much work as the encoding. */
async function readOffsets(connection: DuckDBConnection, path: string): Promise<BigInt64Array> {
  const sql = `SELECT CAST(_offset AS BIGINT) FROM read_parquet(${quoteText(path)})`;
  const result = await connection.run(sql);
  const chunks = await result.fetchAllChunks();
  const offsets = new BigInt64Array(chunks.reduce((sum, { rowCount }) => sum + rowCount, 0));
  let at = 0;
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(0) as DuckDBBigIntVector;
    const { itemCount } = vector;
    for (let row = 0; row < itemCount; row += 1) offsets[at++] = vector.getItem(row)!;
  }
  return offsets.sort();
}

/** Grouped in the engine, so that times need not travel row by row, and made texts for each hour only. */
async function readEventTimes(
  connection: DuckDBConnection,
  path: string,
): Promise<Pick<FileFacts, 'rowsPerEventHour' | 'eventTimeMin' | 'eventTimeMax'>> {
  const sql = `
    SELECT
      strftime(event_hour, '%Y-%m-%dT%H'),
      count(*),
      strftime(min(event_ts), '%Y-%m-%dT%H:%M:%S.%gZ'),
      strftime(max(event_ts), '%Y-%m-%dT%H:%M:%S.%gZ')
    FROM (
      SELECT event_ts, date_trunc('hour', event_ts) AS event_hour
      FROM (SELECT CAST(event_ts AS TIMESTAMP) AS event_ts FROM read_parquet($path))
    )
    WHERE event_ts IS NOT NULL
    GROUP BY event_hour
    ORDER BY event_hour`;
  const hours = (await runStatement(connection, sql, { path })).getRows();
  return {
    rowsPerEventHour: Object.fromEntries(hours.map((row) => [String(row[0]), Number(row[1])])),
    eventTimeMin: hours.length === 0 ? null : String(hours[0]?.[2]),
    eventTimeMax: hours.length === 0 ? null : String(hours.at(-1)?.[3]),
  };
}

async function readMetadata(
  connection: DuckDBConnection,
  path: string,
): Promise<Record<string, string>> {
  const sql = 'SELECT decode(key), decode(value) FROM parquet_kv_metadata($path)';
  const rows = (await runStatement(connection, sql, { path })).getRows();
  return Object.fromEntries(rows.map((row) => [String(row[0]), String(row[1])]));
}
