import { createHash } from 'node:crypto';
import { link, mkdir, readdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../errors.ts';
import { contentOf } from '../lake/content.ts';
import type { ObjectStore } from '../ports.ts';

/*
 * A bounded folder of immutable objects on the local disk, which several processes may share
 * without talking to each other. A file appears in it whole, by a hard link to a finished file. A
 * reader holds an object by a hard link of its own, so the link count says which files are in use,
 * by whatever process, and removing a file from the cache takes it from no reader.
 */

export type ObjectCacheOptions = {
  readonly objects: ObjectStore;
  /** One folder for one lake: names are hashes of keys, and two lakes have equal keys. */
  readonly directory: string;
  /** Files in use come on top of this. */
  readonly bytesMax: number;
};

export type ObjectLink = {
  readonly key: string;
  /** A path on the file system of the cache, in a folder that exists; no file is there yet. */
  readonly path: string;
};

export type ObjectCache = {
  /** Makes every object appear at its path; answers how many had to be fetched. */
  linkObjects(links: readonly ObjectLink[]): Promise<number>;
  /** Takes in an object that lies at a path already, as a reader would have fetched it. */
  keepObject(held: ObjectLink & { readonly bytes: number }): Promise<void>;
  /**
   * Removes the least recently used files that no reader holds until the rest fits the bound. Looks
   * at the folder only when what this process has put in since may have used up its share of what
   * was free.
   */
  evict(): Promise<void>;
};

/** So many processes may fill what was free at the same time, each without looking again. */
const sharers = 8;

/** Objects fetched at the same time. */
const fetchesMax = 8;

export function createObjectCache(options: ObjectCacheOptions): ObjectCache {
  const folder = join(options.directory, 'objects');
  /** Bytes that this process may still put in before it looks at the folder. */
  let room = -1;
  return {
    linkObjects: async (links) => {
      await mkdir(folder, { recursive: true });
      let fetched = 0;
      await forEachOf(links, fetchesMax, async (wanted) => {
        const cached = join(folder, cacheName(wanted.key));
        if (await linkCached(cached, wanted.path)) return;
        room -= await fetchObject(options.objects, wanted);
        await linkIfAbsent(wanted.path, cached);
        fetched += 1;
      });
      return fetched;
    },
    keepObject: async ({ key, path, bytes }) => {
      room -= bytes;
      await mkdir(folder, { recursive: true });
      await linkIfAbsent(path, join(folder, cacheName(key)));
    },
    evict: async () => {
      if (room >= 0) return;
      const held = await evict(folder, options.bytesMax);
      room = held > options.bytesMax ? -1 : (options.bytesMax - held) / sharers;
    },
  };
}

/** Name of the file that holds the object of a key, and of all that are copies of it. */
export function cacheName(key: string): string {
  return createHash('sha256').update(contentOf(key)).digest('hex');
}

async function linkCached(cached: string, path: string): Promise<boolean> {
  try {
    await link(cached, path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  // The modification time is the order of use that all processes see. Another one may just have
  // evicted the file, which hurts nobody: our link stays.
  const now = new Date();
  await utimes(path, now, now);
  return true;
}

/** The file is flushed before anyone else can see it, so a power cut leaves no half of one. Answers its size. */
async function fetchObject(objects: ObjectStore, { key, path }: ObjectLink): Promise<number> {
  const stored = await objects.readObject(key);
  if (stored === null) {
    // Retrying helps: whoever names the object again has read its pointer again.
    throw new IngotError('OBJECT_MISSING', 'a named object is not in the lake', {
      retryable: true,
      facts: { key },
    });
  }
  await writeFile(path, stored.bytes, { flag: 'wx', flush: true });
  return stored.bytes.byteLength;
}

/** Another reader may have been faster; objects of one key are equal. */
async function linkIfAbsent(existing: string, path: string): Promise<void> {
  try {
    await link(existing, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

type CachedFile = {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
  readonly isInUse: boolean;
};

/** Answers the bytes that are left. */
async function evict(folder: string, bytesMax: number): Promise<number> {
  const files = await listFiles(folder);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const candidates = files
    .filter((file) => !file.isInUse)
    .sort((a, b) => a.usedMs - b.usedMs || (a.path < b.path ? -1 : 1));
  for (const file of candidates) {
    if (bytes <= bytesMax) break;
    await unlink(file.path).catch(ignoreMissing);
    bytes -= file.bytes;
  }
  return bytes;
}

async function listFiles(folder: string): Promise<readonly CachedFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files: CachedFile[] = [];
  await forEachOf(names, fetchesMax, async (name) => {
    const path = join(folder, name);
    const found = await stat(path).catch(ignoreMissing);
    if (found === undefined) return;
    files.push({ path, bytes: found.size, usedMs: found.mtimeMs, isInUse: found.nlink > 1 });
  });
  return files;
}

/** At most `limit` at a time. After a failure no new work begins, and what runs is waited for. */
async function forEachOf<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      if (failures.length > 0) return;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Another process evicts too. */
function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
