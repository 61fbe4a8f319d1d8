import { mkdir, rename, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  const { outputFiles, metafile } = await build({
    entryPoints: [module.pathname],
    bundle: true,
    // In one file, the packages of a module that is imported on use would be loaded at the start.
    splitting: true,
    outdir: fileURLToPath(folder),
    entryNames: 'thread-[hash]',
    chunkNames: 'thread-[hash]',
    outExtension: { '.js': '.mjs' },
    metafile: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
  });
  const entry = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint);
  if (entry === undefined) throw new Error(`${module.pathname} was compiled to nothing`);
  await mkdir(folder, { recursive: true });
  for (const { path, contents } of outputFiles) {
    // Renamed, because another process may be compiling, or loading, the same.
    const draft = new URL(`${randomUUID()}.tmp`, folder);
    await writeFile(draft, contents);
    await rename(draft, path);
  }
  return new URL(basename(entry[0]), folder);
}

/** Starts a module as compileThread made it, without the loaders of this process. */
export function startThread(compiled: URL, options: Omit<WorkerOptions, 'execArgv'>): Worker {
  return new Worker(compiled, { ...options, execArgv: ['--enable-source-maps'] });
}
