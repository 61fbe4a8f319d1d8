import { execFile, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Launch } from './parts.ts';
import { waitUntil } from './wait-until.ts';

/** One process and no other: a later one that is given the same pid began at another time. */
export type ProcessIdentity = {
  readonly pid: number;
  /** When the system says the process began, in the words of the system. */
  readonly began: string;
};

export type StopOptions = {
  readonly graceMs: number;
  readonly pollMs?: number;
};

/** Starts a process that outlives this one, with its output appended to `logFile`. */
export async function startDetached(launch: Launch, logFile: string): Promise<ProcessIdentity> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a');
  try {
    const child = spawn(launch.command, launch.args, {
      detached: true,
      env: launch.env,
      stdio: ['ignore', log.fd, log.fd],
      ...(launch.cwd === undefined ? {} : { cwd: launch.cwd }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    return { pid, began: (await processBegan(pid)) ?? 'ended at once' };
  } finally {
    await log.close();
  }
}

/** Whether that very process is still running, and not another one that was given its pid. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await processBegan(identity.pid)) === identity.began;
}

/** SIGTERM, then SIGKILL after the grace period. A pid that now belongs to another process is left alone. */
export async function stopProcess(
  identity: ProcessIdentity,
  options: StopOptions,
): Promise<'stopped' | 'killed' | 'gone'> {
  if (!(await isRunning(identity))) {
    return 'gone';
  }
  const ended = async (): Promise<boolean> => !(await isRunning(identity));
  const everyMs = options.pollMs ?? 50;
  signalProcess(identity.pid, 'SIGTERM');
  if (await waitUntil(ended, { limitMs: options.graceMs, everyMs })) {
    return 'stopped';
  }
  signalProcess(identity.pid, 'SIGKILL');
  await waitUntil(ended, { limitMs: 5_000, everyMs });
  return 'killed';
}

/** The system's start time of a live process; undefined when there is none or it is a zombie. */
export async function processBegan(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? beganFromProc(pid) : beganFromPs(pid);
}

async function beganFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the command in parentheses and may hold spaces; counting starts behind it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

async function beganFromPs(pid: number): Promise<string | undefined> {
  const run = promisify(execFile);
  const answer = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    env: { LC_ALL: 'C', TZ: 'UTC' },
  }).catch(() => undefined);
  const [state, ...began] = (answer?.stdout ?? '').trim().split(/\s+/);
  return state === undefined || state === '' || state.startsWith('Z') ? undefined : began.join(' ');
}

function signalProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal, which is what was wanted.
  }
}
