import { resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { version } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { ObjectStore, SqlEngine } from '../ports.ts';
import { createPlaces } from './duckdb-places.ts';
import { createDatabase, openSession } from './duckdb-session.ts';
import type { SessionContext } from './duckdb-session.ts';
import { readTableNames } from './duckdb-table-names.ts';
import { createObjectCache } from './object-cache.ts';
import { nameSpillFolder, removeAbandonedScratch } from './scratch-folder.ts';

export type DuckdbEngineOptions = {
  readonly objects: ObjectStore;
  /** Of one lake only; other processes may share it. */
  readonly cacheDirectory: string;
  readonly cacheBytesMax: number;
  /** Threads and memory of one session. */
  readonly threads: number;
  readonly memoryMb: number;
  /** Databases of closed sessions that wait for the next one; their folders stay with the process. */
  readonly sessionsKept?: number;
};

/** `duckdb-1.5.6`: part of fingerprints and plans. */
export const duckdbIdentity = `duckdb-${version().replace(/^v/, '')}`;

/** The embedded engine: reads Parquet objects of the lake through a local cache of whole files. */
export function createDuckdbEngine(options: DuckdbEngineOptions): SqlEngine {
  const { objects, cacheBytesMax: bytesMax, threads, memoryMb } = options;
  const cacheDirectory = resolve(options.cacheDirectory);
  if (/[*?[\]]/.test(cacheDirectory)) {
    throw new IngotError('CONFIG_INVALID', 'the cache folder has a wildcard in its path', {
      retryable: false,
      facts: { cacheDirectory },
    });
  }
  const cache = createObjectCache({ objects, directory: cacheDirectory, bytesMax });
  const context: SessionContext = { objects, cache, cacheDirectory, limits: { threads, memoryMb } };
  const places = createPlaces(context, options.sessionsKept ?? 0);
  let cleaned: Promise<void> | undefined;
  let parser: Promise<DuckDBConnection> | undefined;
  return {
    identity: duckdbIdentity,
    open: async (tables) => {
      await (cleaned ??= removeAbandonedScratch(cacheDirectory));
      const place = await places.take(tables);
      return openSession(context, place, {
        tables,
        leave: (inPeace) => places.leave(place, inPeace),
      });
    },
    tablesOf: async (sql) => readTableNames(await (parser ??= openParser(cacheDirectory)), sql),
  };
}

/** One small database for reading statements, which are never run in it. */
async function openParser(cacheDirectory: string): Promise<DuckDBConnection> {
  const limits = { threads: 1, memoryMb: 128 };
  const database = await createDatabase(limits, await nameSpillFolder(cacheDirectory));
  return database.connect();
}
