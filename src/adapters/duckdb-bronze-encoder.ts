import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBBigIntVector, DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { BronzeEncoder, EncodedFile, FileFacts, LinesInput, ParquetInput } from '../ports.ts';
import { duckdbIdentity } from './duckdb-engine.ts';
import { selectLines } from './duckdb-lines.ts';
import { type RowSource, stageRows } from './duckdb-rows.ts';
import type { DuckdbLimits } from './duckdb-session.ts';
import { createDatabase } from './duckdb-session.ts';
import { runStatement } from './duckdb-statement.ts';
import { metadataOption, quoteText } from './duckdb-text.ts';
import {
  createScratchFolder,
  nameSpillFolder,
  removeAbandonedScratch,
  removeFolder,
} from './scratch-folder.ts';

export type DuckdbBronzeEncoderOptions = DuckdbLimits & {
  /** The folder of the object cache; files lie there while they are written or read. */
  readonly cacheDirectory: string;
  readonly compression?: 'zstd' | 'snappy';
};

/** Writes bronze files with the embedded engine: one file for each batch, its rows in order. */
export function createDuckdbBronzeEncoder(options: DuckdbBronzeEncoderOptions): BronzeEncoder {
  let database: Promise<DuckDBInstance> | undefined;
  const inTurn = createTurns();
  const withFile = <T>(work: (target: OpenFile) => Promise<T>): Promise<T> =>
    inTurn(() => withScratchFile(work));
  const withScratchFile = async <T>(work: (target: OpenFile) => Promise<T>): Promise<T> => {
    const folder = await createScratchFolder(options.cacheDirectory);
    try {
      database ??= openDatabase(options);
      const connection = await (await database).connect();
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
    encodeLines: (input) => withFile((target) => encodeLines(target, input, compression)),
    inspect: (bytes) =>
      withFile(async ({ connection, path }) => {
        await writeFile(path, bytes);
        return inspect(connection, path);
      }),
  };
}

/**
 * One after the other: the engine's reader of JSON takes 32 MiB for each file, and has one thread for
 * all of them.
 */
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
    runStatement(connection, `SET memory_limit = '${times * memoryMb}MiB'`);
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
  await runStatement(connection, "SET allocator_flush_threshold = '1MiB'");
  await runStatement(connection, "SET allocator_bulk_deallocation_flush_threshold = '1MiB'");
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

async function encodeLines(
  target: OpenFile,
  input: LinesInput,
  compression: string,
): Promise<EncodedFile> {
  const linesPath = `${target.path}.jsonl`;
  await writePieces(linesPath, input.pieces);
  const source = selectLines(linesPath, input);
  return copyOut(target, { source, metadata: input.metadata, compression });
}

/** Pieces are many and small where records are not plain, so they are written many at a time. */
async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < pieces.length; at += piecesAtOnce) {
      const some = pieces.slice(at, at + piecesAtOnce);
      const { bytesWritten } = await file.writev(some);
      const wanted = some.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (bytesWritten !== wanted) throw new Error(`${path}: only a part could be written`);
    }
  } finally {
    await file.close();
  }
}

const piecesAtOnce = 512;

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

/** Grouped in the engine, so that times need not travel row by row. */
async function readEventTimes(
  connection: DuckDBConnection,
  path: string,
): Promise<Pick<FileFacts, 'rowsPerEventHour' | 'eventTimeMin' | 'eventTimeMax'>> {
  const sql = `
    SELECT
      strftime(date_trunc('hour', event_ts), '%Y-%m-%dT%H'),
      count(*),
      strftime(min(event_ts), '%Y-%m-%dT%H:%M:%S.%gZ'),
      strftime(max(event_ts), '%Y-%m-%dT%H:%M:%S.%gZ')
    FROM (SELECT CAST(event_ts AS TIMESTAMP) AS event_ts FROM read_parquet($path))
    WHERE event_ts IS NOT NULL
    GROUP BY 1
    ORDER BY 1`;
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
