import { IngotError } from '../errors.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { Pointer } from '../lake/pointer.ts';
import { type Column, type Table, visibleColumns } from '../lake/table.ts';
import { type DateRange, isWithinDates, windowDateAndHour, windowOf } from '../lake/window.ts';
import type { Parameters, Ports, QueryResult, TableFile, TableInput } from '../ports.ts';
import { deadLetterColumns } from './batch-records.ts';
import { type LiveTail, readLiveTail, readUnsettled } from './live-tail.ts';
import { listWindows, readPointers, tableFiles } from './pointers.ts';
import { checkResultColumns } from './quality.ts';

/* Asking the lake: tables are resolved through the pointers, and silver with its live tail. */

export type QueryDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql'>;
  readonly dataset: Dataset;
};

/** Windows outside the dates are not read. */
export type Question = DateRange & {
  readonly sql: string;
  readonly parameters: Parameters;
};

export type Answer = QueryResult & {
  /** Rows of silver that came from the live tail. */
  readonly tailRows: number;
};

/** Answers one SELECT. `TABLE_UNKNOWN` names the tables that there are. */
export async function ask(deps: QueryDeps, question: Question): Promise<Answer> {
  const { engine, objects } = deps.ports;
  const names = await engine.tablesOf(question.sql);
  const isLive = names.includes(deps.dataset.silver.name);
  // Before the pointers: a batch that is built meanwhile may then be in both, and is told by them.
  // The other way round it could be in neither.
  const batches = isLive ? await readUnsettled(objects, deps.dataset.name) : [];
  const tables: TableInput[] = [];
  let tail: LiveTail | null = null;
  for (const name of names) {
    if (name === deps.dataset.silver.name) {
      const files = await windowedFiles(deps, deps.dataset.silver, question);
      tail = await readLiveTail(deps, { batches, pointers: files.pointers, dates: question });
      tables.push(...silverTables(deps.dataset, files.table, tail));
    } else {
      tables.push(await resolveTable(deps, name, question));
    }
  }
  const session = await engine.open(tables);
  try {
    if (tail !== null && tail.rows.length > 0) {
      await session.materialize(deps.dataset.silver.name, unionSql(deps.dataset));
    }
    const result = await session.query(question.sql, question.parameters);
    return { ...result, tailRows: tail?.rows.length ?? 0 };
  } finally {
    await session.close();
  }
}

/** Names of the tables that a question may read. */
export function tableNames(dataset: Dataset): readonly string[] {
  const windowed = [dataset.silver, ...dataset.gold].map(({ name }) => name);
  return [dataset.bronze.name, ...windowed, dataset.quarantine.name, 'dead_letters', 'dq_results'];
}

const settledName = 'silver_settled';
const tailName = 'silver_tail';

/** Without a tail the table is its files; with one it is made of both when the session opens. */
function silverTables(dataset: Dataset, table: TableInput, tail: LiveTail): readonly TableInput[] {
  if (tail.rows.length === 0) return [table];
  const columns = visibleColumns(dataset.silver);
  return [
    { ...table, name: settledName },
    { kind: 'rows', name: tailName, columns, rows: tail.rows },
  ];
}

function unionSql(dataset: Dataset): string {
  const columns = visibleColumns(dataset.silver)
    .map(({ name }) => name)
    .join(', ');
  return `SELECT ${columns} FROM ${settledName} UNION ALL SELECT ${columns} FROM ${tailName}`;
}

async function resolveTable(
  deps: QueryDeps,
  name: string,
  question: Question,
): Promise<TableInput> {
  const { dataset } = deps;
  const gold = dataset.gold.find((table) => table.name === name);
  if (gold !== undefined) return (await windowedFiles(deps, gold, question)).table;
  if (name === dataset.quarantine.name) return quarantineTable(deps, question);
  if (name === dataset.bronze.name) {
    return listedTable(deps, name, `bronze/${dataset.name}/`, visibleColumns(dataset.bronze));
  }
  if (name === 'dead_letters') {
    return listedTable(deps, name, `dead_letters/${dataset.name}/`, deadLetterColumns);
  }
  if (name === 'dq_results') return listedTable(deps, name, 'dq_results/', checkResultColumns);
  throw new IngotError(
    'TABLE_UNKNOWN',
    `there is no table ${name}: ${tableNames(dataset).join(', ')}`,
    {
      retryable: false,
    },
  );
}

async function windowedFiles(
  deps: QueryDeps,
  table: Table,
  question: Question,
): Promise<{ readonly table: TableInput; readonly pointers: readonly Pointer[] }> {
  const pointers = await currentPointers(deps, table, question);
  const columns = visibleColumns(table);
  const input: TableInput = {
    kind: 'files',
    name: table.name,
    columns,
    files: tableFiles(pointers),
  };
  return { table: input, pointers };
}

async function currentPointers(
  { ports }: QueryDeps,
  table: Pick<Table, 'layer' | 'name'>,
  dates: DateRange,
): Promise<readonly Pointer[]> {
  const windows = await listWindows(ports.objects, table);
  return readPointers(
    ports.objects,
    table,
    windows.filter((id) => isWithinDates(id, dates)),
  );
}

async function quarantineTable(deps: QueryDeps, question: Question): Promise<TableInput> {
  const { quarantine, silver } = deps.dataset;
  const pointers = await currentPointers(deps, silver, question);
  const files = pointers.flatMap(({ window, quarantineKeys }) => {
    const { date, hour } = windowDateAndHour(windowOf(window));
    const partition = { event_date: date, hour: hour ?? '00' };
    return quarantineKeys.map((key) => ({ key, partition }));
  });
  return { kind: 'files', name: quarantine.name, columns: visibleColumns(quarantine), files };
}

/** A table whose files are exactly what lies under a folder. */
async function listedTable(
  { ports }: QueryDeps,
  name: string,
  prefix: string,
  columns: readonly Column[],
): Promise<TableInput> {
  const listed = await ports.objects.listObjects(prefix);
  const known = new Set(columns.map((column) => column.name));
  const files = listed.map(({ key }): TableFile => ({ key, partition: foldersOf(key, known) }));
  return { kind: 'files', name, columns, files };
}

/** Values of `name=value` folders that are columns of the table. */
function foldersOf(key: string, known: ReadonlySet<string>): Record<string, string> {
  const pairs = key.split('/').flatMap((folder) => {
    const equals = folder.indexOf('=');
    const name = folder.slice(0, equals);
    return equals > 0 && known.has(name)
      ? [[name, decodeURIComponent(folder.slice(equals + 1))] as const]
      : [];
  });
  return Object.fromEntries(pairs);
}
