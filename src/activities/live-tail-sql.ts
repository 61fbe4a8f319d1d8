import { type Table, visibleColumns } from '../lake/table.ts';

/*
 * The SQL around the parts of a live tail. The rule is that of left_out.sql: of equal ids the
 * row that came first is the one, unless the current version has the id.
 */

/** Where a row of silver came from: no two have all of it. A topic made anew counts from 0 again. */
const place = ['_topic', '_partition', '_offset', '_batch_id'];
const order = ['_ingest_ts', ...place];

/** The places of rows that do not show, of the parts that are added and of those that were there. */
export function hiddenSql(from: {
  readonly added: readonly string[];
  readonly before: readonly string[];
  readonly version: string;
  /** What was hidden before. */
  readonly hidden: string | null;
}): string {
  const columns = ['event_id', ...order].join(', ');
  const select = (tables: readonly string[]): string =>
    unionSql(tables.map((table) => `SELECT ${columns} FROM ${table}`));
  const again =
    from.before.length === 0
      ? 'SELECT * FROM added'
      : `SELECT * FROM added UNION ALL SELECT ${columns} FROM (${select(from.before)}) AS b ` +
        'WHERE EXISTS (SELECT 1 FROM added AS a WHERE a.event_id = b.event_id)';
  const places = place.join(', ');
  const known = from.hidden === null ? '' : ` UNION SELECT ${places} FROM ${from.hidden}`;
  return (
    `WITH added AS (${select(from.added)}), same AS (${again}), ranked AS (` +
    `SELECT ${columns}, row_number() OVER (PARTITION BY event_id ORDER BY ${order.join(', ')}) ` +
    // The few ids that the version has too, looked for among its many rows: the other way around the
    // engine would keep all ids of the version at hand, for every question.
    'AS place FROM same), held AS (' +
    `SELECT event_id FROM ${from.version} WHERE event_id IN (SELECT event_id FROM same)) ` +
    `SELECT ${places} FROM ranked WHERE place > 1 ` +
    `OR event_id IN (SELECT event_id FROM held)${known}`
  );
}

/** The rows of some parts, without those that are hidden. */
export function shownSql(
  table: Table,
  { parts, hidden }: { readonly parts: readonly string[]; readonly hidden: string | null },
): string {
  const columns = visibleColumns(table)
    .map(({ name }) => name)
    .join(', ');
  const all = unionSql(parts.map((part) => `SELECT ${columns} FROM ${part}`));
  if (hidden === null) return all;
  const equal = place.map((name) => `h.${name} = p.${name}`).join(' AND ');
  return (
    `SELECT ${columns} FROM (${all}) AS p ` +
    `WHERE NOT EXISTS (SELECT 1 FROM ${hidden} AS h WHERE ${equal})`
  );
}

export function unionSql(sources: readonly string[]): string {
  return sources.join(' UNION ALL ');
}
