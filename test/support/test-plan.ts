import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { longestTests } from './longest-tests.ts';

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

/**
 * Folders that need no server, but bundle the workflow code, build whole tables and files, start processes,
 * stop and interleave the protocol at every step, or prove what holds at scale: too slow for `unit`.
 */
const slowFolders: readonly string[] = [
  'bundle',
  'engine',
  'processes',
  'protocol',
  'replay',
  'scale',
];

export type TestPlan = {
  readonly mode: 'all' | 'unit' | 'record-histories';
  /** Test files relative to the root, in the order in which they begin. */
  readonly files: readonly string[];
  readonly needsServers: boolean;
  /** How many processes of mocha run the files; 1: that of mocha itself. */
  readonly jobs: number;
  /** What goes on to mocha, or to the recorder of histories. */
  readonly rest: readonly string[];
};

/**
 * What `bin/test.mjs` was asked to do: `[unit | record-histories] [--] [file…] [options of mocha]`.
 * Files that are named replace the default ones.
 */
export function planTests(root: string, args: readonly string[], cores: number): TestPlan {
  const [first] = args;
  const mode = first === 'unit' || first === 'record-histories' ? first : 'all';
  const rest = args.slice(mode === 'all' ? 0 : 1).filter((arg) => arg !== '--');
  if (mode === 'record-histories') {
    return { mode, files: [], needsServers: true, jobs: 1, rest };
  }
  const named = rest.filter((arg) => arg.endsWith('.test.ts') && existsSync(arg));
  const all = longestFirst(testFiles(root)).filter((file) => mode === 'all' || isUnit(file));
  const files =
    named.length > 0 ? named.map((file) => relative(root, join(process.cwd(), file))) : all;
  const isSerial = files.length <= 1 || rest.some((arg) => serialOptions.test(arg));
  return {
    mode,
    files,
    needsServers: files.some(needsServer),
    jobs: isSerial ? 1 : cores,
    rest: rest.filter((arg) => !named.includes(arg)),
  };
}

/** Options of mocha that one process of it has to see all files for. */
const serialOptions = /^(--(inspect|sort|file|no-parallel|watch)|-S$|-w$)/;

/** A long file that began last would be waited for alone. */
function longestFirst(files: readonly string[]): readonly string[] {
  const rank = (file: string): number => {
    const found = longestTests.indexOf(file.split(sep).slice(1).join('/'));
    return found === -1 ? longestTests.length : found;
  };
  return files.toSorted((left, right) => rank(left) - rank(right));
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
