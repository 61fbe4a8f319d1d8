import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Folders of test/ whose tests talk to Temporal, Kafka or S3. All others run without any server. */
export const serverFolders = [
  'activities',
  'adapters',
  'chaos',
  'e2e',
  'stack',
  'workers',
  'workflows',
] as const;

/** Folders that need no server, but bundle the workflow code or build whole tables: too slow for `unit`. */
const slowFolders: readonly string[] = ['bundle', 'engine', 'replay'];

export type TestPlan = {
  readonly mode: 'all' | 'unit' | 'record-histories';
  /** Test files relative to the root, sorted. */
  readonly files: readonly string[];
  readonly needsServers: boolean;
  /** What goes on to mocha, or to the recorder of histories. */
  readonly rest: readonly string[];
};

/**
 * What `bin/test.mjs` was asked to do: `[unit | record-histories] [--] [file…] [options of mocha]`.
 * Files that are named replace the default ones.
 */
export function planTests(root: string, args: readonly string[]): TestPlan {
  const [first] = args;
  const mode = first === 'unit' || first === 'record-histories' ? first : 'all';
  const rest = args.slice(mode === 'all' ? 0 : 1).filter((arg) => arg !== '--');
  if (mode === 'record-histories') {
    return { mode, files: [], needsServers: true, rest };
  }
  const named = rest.filter((arg) => arg.endsWith('.test.ts') && existsSync(arg));
  const all = testFiles(root).filter((file) => mode === 'all' || isUnit(file));
  const files =
    named.length > 0 ? named.map((file) => relative(root, join(process.cwd(), file))) : all;
  return {
    mode,
    files,
    needsServers: files.some(needsServer),
    rest: rest.filter((arg) => !named.includes(arg)),
  };
}

function isUnit(file: string): boolean {
  const [, folder = ''] = file.split(sep);
  return !needsServer(file) && !slowFolders.includes(folder);
}

function needsServer(file: string): boolean {
  const [, folder] = file.split(sep);
  return serverFolders.some((name) => name === folder);
}

function testFiles(root: string): readonly string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
    .sort();
}
