import { events } from '../../../src/datasets/events.ts';
import type { Column } from '../../../src/lake/table.ts';
import { visibleColumns } from '../../../src/lake/table.ts';
import type { Row, TableInput } from '../../../src/ports.ts';

/*
 * The tables that the SQL of `events` may name, and the row that a golden case starts from: a case
 * gives only the columns that it is about, the others are those of an ordinary page view in the
 * hour 2026-08-21T13, or null where nothing is ordinary.
 */

const string = (name: string): Column => ({ name, type: 'string', comment: '' });
const bigint = (name: string): Column => ({ name, type: 'bigint', comment: '' });

/** Columns by name of the logical table. */
export const logicalTables: Readonly<Record<string, readonly Column[]>> = {
  bronze_rows: events.bronze.columns,
  suspect_rows: events.bronze.columns,
  contract_values: [string('field'), string('value')],
  rejections: [
    string('_topic'),
    { name: '_partition', type: 'int', comment: '' },
    bigint('_offset'),
    string('_batch_id'),
    string('rule'),
    string('reason'),
  ],
  left_out: events.bronze.columns.filter(({ name }) =>
    ['_topic', '_partition', '_offset', '_batch_id'].includes(name),
  ),
  silver_current: visibleColumns(events.silver).filter(({ name }) =>
    ['event_id', '_topic', '_partition', '_offset', '_ingest_ts'].includes(name),
  ),
  silver_version: visibleColumns(events.silver),
  staged_before: visibleColumns(events.silver),
  silver_events: visibleColumns(events.silver),
  silver_day: visibleColumns(events.silver),
  window_figures: ['bronze_rows', 'silver_rows', 'duplicate_rows', 'rejected_rows'].map(bigint),
  events_cleaned: visibleColumns(events.silver),
  quarantine: visibleColumns(events.quarantine),
  ...Object.fromEntries(events.gold.map((table) => [table.name, visibleColumns(table)])),
};

/** The columns of a logical table; `staged` is the table that a check is for. */
export function columnsOf(name: string, staged: string): readonly Column[] {
  const columns = logicalTables[name === 'staged' ? staged : name];
  if (columns === undefined) throw new Error(`there is no logical table ${name}`);
  return columns;
}

/** A logical table with the rows of a case on top of the ordinary ones. */
export function caseTable(table: string, rows: readonly Row[], staged: string): TableInput {
  const columns = columnsOf(table, staged);
  const known = new Set(columns.map((column) => column.name));
  for (const name of rows.flatMap((row) => Object.keys(row))) {
    if (!known.has(name)) throw new Error(`${table} has no column ${name}`);
  }
  const like = table === 'staged' ? staged : table;
  const complete = rows.map((row, index) => ({ ...ordinaryRow(like, index), ...row }));
  return { name: table, columns, kind: 'rows', rows: complete };
}

/** Values that the contract allows, as the pipeline hands them to checks. */
export const contractValues: readonly Row[] = Object.entries(events.allowedValues).flatMap(
  ([field, values]) => values.map((value) => ({ field, value })),
);

const event: Row = {
  _family: 'B',
  event_type: 'page_view',
  event_ts: '2026-08-21 13:00:00',
  user_id: 'u1',
  session_id: 's1',
  device: 'desktop',
  _source: 'kafka',
  _topic: 't',
  _partition: 0,
  _batch_id: 't-0/1',
  _ingest_ts: '2026-08-21 13:00:05',
};

const ordinaryPlace: Row = { _topic: 't', _partition: 0, _ingest_ts: event['_ingest_ts'] ?? null };

function ordinaryRow(table: string, index: number): Row {
  const own = { event_id: `e${index}`, _offset: index };
  switch (table) {
    case 'bronze_rows':
    case 'suspect_rows':
      return { ...event, ...own };
    case 'silver_current':
      return { ...ordinaryPlace, ...own };
    case 'silver_version':
    case 'staged_before':
    case 'silver_events':
    case 'silver_day':
    case 'events_cleaned':
      return { ...event, ...own, event_date: '2026-08-21', hour: '13' };
    case 'rejections':
    case 'left_out':
      return { _topic: 't', _partition: 0, _batch_id: event['_batch_id'] ?? null };
    case 'top_products':
      return { as_of_date: '2026-08-21' };
    case 'hourly_revenue':
    case 'event_metrics':
      return { event_date: '2026-08-21', hour: '13' };
    default:
      return Object.hasOwn(logicalTables, table) && table !== 'contract_values' ? dated(table) : {};
  }
}

function dated(table: string): Row {
  const hasDate = logicalTables[table]?.some((column) => column.name === 'event_date') ?? false;
  return hasDate ? { event_date: '2026-08-21' } : {};
}
