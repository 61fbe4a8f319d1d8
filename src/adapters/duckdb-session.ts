import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ObjectStore, SqlSession, TableInput } from '../ports.ts';
import { createSessionNames, type SessionNames } from './duckdb-names.ts';
import { runOwn, runSelect } from './duckdb-statement.ts';
import { quoteText } from './duckdb-text.ts';
import { unloadSelect } from './duckdb-unload.ts';
import { toQueryResult } from './duckdb-values.ts';
import type { ObjectCache } from './object-cache.ts';
import { createScratchFolder, removeFolder } from './scratch-folder.ts';

export type SessionContext = {
  readonly objects: ObjectStore;
  readonly cache: ObjectCache;
  readonly cacheDirectory: string;
  readonly limits: DuckdbLimits;
};

/** How long a statement that runs on can hold up closing, about. */
const interruptEveryMs = 10;

/** Of one database; every session has its own. */
export type DuckdbLimits = { readonly threads: number; readonly memoryMb: number };

/** A database in memory that nothing leads out of, with the scratch folder that it may touch. */
export type SessionPlace = {
  readonly connection: DuckDBConnection;
  readonly names: SessionNames;
  readonly folder: string;
  readonly remove: () => Promise<void>;
};

/**
 * A session has a database in memory of its own, because what a statement may touch is a setting of
 * the whole database: nothing but the session's scratch folder, where its files are linked to.
 */
export async function makePlace(context: SessionContext): Promise<SessionPlace> {
  // The engine compares paths as text, so a link in the path would make the folder another one.
  const folder = await realpath(await createScratchFolder(context.cacheDirectory));
  const database = await createDatabase(context.limits, join(folder, 'spill')).catch(
    async (error: unknown) => {
      await removeFolder(folder);
      throw error;
    },
  );
  const connection = await database.connect();
  const names = createSessionNames({ connection, cache: context.cache, folder });
  const remove = async (): Promise<void> => {
    connection.closeSync();
    database.closeSync();
    await removeFolder(folder);
  };
  try {
    await runOwn(connection, "SET TimeZone = 'UTC'");
    // Files of a session never change, and every statement would read their footers again.
    await runOwn(connection, 'SET parquet_metadata_cache = true');
    await confine(connection, folder);
  } catch (error) {
    await remove();
    throw error;
  }
  return { connection, names, folder, remove };
}

/** Opens a session in a place that nobody else has; `leave` is told whether it may be used again. */
export async function openSession(
  { objects, cache }: SessionContext,
  place: SessionPlace,
  opening: {
    readonly tables: readonly TableInput[];
    readonly leave: (isInPeace: boolean) => Promise<void>;
  },
): Promise<SqlSession> {
  let cached = 0;
  const evict = async () => {
    if (cached > 0) await cache.evict();
    cached = 0;
  };
  const close = async (isInPeace: boolean) => {
    await opening.leave(isInPeace);
    await evict();
  };
  const onCached = (files: number) => void (cached += files);
  try {
    onCached(await place.names.declare(opening.tables));
  } catch (error) {
    await close(false);
    throw error;
  }
  return sessionOf({ ...place, objects, cache, close, evict, onCached });
}

/** An embedded database that loads nothing from the network and knows no files yet. */
export async function createDatabase(
  { threads, memoryMb }: DuckdbLimits,
  spillFolder: string,
): Promise<DuckDBInstance> {
  return DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryMb}MiB`,
    temp_directory: spillFolder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  });
}

/** From here on no statement reads or writes a file elsewhere, or takes this back. */
async function confine(connection: DuckDBConnection, folder: string): Promise<void> {
  await runOwn(connection, `SET allowed_directories = [${quoteText(folder)}]`);
  await runOwn(connection, 'SET enable_external_access = false');
  await runOwn(connection, 'SET lock_configuration = true');
}

type OpenedSession = {
  readonly connection: DuckDBConnection;
  readonly objects: ObjectStore;
  readonly cache: ObjectCache;
  readonly folder: string;
  readonly names: SessionNames;
  readonly close: (isInPeace: boolean) => Promise<void>;
  /** Makes room for what has come into the cache. */
  readonly evict: () => Promise<void>;
  /** Told how many files have come into the cache. */
  readonly onCached: (files: number) => void;
};

function sessionOf(session: OpenedSession): SqlSession {
  const { connection, names, close, evict, onCached } = session;
  const running = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    const ended = work.finally(() => running.delete(ended));
    running.add(ended);
    return ended;
  };
  let unloads = 0;
  /** Until a table was left half made. */
  let isWhole = true;
  const declare = async (tables: readonly TableInput[]): Promise<void> => {
    try {
      onCached(await names.declare(tables));
    } catch (error) {
      isWhole = false;
      throw error;
    }
    await evict();
  };
  let closing: Promise<void> | undefined;
  return {
    query: (sql, parameters = {}) =>
      track(runSelect(connection, sql, parameters).then(toQueryResult)),
    materialize: (name, sql, parameters = {}) => track(names.materialize(name, sql, parameters)),
    unload: (options) => {
      unloads += 1;
      const work = unloadSelect({ ...session, number: unloads }, options);
      return track(work.finally(() => onCached(1)));
    },
    declare: (tables) => track(declare(tables)),
    define: (name, sql) => track(names.define(name, sql)),
    forget: (given) => track(names.forget(given)),
    close: () =>
      (closing ??= closeWhenIdle(connection, running).then((quiet) => close(quiet && isWhole))),
  };
}

/**
 * A connection that goes away under a running statement takes the process with it. An interrupt
 * between two statements is lost on the second, so it is said again until nothing runs. Answers
 * whether none was said.
 */
async function closeWhenIdle(
  connection: DuckDBConnection,
  running: ReadonlySet<Promise<unknown>>,
): Promise<boolean> {
  if (running.size === 0) return true;
  const repeat = setInterval(() => connection.interrupt(), interruptEveryMs);
  // How they end is told to who started them.
  await Promise.allSettled(running);
  clearInterval(repeat);
  return false;
}
