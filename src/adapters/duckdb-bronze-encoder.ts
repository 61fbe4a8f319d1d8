import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { BronzeEncoder, FileFacts, ParquetInput } from '../ports.ts';
import { duckdbIdentity } from './duckdb-engine.ts';
import { stageRows } from './duckdb-rows.ts';
import type { DuckdbLimits } from './duckdb-session.ts';
import { createDatabase } from './duckdb-session.ts';
import { runStatement } from './duckdb-statement.ts';
import { metadataOption, quoteText } from './duckdb-text.ts';
import { createScratchFolder, removeFolder } from './scratch-folder.ts';

export type DuckdbBronzeEncoderOptions = DuckdbLimits & {
  /** The folder of the object cache; files lie there while they are written or read. */
  readonly cacheDirectory: string;
  readonly compression?: 'zstd' | 'snappy';
};

/** Writes bronze files with the embedded engine: one file for each batch, its rows in order. */
export function createDuckdbBronzeEncoder(options: DuckdbBronzeEncoderOptions): BronzeEncoder {
  let database: Promise<DuckDBInstance> | undefined;
  const withFile = async <T>(work: (open: OpenFile) => Promise<T>): Promise<T> => {
    const folder = await createScratchFolder(options.cacheDirectory);
    try {
      database ??= createDatabase(options, join(options.cacheDirectory, 'spill'));
      const connection = await (await database).connect();
      try {
        return await work({ connection, path: join(folder, 'batch.parquet') });
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
    encode: (input) => withFile((open) => encode(open, input, compression)),
    inspect: (bytes) =>
      withFile(async ({ connection, path }) => {
        await writeFile(path, bytes);
        return inspect(connection, path);
      }),
  };
}

type OpenFile = { readonly connection: DuckDBConnection; readonly path: string };

async function encode(
  { connection, path }: OpenFile,
  { columns, rows, metadata }: ParquetInput,
  compression: string,
): Promise<Uint8Array> {
  const source = await stageRows(connection, { table: 'batch', columns, rows });
  const option = metadataOption(metadata);
  await runStatement(
    connection,
    `COPY (${source.sql}) TO ${quoteText(path)} ` +
      `(FORMAT parquet, COMPRESSION ${compression}${option.sql})`,
    { ...source.parameters, ...option.parameters },
  );
  return readFile(path);
}

async function inspect(connection: DuckDBConnection, path: string): Promise<FileFacts> {
  const offsets = await readOffsets(connection, path);
  return {
    rows: await readRowCount(connection, path),
    offsets,
    ...(await readEventTimes(connection, path)),
    metadata: await readMetadata(connection, path),
  };
}

async function readRowCount(connection: DuckDBConnection, path: string): Promise<number> {
  const sql = 'SELECT num_rows FROM parquet_file_metadata($path)';
  return Number((await runStatement(connection, sql, { path })).getRows()[0]?.[0]);
}

async function readOffsets(connection: DuckDBConnection, path: string): Promise<string[]> {
  const sql = 'SELECT CAST(_offset AS BIGINT) AS o FROM read_parquet($path) ORDER BY o';
  const reader = await runStatement(connection, sql, { path });
  return (reader.getColumns()[0] ?? []).map(String);
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
