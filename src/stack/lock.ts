import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IngotError } from '../errors.ts';
import { isRunning, processBegan, type ProcessIdentity } from './processes.ts';
import { waitUntil } from './wait-until.ts';

export type LockOptions = {
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
};

/**
 * Runs `work` while no other process holds the lock file. A lock whose owner has ended is taken
 * over, so that a killed process never leaves one behind that a person has to remove.
 */
export async function withLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const owner = JSON.stringify({
    pid: process.pid,
    began: (await processBegan(process.pid)) ?? '',
  });
  let told = false;
  const taken = await waitUntil(
    async () => {
      const held = await tryLock(file, owner);
      if (!held && !told) {
        told = true;
        options.onWait?.();
      }
      return held;
    },
    { limitMs: options.limitMs, signal: options.signal },
  );
  if (!taken) {
    throw new IngotError(
      'PART_UNREACHABLE',
      'another process holds the lock and did not let go in time',
      {
        retryable: true,
        facts: { file, seconds: options.limitMs / 1_000 },
      },
    );
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryLock(file: string, owner: string): Promise<boolean> {
  // Written aside and linked, so that a lock file is never seen half written.
  const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(mine, owner);
  try {
    if (await linked(mine, file)) {
      return true;
    }
    await removeStale(file, `${mine}.stale`);
    return await linked(mine, file);
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') {
        return false;
      }
      throw error;
    },
  );
}

async function removeStale(file: string, aside: string): Promise<void> {
  const held = await readFile(file, 'utf8').catch(() => undefined);
  if (held === undefined || (await isRunning(JSON.parse(held) as ProcessIdentity))) {
    return;
  }
  await rename(file, aside).catch(() => undefined);
  // Someone else may have taken the stale lock over between the look and the rename: give it back.
  const moved = await readFile(aside, 'utf8').catch(() => undefined);
  if (moved !== undefined && moved !== held) {
    await linked(aside, file);
  }
  await rm(aside, { force: true });
}
