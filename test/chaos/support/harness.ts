import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Environment } from '../../../src/config.ts';
import { compileThread } from '../../../src/workers/thread.ts';
import { workflowsPath } from '../../../src/workers/workflows-path.ts';
import { compileTests } from '../../support/compiled-tests.ts';
import { quiet } from '../../support/temporal/bundle.ts';
import type { Harness } from './world.ts';

export type HarnessOptions = Pick<Harness, 'seed' | 'keep'> & {
  readonly env: Environment;
  /** The heartbeat timeout that ships, instead of one for tests. */
  readonly realTimeouts: boolean;
  readonly stack?: NonNullable<Harness['stack']>;
};

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Compiles and bundles what all cases run. */
export async function createHarness(options: HarnessOptions): Promise<Harness> {
  const { env, seed, keep, realTimeouts, stack } = options;
  const shortTimeouts = fileURLToPath(new URL('./short-timeouts.ts', import.meta.url));
  const reportStep = fileURLToPath(new URL('./report-step.ts', import.meta.url));
  const [process, thread, transform, bundle, folder] = await Promise.all([
    compileThread(new URL('./ingest-process.ts', import.meta.url)),
    compileThread(new URL('./ingest-thread.ts', import.meta.url)),
    // It reads SQL from beside its source, which it must know when it is compiled.
    compileTests(root, ['test/chaos/support/transform-process.ts']),
    bundleWorkflowCode({
      workflowsPath,
      logger: quiet,
      workflowInterceptorModules: [reportStep, ...(realTimeouts ? [] : [shortTimeouts])],
    }),
    mkdtemp(join(tmpdir(), 'ingot-chaos-')),
  ]);
  const workflows = join(folder, 'workflows.js');
  await writeFile(workflows, bundle.code);
  return {
    env,
    seed,
    keep,
    folder,
    remove: transform.remove,
    bundle,
    programs: {
      process: fileURLToPath(process),
      thread: thread.href,
      transform: transform.files[0]!,
      workflows,
    },
    ...(stack === undefined ? {} : { stack }),
  };
}
