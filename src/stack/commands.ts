import { spawn } from 'node:child_process';
import { access, constants, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Environment } from '../config.ts';

export type CommandOptions = {
  readonly env: Environment;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Where output is appended as it comes; the end of it is still in the result. */
  readonly logFile?: string;
};

export type CommandResult = {
  /** 127 when the command does not exist, 124 when it took too long. */
  readonly code: number;
  readonly output: string;
};

/** Runs a command to its end. It does not throw on a failing command: the code says so. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

/** A build can print megabytes; only its end says what went wrong. */
const outputCharactersMax = 65_536;

export const runCommand: RunCommand = async (command, args, options) => {
  const log = options.logFile === undefined ? undefined : await open(options.logFile, 'a');
  try {
    await log?.appendFile(`$ ${[command, ...args].join(' ')}\n`);
    return await collect(command, args, options, (text) => {
      // The log is for a person who looks into a failure; the result does not depend on it.
      void log?.appendFile(text).catch(() => undefined);
    });
  } finally {
    await log?.close();
  }
};

function collect(
  command: string,
  args: readonly string[],
  options: CommandOptions,
  onOutput: (text: string) => void,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let output = '';
    let timedOut = false;
    const child = spawn(command, args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      // A group of its own, so that what the command has started ends with it.
      detached: true,
    });
    const kill = (): void => killGroup(child.pid);
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            kill();
          }, options.timeoutMs);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
      finish();
    };
    const take = (chunk: Buffer): void => {
      const text = chunk.toString('utf8');
      output = (output + text).slice(-outputCharactersMax);
      onOutput(text);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error: NodeJS.ErrnoException) =>
      settle(() =>
        error.code === 'ENOENT'
          ? resolve({ code: 127, output: `${command}: not found` })
          : reject(error),
      ),
    );
    child.on('close', (code) =>
      settle(() => resolve({ code: timedOut ? 124 : (code ?? 1), output })),
    );
    options.signal?.addEventListener('abort', kill, { once: true });
    if (options.signal?.aborted === true) {
      kill();
    }
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has already ended, which is what was wanted.
  }
}

/** The full path of an executable on PATH, or undefined. */
export async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) {
      return candidate;
    }
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
