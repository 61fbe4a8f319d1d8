import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { listOf, parseSqlFile } from '../../../src/adapters/sql-library.ts';
import { events } from '../../../src/datasets/events.ts';
import type { Parameters, Row, SqlFile, SqlLibrary, TableInput } from '../../../src/ports.ts';
import { caseTable, contractValues } from './logical-tables.ts';

/*
 * Golden cases: `cases/<kind>/<name>.yaml` belongs to `sql/events/<kind>/<name>.sql`. A file is a
 * list of cases:
 *
 *   - claim:       a sentence that is true when the case passes
 *     tables:      rows by logical table; a table that is not given is empty
 *     parameters:  on top of the thresholds of the dataset and of the window or dates below
 *     expect:      all rows of the answer, each with the columns that the case is about
 *
 * Answers are compared in the order of the statement, if it has one.
 */

export const kinds = ['silver', 'gold', 'checks', 'queries'] as const;
export type Kind = (typeof kinds)[number];

export type SqlCase = {
  readonly kind: Kind;
  readonly file: SqlFile;
  readonly claim: string;
  /** All tables that the statement reads. */
  readonly tables: readonly TableInput[];
  readonly parameters: Parameters;
  readonly expect: readonly Row[];
};

type CaseText = {
  readonly claim: string;
  readonly tables?: Readonly<Record<string, readonly Row[]>>;
  readonly parameters?: Parameters;
  readonly expect: readonly Row[];
};

const sqlFolder = new URL('../../../sql/', import.meta.url);
const casesFolder = new URL('../cases/', import.meta.url);

/** What loadSqlLibrary reads, at once: the tests are made from it before any of them runs. */
export function loadEventsSql(): SqlLibrary {
  const load = (kind: Kind): Readonly<Record<string, SqlFile>> => {
    const folder = new URL(`events/${kind}/`, sqlFolder);
    const files = readdirSync(folder).map((path): [string, SqlFile] => {
      const name = path.replace(/\.sql$/, '');
      const text = readFileSync(new URL(path, folder), 'utf8');
      return [name, parseSqlFile({ path, name, kind, text })];
    });
    return Object.fromEntries(files);
  };
  return {
    silver: load('silver'),
    gold: load('gold'),
    checks: load('checks'),
    queries: load('queries'),
  };
}

/** Names of the case files of a kind. */
export function caseFileNames(kind: Kind): readonly string[] {
  const names = readdirSync(new URL(`${kind}/`, casesFolder));
  return names.map((name) => name.replace(/\.yaml$/, '')).sort();
}

/** The cases of one SQL file. */
export function loadCases(kind: Kind, file: SqlFile): readonly SqlCase[] {
  const text = readFileSync(new URL(`${kind}/${file.name}.yaml`, casesFolder), 'utf8');
  return (parse(text) as readonly CaseText[]).map((given) => ({
    kind,
    file,
    claim: given.claim,
    tables: tablesOf(kind, file, given),
    parameters: { ...defaultParameters(kind, file), ...given.parameters },
    expect: given.expect,
  }));
}

/** The window or dates that a statement is run for when a case says nothing else. */
export function defaultParameters(kind: Kind, file: SqlFile): Parameters {
  if (kind === 'queries') return { date_from: '2026-08-21', date_to: '2026-08-22' };
  const table = file.header['table'];
  const grain = events.gold.find(({ name }) => name === table)?.grain ?? 'hour';
  return grain === 'day'
    ? {
        ...events.thresholds,
        window_start: '2026-08-21 00:00:00',
        window_end: '2026-08-22 00:00:00',
      }
    : {
        ...events.thresholds,
        window_start: '2026-08-21 13:00:00',
        window_end: '2026-08-21 14:00:00',
      };
}

/** The answer cut down to what a case says about it, to be compared with what it expects. */
export function comparable(sqlCase: SqlCase, rows: readonly Row[]): readonly Row[] {
  const cut = rows.map((row, index) => {
    const expected = sqlCase.expect[index] ?? sqlCase.expect[0];
    if (expected === undefined) return row;
    return Object.fromEntries(Object.keys(expected).map((name) => [name, row[name] ?? null]));
  });
  return isOrdered(sqlCase) ? cut : inAnyOrder(cut);
}

/** What the case expects, in the order of `comparable`. */
export function expected(sqlCase: SqlCase): readonly Row[] {
  return isOrdered(sqlCase) ? sqlCase.expect : inAnyOrder(sqlCase.expect);
}

const isOrdered = ({ file }: SqlCase): boolean => /\nORDER BY [^()]*$/.test(file.sql);

function inAnyOrder(rows: readonly Row[]): readonly Row[] {
  const texts = rows.map((row) => [JSON.stringify(row), row] as const);
  return texts.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function tablesOf(kind: Kind, file: SqlFile, given: CaseText): readonly TableInput[] {
  const reads = listOf(file.header['reads']);
  const unread = Object.keys(given.tables ?? {}).filter((name) => !reads.includes(name));
  if (unread.length > 0) {
    throw new Error(`${kind}/${file.name}.yaml gives ${unread.join()}, which it does not read`);
  }
  return reads.map((name) => {
    const rows = given.tables?.[name] ?? (name === 'contract_values' ? contractValues : []);
    return caseTable(name, rows, file.header['table'] ?? '');
  });
}
