import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { esmodules } from '../../bin/compile.mjs';

export type CompiledTests = {
  /** One file for each that was asked for, in the same order. */
  readonly files: readonly string[];
  readonly remove: () => Promise<void>;
};

/** Inside the project, because the packages that a module imports are found from where it lies. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/ingot/', import.meta.url));

/**
 * Compiles test files, named relative to the root, and what they import of this project, each module
 * once. A loader of TypeScript in every process of mocha costs more than all of this together. What
 * is thrown names the TypeScript file and line in a process that runs with --enable-source-maps.
 */
export async function compileTests(root: string, tests: readonly string[]): Promise<CompiledTests> {
  await mkdir(cache, { recursive: true });
  // A folder of its own, because two runs may go on at the same time.
  const folder = await mkdtemp(join(cache, 'tests-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await build({
      ...esmodules(pathToFileURL(`${root}/`)),
      entryPoints: tests.map((test) => join(root, test)),
      outdir: folder,
      outbase: root,
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { files: tests.map((test) => join(folder, test.replace(/\.ts$/, '.mjs'))), remove };
}
