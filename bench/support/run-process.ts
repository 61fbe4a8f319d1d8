import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runEnvironment } from '../../bin/bootstrap.mjs';
import type { Environment } from '../../src/config.ts';
import { compileThread } from '../../src/workers/thread.ts';
import { type Measured, parseReport } from './measure.ts';

/** Runs a file of this folder as a process of its own, so that its memory and time are its own. */
export async function runMeasured<T extends Measured>(
  file: string,
  args: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<T> {
  const module = await compileThread(new URL(file, import.meta.url));
  return runNode<T>(file, [fileURLToPath(module), ...args], env, signal);
}

/** The same for a file that has to lie where it lies, because the SQL is found from there. */
export async function runMeasuredInPlace<T extends Measured>(
  file: string,
  args: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<T> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return runNode<T>(file, ['--import', 'tsx', path, ...args], env, signal);
}

async function runNode<T extends Measured>(
  file: string,
  args: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<T> {
  const child = spawn(process.execPath, args, {
    env: runEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}:\n${output}`);
  return parseReport<T>(output);
}

/** Rejects when the signal is aborted, whatever becomes of the work. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  return Promise.race([work(), aborted]);
}
