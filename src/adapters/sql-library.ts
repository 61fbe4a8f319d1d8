import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { IngotError } from '../errors.ts';
import type { SqlFile, SqlLibrary } from '../ports.ts';

/*
 * The SQL of a dataset, `<folder>/<dataset>/{silver,gold,checks,queries}/<name>.sql`. A file begins
 * with comment lines: `-- key: value` ones first, then its purpose in words. The text that runs
 * begins after them, so that a better sentence of purpose does not make every window stale.
 */

type Kind = keyof SqlLibrary;

type HeaderRule = {
  readonly required: readonly string[];
  readonly optional: readonly string[];
};

const always = ['table', 'grain', 'reads'];
const headerRules: Readonly<Record<Kind, HeaderRule>> = {
  silver: { required: always, optional: ['params'] },
  gold: { required: always, optional: ['params'] },
  checks: {
    required: [...always, 'layer', 'severity', 'runs'],
    optional: ['scored', 'params'],
  },
  queries: { required: always, optional: ['question', 'params'] },
};

/** Values of the keys that have a closed list of them. */
const closedValues: Readonly<Record<string, readonly string[]>> = {
  layer: ['bronze', 'silver', 'gold'],
  severity: ['warn', 'reject', 'gate'],
  runs: ['row', 'window'],
  scored: [
    'null_detection',
    'data_types',
    'price_range',
    'date_range',
    'duplicates',
    'row_reconciliation',
    'schema_conformity',
  ],
};

/** Reads all SQL of a dataset. `CONFIG_INVALID` with file and line when a header is not complete. */
export async function loadSqlLibrary(folder: URL, dataset: string): Promise<SqlLibrary> {
  const root = new URL(`${dataset}/`, folder.href.endsWith('/') ? folder : `${folder.href}/`);
  const [silver, gold, checks, queries] = await Promise.all([
    loadKind(root, 'silver'),
    loadKind(root, 'gold'),
    loadKind(root, 'checks'),
    loadKind(root, 'queries'),
  ]);
  return { silver, gold, checks, queries };
}

/** Values of a header such as `reads: staged, contract_values`. */
export function listOf(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

async function loadKind(root: URL, kind: Kind): Promise<Readonly<Record<string, SqlFile>>> {
  const folder = new URL(`${kind}/`, root);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const files = await Promise.all(
    names.map(async (name): Promise<SqlFile> => {
      const url = new URL(name, folder);
      const text = await readFile(url, 'utf8');
      return parseSqlFile({ path: fileURLToPath(url), name: name.slice(0, -4), kind, text });
    }),
  );
  return Object.fromEntries(files.map((file) => [file.name, file]));
}

/** One file from its text; `path` is for the messages. */
export function parseSqlFile(source: {
  readonly path: string;
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
}): SqlFile {
  const lines = source.text.split('\n');
  const headerEnd = lines.findIndex((line) => !line.startsWith('--'));
  const comments = lines.slice(0, headerEnd < 0 ? lines.length : headerEnd);
  const rule = headerRules[source.kind];
  const fail = (line: number, sentence: string) => invalid(source.path, line, sentence);

  const header: Record<string, string> = {};
  const purpose: string[] = [];
  for (const [index, comment] of comments.entries()) {
    const [, key = '', value = ''] = /^-- ([a-z]+): *(.*)$/.exec(comment) ?? [];
    const isKnown = [...rule.required, ...rule.optional].includes(key);
    if (key === '' || (purpose.length > 0 && !isKnown)) {
      purpose.push(comment.replace(/^-- ?/, ''));
      continue;
    }
    if (purpose.length > 0) throw fail(index + 1, `"${key}:" stands after the purpose`);
    const problem = problemOf({ key, value: value.trim(), rule, header });
    if (problem !== null) throw fail(index + 1, problem);
    header[key] = value.trim();
  }
  const missing = rule.required.filter((key) => header[key] === undefined);
  if (missing.length > 0) {
    throw fail(comments.length + 1, `the header has no "-- ${missing.join(':", "-- ')}:"`);
  }
  if (purpose.join('').trim() === '') {
    throw fail(comments.length + 1, 'the header does not say what the statement is for');
  }
  const sql = lines.slice(comments.length).join('\n').trim();
  if (sql === '') throw fail(comments.length + 1, 'there is no statement');
  return { name: source.name, sql, header: { ...header, purpose: purpose.join(' ').trim() } };
}

function problemOf(found: {
  key: string;
  value: string;
  rule: HeaderRule;
  header: Readonly<Record<string, string>>;
}): string | null {
  const { key, value, rule, header } = found;
  if (![...rule.required, ...rule.optional].includes(key)) return `"${key}" is no header here`;
  if (header[key] !== undefined) return `"${key}" is there twice`;
  if (value === '') return `"${key}" has no value`;
  const allowed = closedValues[key];
  if (allowed !== undefined && !allowed.includes(value)) {
    return `"${key}" is "${value}", wanted one of ${allowed.join(', ')}`;
  }
  return null;
}

function invalid(file: string, line: number, sentence: string): IngotError {
  return new IngotError('CONFIG_INVALID', sentence, { retryable: false, facts: { file, line } });
}
