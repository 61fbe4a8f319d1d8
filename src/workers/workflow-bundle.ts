import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Logger as BundlerLogger,
  type WorkflowBundlePath,
  bundleWorkflowCode,
} from '@temporalio/worker';
import { stateOfSources } from '../../bin/compile.mjs';
import type { Config } from '../config.ts';
import { workflowsPath } from './workflows-path.ts';

const root = new URL('../../', import.meta.url);

/** How many bundles are kept: those of two checkouts, and of the code before a change. */
const keptMax = 8;

/**
 * The workflow code as one file in the cache folder, bundled once for each state of the sources: the
 * bundler costs a worker seconds of its start. Two that bundle at the same time make the same file.
 */
export async function cachedWorkflowBundle(
  config: Pick<Config, 'INGOT_CACHE_DIR'>,
): Promise<WorkflowBundlePath> {
  const folder = join(config.INGOT_CACHE_DIR, 'workflows');
  const codePath = join(folder, `${await stateOfSources(root)}.js`);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: quietBundler });
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `${randomUUID()}.tmp`);
  await writeFile(draft, code);
  await rename(draft, codePath);
  await removeOldest(folder);
  return { codePath };
}

/** A worker reads its bundle while it starts; who is that slow bundles again. */
async function removeOldest(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  const aged = await Promise.all(
    files.map(async (name) => {
      const path = join(folder, name);
      return { path, mtimeMs: (await stat(path).catch(() => ({ mtimeMs: 0 }))).mtimeMs };
    }),
  );
  const oldest = aged.sort((left, right) => right.mtimeMs - left.mtimeMs).slice(keptMax);
  await Promise.all(oldest.map(({ path }) => rm(path, { force: true })));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

const nothing = (): void => undefined;

/** The bundler reports sizes and timings that nobody asked for; its errors are thrown anyway. */
const quietBundler: BundlerLogger = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
