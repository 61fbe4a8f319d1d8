import type { BatchFacts } from '../lake/checkpoint.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { WindowId } from '../lake/window.ts';
import { visibleColumns } from '../lake/table.ts';
import type { Parameters, SqlFile, SqlLibrary, SqlSession, UnloadOptions } from '../ports.ts';

/* The SQL of a silver build that is put together from several files. */

export function sqlOf(files: Readonly<Record<string, SqlFile>>, name: string): string {
  const file = files[name];
  if (file === undefined) throw new Error(`there is no SQL file ${name}`);
  return file.sql;
}

/** So few rows are read once and held: a dozen statements read them. */
const rowsHeldAlways = 150_000;
/** Of more rows, so few files are read by every statement: that costs less than holding their rows. */
const filesReadAgainMax = 256;
/** More rows of bronze are not held, unless a reject check may hit them: they would fill the memory. */
const rowsHeldMax = 1_000_000;

/** Rows of a window in some batches, by their seals. */
export function sealedRows(batches: readonly BatchFacts[], window: WindowId): number {
  return batches.reduce((sum, { rowsPerEventHour }) => sum + (rowsPerEventHour[window] ?? 0), 0);
}

/** The name under which the files of bronze are declared to a session. */
export function bronzeInput(
  batches: readonly BatchFacts[],
  window: WindowId,
): 'bronze_files' | 'bronze_rows' {
  const rows = sealedRows(batches, window);
  const isHeld =
    rows <= rowsHeldAlways || (batches.length > filesReadAgainMax && rows <= rowsHeldMax);
  return isHeld ? 'bronze_files' : 'bronze_rows';
}

/** Whether bronze may be read once more for each file of silver, rather than hold the rows of all. */
export function isReadPerFile(batches: readonly BatchFacts[], window: WindowId): boolean {
  return bronzeInput(batches, window) === 'bronze_files' || batches.length <= filesReadAgainMax;
}

/** The tables that the statements of a build read, each made once for all of them. */
export const preparedTables = [
  'bronze_rows',
  'silver_current',
  'suspect_rows',
  'rejections',
  'left_out',
] as const;

/** Makes `preparedTables` of a window. */
export async function prepareSilver(
  session: SqlSession,
  from: Pick<SqlLibrary, 'silver' | 'checks'> & {
    readonly dataset: Pick<Dataset, 'bronze'>;
    readonly bronze: ReturnType<typeof bronzeInput>;
  },
  parameters: Parameters,
): Promise<void> {
  const { silver, checks, dataset, bronze } = from;
  if (bronze === 'bronze_files') {
    const columns = dataset.bronze.columns.map(({ name }) => name).join(', ');
    const sql =
      `SELECT ${columns} FROM bronze_files WHERE event_ts >= CAST($window_start AS TIMESTAMP) ` +
      'AND event_ts < CAST($window_end AS TIMESTAMP)';
    await session.materialize('bronze_rows', sql, parameters);
  }
  await session.materialize('silver_current', sqlOf(silver, 'silver_current'), parameters);
  await session.materialize('suspect_rows', sqlOf(silver, 'suspect_rows'), parameters);
  await session.materialize('rejections', rejectionsSql(checks), parameters);
  await session.materialize('left_out', sqlOf(silver, 'left_out'), parameters);
}

/**
 * The rows of the files that a build writes: new ones, and those of small files that are merged. Where they
 * are not held, they have no order but that in which the engine reads them.
 */
export function rowsOfFiles(
  models: Readonly<Record<string, SqlFile>>,
  {
    silver,
    isMerging,
    isPerFile,
  }: {
    readonly silver: Dataset['silver'];
    readonly isMerging: boolean;
    readonly isPerFile: boolean;
  },
): Pick<UnloadOptions, 'sql' | 'perFile'> {
  const columns = visibleColumns(silver)
    .map(({ name }) => name)
    .join(', ');
  const cleaned = sqlOf(models, 'events_cleaned');
  const rows = isMerging
    ? `SELECT ${columns} FROM (\n${cleaned}\n) AS added\n` +
      `UNION ALL\nSELECT ${columns} FROM silver_merge`
    : cleaned;
  if (isPerFile) return { sql: rows, perFile: true };
  // The rows of each file next to each other: the others are then skipped.
  const order = 'event_type, event_ts, event_id';
  return { sql: `SELECT ${columns} FROM (\n${rows}\n) AS rows_of_files\nORDER BY ${order}` };
}

export type Counts = {
  readonly bronze_rows: number;
  readonly rejected_rows: number;
  readonly duplicate_rows: number;
  readonly better_duplicates: number;
};

/** What `accounting.sql` counts. */
export async function countRows(
  session: SqlSession,
  silver: Readonly<Record<string, SqlFile>>,
  parameters: Parameters,
): Promise<Counts> {
  const { rows } = await session.query(sqlOf(silver, 'accounting'), parameters);
  const counted = rows[0] ?? {};
  const number = (name: string) => Number(counted[name] ?? 0);
  return {
    bronze_rows: number('bronze_rows'),
    rejected_rows: number('rejected_rows'),
    duplicate_rows: number('duplicate_rows'),
    better_duplicates: number('better_duplicates'),
  };
}

/** The union of what the reject checks find; the rule is the name of the check. */
export function rejectionsSql(checks: Readonly<Record<string, SqlFile>>): string {
  const parts = rejectChecks(checks).map(
    ({ name, sql }) =>
      `SELECT _topic, _partition, _offset, _batch_id, '${ruleName(name)}' AS rule, reason FROM (\n${sql}\n) AS found`,
  );
  return parts.join('\nUNION ALL\n');
}

/** Names of checks are names of our own files; anything else would not be pasted into SQL. */
function ruleName(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`not a check name: ${name}`);
  return name;
}

/** The checks whose rows go to quarantine. */
export function rejectChecks(checks: Readonly<Record<string, SqlFile>>): readonly SqlFile[] {
  return Object.values(checks).filter(({ header }) => header.severity === 'reject');
}
