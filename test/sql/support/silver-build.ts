import { sqlOf } from '../../../src/activities/silver-sql.ts';
import { events } from '../../../src/datasets/events.ts';
import { visibleColumns } from '../../../src/lake/table.ts';
import type { Parameters, Row, SqlLibrary, SqlSession } from '../../../src/ports.ts';

/* The silver part of a build, on tables of a session that is open. */

export type SilverBuild = {
  /** New rows, in the order of the files. */
  readonly rows: readonly Row[];
  readonly accounting: Row;
};

/** Cleans and counts, from `bronze_rows`, `rejections` and `silver_version`, which must be there. */
export async function buildSilver(
  session: SqlSession,
  library: SqlLibrary,
  parameters: Parameters,
): Promise<SilverBuild> {
  await session.materialize('silver_current', sqlOf(library.silver, 'silver_current'), parameters);
  await session.materialize('left_out', sqlOf(library.silver, 'left_out'), parameters);
  const [accounting] = (await session.query(sqlOf(library.silver, 'accounting'), parameters)).rows;
  await session.materialize('silver_new', sqlOf(library.silver, 'events_cleaned'), parameters);
  const { rows } = await session.query('SELECT * FROM silver_new ORDER BY event_ts, event_id');
  return { rows, accounting: accounting ?? {} };
}

/** What a fold publishes is the current version for the next one. */
export async function publishFold(session: SqlSession): Promise<void> {
  const columns = visibleColumns(events.silver).map(({ name }) => name);
  const select = (table: string) => `SELECT ${columns.join(', ')} FROM ${table}`;
  await session.materialize(
    'silver_next',
    `${select('silver_version')} UNION ALL ${select('silver_new')}`,
  );
  await session.materialize('silver_version', select('silver_next'));
}
