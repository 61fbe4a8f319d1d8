import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Config, Environment } from '../config.ts';
import { IngotError } from '../errors.ts';
import { stackFolder } from './parts.ts';
import { type ProcessIdentity, isRunning, startDetached, stopProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

/* Worker processes that a command starts in the background, and that `ingot down` stops again. */

export const workerKinds = ['ingest', 'transform'] as const;
export type WorkerKind = (typeof workerKinds)[number];

/** The line a worker prints when it takes work. */
export const workerReadyLine = 'ingot worker ready';

export type WorkerProcess = {
  /** `<INGOT_ID>-<kind>`. */
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logFile: string;
};

export type WorkerLaunch = {
  readonly config: Config;
  readonly env: Environment;
  readonly kind: WorkerKind;
  readonly signal?: AbortSignal;
};

/** Much longer than a start takes, also where the machine has little to give. */
const readyLimitMs = 180_000;
/** Longer than the grace time of a worker, which ends by itself within it. */
const stopMarginMs = 15_000;

const record = z.object({
  identity: z.object({ pid: z.number().int().positive(), began: z.string() }),
  logFile: z.string(),
});

/** Starts a worker and waits until it takes work; throws with the end of its log when it does not. */
export async function startWorkerProcess(launch: WorkerLaunch): Promise<WorkerProcess> {
  const { config, env, kind } = launch;
  const name = `${config.INGOT_ID}-${kind}`;
  const folder = workersFolder(config);
  const logFile = join(folder, `${name}.log`);
  await mkdir(folder, { recursive: true });
  await rm(logFile, { force: true });
  const program = fileURLToPath(new URL('../../bin/ingot.mjs', import.meta.url));
  const identity = await startDetached(
    { command: process.execPath, args: [program, 'worker', kind], env },
    logFile,
  );
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ identity, logFile }));
  let isGone = false;
  const isReady = async (): Promise<boolean> => {
    isGone = !(await isRunning(identity));
    return (await readFile(logFile, 'utf8')).includes(workerReadyLine);
  };
  const ready = await waitUntil(isReady, {
    limitMs: readyLimitMs,
    signal: launch.signal,
    isHopeless: () => isGone,
  });
  if (ready) return { name, identity, logFile };
  const log = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-8).join('\n');
  throw new IngotError('PART_UNREACHABLE', `the ${kind} worker did not start:\n${log}\n`, {
    retryable: true,
    facts: { log: logFile },
  });
}

/** Whether any worker of this stack was started in the background and not stopped since. */
export async function hasWorkerProcesses(config: Config): Promise<boolean> {
  return (await workerNames(config)).length > 0;
}

async function workerNames(config: Config): Promise<readonly string[]> {
  const files = await readdir(workersFolder(config)).catch(() => [] as string[]);
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
}

/** Stops the workers of this stack, of one `INGOT_ID`, or of one name; what is in flight is finished first. */
export async function stopWorkerProcesses(
  config: Config,
  id?: string,
): Promise<readonly { readonly name: string; readonly result: string }[]> {
  const folder = workersFolder(config);
  const names = (await workerNames(config)).filter(
    (name) => id === undefined || name === id || name.startsWith(`${id}-`),
  );
  return Promise.all(
    names.map(async (name) => {
      const file = join(folder, `${name}.json`);
      const { identity } = record.parse(JSON.parse(await readFile(file, 'utf8')));
      const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1_000 + stopMarginMs;
      const result = await stopProcess(identity, { graceMs });
      await rm(file, { force: true });
      return { name, result };
    }),
  );
}

function workersFolder(config: Config): string {
  return join(stackFolder(config), 'workers');
}
