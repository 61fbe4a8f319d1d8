import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDuckdbEngine } from '../../../src/adapters/duckdb-engine.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import type { ObjectStore, SqlEngine } from '../../../src/ports.ts';

export type TestEngine = {
  readonly engine: SqlEngine;
  readonly objects: ObjectStore;
  readonly cacheDirectory: string;
  readonly remove: () => Promise<void>;
};

/** The embedded engine over a lake in memory, with a cache folder of its own. */
export async function createTestEngine({
  threads = 1,
  sessionsKept = 0,
} = {}): Promise<TestEngine> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-sql-'));
  const objects = createMemoryObjectStore();
  const engine = createDuckdbEngine({
    objects,
    cacheDirectory,
    cacheBytesMax: 1 << 24,
    threads,
    memoryMb: 512,
    sessionsKept,
  });
  const remove = () => rm(cacheDirectory, { recursive: true, force: true });
  return { engine, objects, cacheDirectory, remove };
}
