import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Environment } from '../../../src/config.ts';
import { compileThread } from '../../../src/workers/thread.ts';
import { workflowsPath } from '../../../src/workers/workflows-path.ts';
import { quiet } from '../../support/temporal/bundle.ts';
import type { Harness } from './world.ts';

export type HarnessOptions = Pick<Harness, 'seed' | 'keep'> & {
  readonly env: Environment;
  /** The heartbeat timeout that ships, instead of one for tests. */
  readonly realTimeouts: boolean;
  readonly stack?: NonNullable<Harness['stack']>;
};

/** Compiles and bundles what all cases run. */
export async function createHarness(options: HarnessOptions): Promise<Harness> {
  const { env, seed, keep, realTimeouts, stack } = options;
  const shortTimeouts = fileURLToPath(new URL('./short-timeouts.ts', import.meta.url));
  const [process, thread, bundle, folder] = await Promise.all([
    compileThread(new URL('./ingest-process.ts', import.meta.url)),
    compileThread(new URL('./ingest-thread.ts', import.meta.url)),
    bundleWorkflowCode({
      workflowsPath,
      logger: quiet,
      workflowInterceptorModules: realTimeouts ? [] : [shortTimeouts],
    }),
    mkdtemp(join(tmpdir(), 'ingot-chaos-')),
  ]);
  return {
    env,
    seed,
    keep,
    folder,
    bundle,
    programs: { process: fileURLToPath(process), thread: thread.href },
    ...(stack === undefined ? {} : { stack }),
  };
}
