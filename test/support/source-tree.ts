import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/*
 * The repository as text: its files, and the imports and exports of its modules. Read by pattern,
 * which prettier's one way of writing an import allows: a parser takes two seconds longer.
 */

export const root = new URL('../../', import.meta.url);

const ignoredFolders = new Set(['.git', 'node_modules', 'dist', 'coverage']);
const ignoredFiles = /^\.env$|\.(log|tsbuildinfo)$/;

/** Every file of the repository, as .gitignore sees it, relative to the root and sorted. */
export function repositoryFiles(): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(new URL(folder, root), { withFileTypes: true })) {
      if (entry.isDirectory() && !ignoredFolders.has(entry.name)) walk(`${folder}${entry.name}/`);
      if (entry.isFile() && !ignoredFiles.test(entry.name)) found.push(`${folder}${entry.name}`);
    }
  };
  walk('./');
  return found.map((file) => file.slice(2)).sort();
}

export function readText(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}

export type Import = {
  /** Path from the root, such as `src/lake/time.ts`. */
  readonly file: string;
  /** Names as the other module calls them; `*` for all of them. */
  readonly names: readonly string[];
  readonly isTypeOnly: boolean;
};

const statement = /^(?:import|export)\s+(type\s+)?([^;'"]*?)\s*from\s+'(\.[^']+)';/gm;
const bareImport = /^import\s+'(\.[^']+)';/gm;
const awaited = /(?:\{([^{}]*)\}|\w+)\s*=\s*await import\('(\.[^']+)'\)/g;
const typeQuery = /import\('(\.[^']+)'\)(?:\.(\w+))?/g;

/** The relative imports and re-exports of a module. */
export function importsOf(file: string, text: string): readonly Import[] {
  const resolve = (specifier = ''): string => posix.join(posix.dirname(file), specifier);
  const found: Import[] = [];
  for (const [, type, clause = '', specifier] of text.matchAll(statement)) {
    const names = namesIn(clause);
    const isTypeOnly = type !== undefined || areTypes(clause);
    found.push({ file: resolve(specifier), names, isTypeOnly });
  }
  for (const [, specifier] of text.matchAll(bareImport)) {
    found.push({ file: resolve(specifier), names: [], isTypeOnly: false });
  }
  const awaitedAt = new Set<string>();
  for (const [whole, names, specifier] of text.matchAll(awaited)) {
    awaitedAt.add(whole);
    const taken = names === undefined ? ['*'] : namesIn(`{${names.replace(/:/g, ' as ')}}`);
    found.push({ file: resolve(specifier), names: taken, isTypeOnly: false });
  }
  const rest = [...awaitedAt].reduce((left, whole) => left.replace(whole, ''), text);
  for (const [, specifier, name] of rest.matchAll(typeQuery)) {
    found.push({ file: resolve(specifier), names: [name ?? '*'], isTypeOnly: name !== undefined });
  }
  return found;
}

function namesIn(clause: string): readonly string[] {
  if (!clause.includes('{')) return ['*'];
  return bracesOf(clause).map((name) => name.replace(/^type\s+/, '').split(/\s+as\s+/)[0] ?? '');
}

function areTypes(clause: string): boolean {
  const names = bracesOf(clause);
  return names.length > 0 && names.every((name) => name.startsWith('type '));
}

function bracesOf(clause: string): readonly string[] {
  return (/\{([^}]*)\}/s.exec(clause)?.[1] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export type Export = { readonly name: string; readonly isType: boolean };

const declaration =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(function\*?|const|let|class|type|interface|enum)\s+(\w+)/gm;
const list = /^export\s+(type\s+)?(\{[^}]*\})/gm;

/** What a module exports by name, its own and others'. */
export function exportsOf(text: string): readonly Export[] {
  const declared = [...text.matchAll(declaration)].map(([, kind, name = '']) => ({
    name,
    isType: kind === 'type' || kind === 'interface',
  }));
  const listed = [...text.matchAll(list)].flatMap(([, type, names = '']) =>
    bracesOf(names).map((name) => ({
      name: name.replace(/^type\s+/, '').replace(/^.*\s+as\s+/, ''),
      isType: type !== undefined || name.startsWith('type '),
    })),
  );
  return [...declared, ...listed];
}

/** The cycles of a graph, one for each edge that closes one, as paths that end where they begin. */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at >= 0) cycles.push([...path.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}

/** Texts between backticks, and the lines of fenced blocks. */
export function codeIn(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^```.*\n([\s\S]*?)^```/gm)].map(([, body = '']) => body);
  const prose = markdown.replace(/^```.*\n[\s\S]*?^```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...spans, ...blocks.flatMap((block) => block.split('\n'))];
}

/** Targets of the links of a page, without those in code. */
export function linksIn(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*\n[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsIn(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*\n[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}
