import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';

/*
 * Scratch folders lie beside the cached objects, on the same file system, so that a session can
 * hold objects by hard links. Their names say whose they are: what a killed process left behind is
 * removed by the next one on the host.
 */

/** A new folder for one session. Whoever made it removes it. */
export async function createScratchFolder(cacheDirectory: string): Promise<string> {
  const parent = scratchParent(cacheDirectory);
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, `${hostPrefix()}${process.pid}.`));
}

/**
 * A name for a folder of one database, which the engine makes when it has to spill, and removes.
 * Two databases that share one overwrite each other's blocks.
 */
export async function nameSpillFolder(cacheDirectory: string): Promise<string> {
  const parent = scratchParent(cacheDirectory);
  await mkdir(parent, { recursive: true });
  return join(parent, `${hostPrefix()}${process.pid}.spill-${randomUUID()}`);
}

/** Removes scratch folders whose process is gone. */
export async function removeAbandonedScratch(cacheDirectory: string): Promise<void> {
  const parent = scratchParent(cacheDirectory);
  for (const name of await readdir(parent).catch(() => [])) {
    if (await isAbandoned(parent, name)) await removeFolder(join(parent, name));
  }
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

function scratchParent(cacheDirectory: string): string {
  return join(cacheDirectory, 'scratch');
}

/** Without dots of its own, so that no host's name begins with another's prefix. */
function hostPrefix(): string {
  return `${hostname().replaceAll('.', '-')}.`;
}

/** A folder of another host that shares the cache is none of our business. */
async function isAbandoned(parent: string, name: string): Promise<boolean> {
  const prefix = hostPrefix();
  if (!name.startsWith(prefix)) return false;
  const pid = Number(name.slice(prefix.length).split('.')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (pid !== process.pid) return !isAlive(pid);
  // In a container the process before us may have had our number; its folders are older than we are.
  const startedMs = Date.now() - process.uptime() * 1000;
  const folder = await stat(join(parent, name)).catch(() => null);
  return folder !== null && folder.mtimeMs < startedMs;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM means that it lives and belongs to someone else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
