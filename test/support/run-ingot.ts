import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config.ts';

const ingot = fileURLToPath(new URL('../../bin/ingot.mjs', import.meta.url));

export type IngotAnswer = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs the command as a user does, to its end; away from the project, whose `.env` is the developer's. */
export function runIngot(
  args: readonly string[],
  { env, cwd = tmpdir() }: { readonly env: Environment; readonly cwd?: string },
): Promise<IngotAnswer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [ingot, ...args], { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
