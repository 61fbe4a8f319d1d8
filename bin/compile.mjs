import { createHash, randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Of an older state of the sources; a process that still runs it may load more of it. */
const keptMs = 30 * 24 * 3_600_000;

/**
 * Arguments of Node that run a TypeScript file below src/, compiled once for each state of the
 * sources: a loader of TypeScript would cost every start a second, and a process that lives long
 * would mix the sources that it began with and those that it finds later.
 */
export async function program(rootUrl, file) {
  // Loaded on use: only what is installed can be imported.
  const { build } = await import('esbuild');
  const cache = new URL('node_modules/.cache/ingot/', rootUrl);
  const name = `program-${await stateOfSources(rootUrl)}`;
  const folder = new URL(`${name}/`, cache);
  const compiled = new URL(file.replace(/^src\/(.*)\.ts$/, '$1.mjs'), folder);
  if (!(await exists(compiled))) {
    await ensureFolder(cache);
    const draft = new URL(`draft-${randomUUID()}/`, cache);
    try {
      await build({
        ...esmodules(rootUrl),
        entryPoints: [fileURLToPath(new URL(file, rootUrl))],
        outdir: fileURLToPath(draft),
        outbase: fileURLToPath(new URL('src', rootUrl)),
      });
      await rename(draft, folder).catch(async (error) => {
        // Another process has compiled the same meanwhile.
        if (!(await exists(compiled))) throw error;
      });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    await removeOld(cache, name);
  }
  return ['--enable-source-maps', fileURLToPath(compiled)];
}

async function ensureFolder(folder) {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    console.error(
      `Ingot compiles itself into ${fileURLToPath(folder)}, which cannot be written: ${error.message}. ` +
        'Give that folder to this user, or run a command once as the user who installed Ingot.',
    );
    process.exit(1);
  }
}

/** How modules of this project are compiled: each once, beside the packages that they import. */
export function esmodules(rootUrl) {
  return {
    absWorkingDir: fileURLToPath(rootUrl),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'silent',
    plugins: [ownUrls],
  };
}

/** A module goes on knowing itself by where its source lies: SQL, fixtures and threads are beside it. */
const ownUrls = {
  name: 'own-urls',
  setup(compiler) {
    compiler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const url = JSON.stringify(pathToFileURL(path).href);
      return { loader: 'ts', contents: source.replaceAll('import.meta.url', () => url) };
    });
  },
};

/** A hash of everything that compiled code is made of: our sources, and the versions of packages. */
export async function stateOfSources(rootUrl) {
  const sources = new URL('src/', rootUrl);
  const names = (await readdir(sources, { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .sort();
  const files = [
    ...names.map((name) => new URL(name, sources)),
    ...['package-lock.json', 'tsconfig.json'].map((name) => new URL(name, rootUrl)),
  ];
  const texts = await Promise.all(files.map((url) => readFile(url)));
  const hash = createHash('sha256');
  for (const [index, url] of files.entries()) hash.update(`${url.href}\0`).update(texts[index]);
  return hash.digest('hex').slice(0, 32);
}

async function removeOld(cache, name) {
  const others = (await readdir(cache)).filter((other) => /^(program|draft)-/.test(other));
  for (const other of others.filter((each) => each !== name)) {
    const url = new URL(`${other}/`, cache);
    const { mtimeMs } = await stat(url).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < Date.now() - keptMs) await rm(url, { recursive: true, force: true });
  }
}

function exists(url) {
  return access(url).then(
    () => true,
    () => false,
  );
}
