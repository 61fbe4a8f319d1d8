import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../../src/config.ts';
import { releaseFd, reportFd, stepsVariable, type StepSpec } from './steps.ts';

/** A real process under test. */
export type ChaosProcess = {
  readonly name: string;
  /** Resolves with where it stopped first; rejects when it ends without getting there. */
  readonly reached: () => Promise<string>;
  /** Resolves when it has ended by itself. */
  readonly ended: () => Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  readonly terminate: () => Promise<void>;
  /** SIGSTOP: nothing of it runs until it is thawed. */
  readonly freeze: () => void;
  /** SIGCONT; what waits at a step goes on. */
  readonly thaw: () => void;
};

export type ProcessSpec = {
  readonly name: string;
  /** A compiled program, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly steps: readonly StepSpec[];
  readonly logFile: string;
};

const startsMax = 5;
const reachLimitMs = 180_000;

/**
 * Starts it and waits until it says that it takes work. One that ends before, because a server did not
 * answer in time, is started again, as a supervisor does.
 */
export async function startChaosProcess(spec: ProcessSpec): Promise<ChaosProcess> {
  for (let start = 1; start < startsMax; start += 1) {
    try {
      return await startOnce(spec);
    } catch {
      // Its log has it; the last start tells it.
    }
  }
  return startOnce(spec);
}

async function startOnce(spec: ProcessSpec): Promise<ChaosProcess> {
  const { name, program, args, env, steps, logFile } = spec;
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], {
    env: { ...env, [stepsVariable]: JSON.stringify(steps) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'ipc'],
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const waiting = watchSteps(child);
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('error', reject);
    void exited.then(() => reject(new Error(`process ${name} ended early; see ${logFile}`)));
  });
  await ready;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    name,
    reached: () =>
      Promise.race([
        waiting.first,
        exited.then(() => Promise.reject(new Error(`process ${name} ended before its step`))),
        pause(reachLimitMs, undefined, { ref: false }).then(() =>
          Promise.reject(new Error(`process ${name} did not reach its step`)),
        ),
      ]),
    ended: () => exited,
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => {
      waiting.release();
      child.kill('SIGCONT');
    },
  };
}

function watchSteps(child: ChildProcess): {
  readonly first: Promise<string>;
  readonly release: () => void;
} {
  const reports = child.stdio[reportFd] as Readable;
  const releases = child.stdio[releaseFd] as Writable;
  let released = false;
  let held = 0;
  // A pipe of a process that was killed may break, which says nothing new.
  releases.on('error', () => undefined);
  const letGo = (): void => void releases.write('.');
  const first = new Promise<string>((resolve) => {
    createInterface({ input: reports }).on('line', (line) => {
      resolve(line);
      if (released) letGo();
      else held += 1;
    });
  });
  return {
    first,
    release: () => {
      released = true;
      for (; held > 0; held -= 1) letGo();
    },
  };
}
