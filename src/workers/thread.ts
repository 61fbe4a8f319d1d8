import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { build } from 'esbuild';

/** Inside the project, because the packages that a module imports are found from where it lies. */
const folder = new URL('../../node_modules/.cache/ingot/', import.meta.url);

/**
 * Makes a module ready to be started as a worker thread. A source file is compiled once, with what
 * it imports of this project: a loader of TypeScript in each thread would cost it 50 MiB.
 */
export async function compileThread(module: URL): Promise<URL> {
  if (!module.pathname.endsWith('.ts')) return module;
  const { outputFiles } = await build({
    entryPoints: [module.pathname],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${module.pathname} was compiled to nothing`);
  const name = createHash('sha256').update(output.contents).digest('hex').slice(0, 16);
  const compiled = new URL(`thread-${name}.mjs`, folder);
  await mkdir(folder, { recursive: true });
  // Renamed, because another process may be compiling, or loading, the same.
  const draft = new URL(`${randomUUID()}.tmp`, folder);
  await writeFile(draft, output.contents);
  await rename(draft, compiled);
  return compiled;
}

/** Starts a module as compileThread made it, without the loaders of this process. */
export function startThread(compiled: URL, options: Omit<WorkerOptions, 'execArgv'>): Worker {
  return new Worker(compiled, { ...options, execArgv: ['--enable-source-maps'] });
}
