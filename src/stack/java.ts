import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable } from './commands.ts';
import type { PartSetting } from './parts.ts';

export type Java = {
  readonly path: string;
  readonly version: string;
};

const folders = [
  { folder: '/usr/lib/jvm', home: '' },
  { folder: '/Library/Java/JavaVirtualMachines', home: 'Contents/Home' },
];

/**
 * The first Java of at least `majorMin`: JAVA_HOME, PATH, then the folders where systems put them.
 * When none is new enough, the newest that was seen, so that a message can name it.
 */
export async function findJava(
  setting: Pick<PartSetting, 'env' | 'run'>,
  majorMin: number,
): Promise<Java | undefined> {
  let best: Java | undefined;
  for await (const path of candidates(setting)) {
    const version = await javaVersion(path, setting);
    if (version !== undefined && (best === undefined || major(version) > major(best.version))) {
      best = { path, version };
    }
    if (best !== undefined && major(best.version) >= majorMin) {
      return best;
    }
  }
  return best;
}

/** The environment in which tools written in Java, such as Maven, use this one. */
export function javaEnvironment(java: Java, env: PartSetting['env']): PartSetting['env'] {
  // macOS has a stub in /usr/bin; only a Java that lies in a `bin` of its own names a home.
  return java.path.startsWith('/usr/bin/')
    ? env
    : { ...env, JAVA_HOME: dirname(dirname(java.path)) };
}

export function major(version: string): number {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first === 1 ? second : first;
}

async function* candidates({ env }: Pick<PartSetting, 'env'>): AsyncGenerator<string> {
  const home = env['JAVA_HOME'];
  if (home !== undefined && (await isExecutable(join(home, 'bin/java')))) {
    yield join(home, 'bin/java');
  }
  const onPath = await findOnPath('java', env);
  if (onPath !== undefined) {
    yield onPath;
  }
  for (const { folder, home: inner } of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const path = join(folder, name, inner, 'bin/java');
      if (await isExecutable(path)) {
        yield path;
      }
    }
  }
}

async function javaVersion(
  path: string,
  { env, run }: Pick<PartSetting, 'env' | 'run'>,
): Promise<string | undefined> {
  const { code, output } = await run(path, ['-version'], { env, timeoutMs: 10_000 });
  return code === 0 ? /version "(\d+(?:\.\d+)*)/.exec(output)?.[1] : undefined;
}
