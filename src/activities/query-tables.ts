import { IngotError } from '../errors.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { Pointer } from '../lake/pointer.ts';
import { pointerPrefix } from '../lake/paths.ts';
import { type Column, type Table, visibleColumns } from '../lake/table.ts';
import { type DateRange, isWithinDates, windowDateAndHour, windowOf } from '../lake/window.ts';
import type { TableFile, TableInput } from '../ports.ts';
import { deadLetterColumns } from './batch-records.ts';
import type { ObjectMemory } from './object-memory.ts';
import { tableFiles } from './pointers.ts';
import { checkResultColumns } from './quality.ts';

/* Which objects are the tables that a question names. */

export type TablesDeps = {
  readonly memory: ObjectMemory;
  readonly dataset: Dataset;
};

/** Names of the tables that a question may read. */
export function tableNames(dataset: Dataset): readonly string[] {
  const windowed = [dataset.silver, ...dataset.gold].map(({ name }) => name);
  return [dataset.bronze.name, ...windowed, dataset.quarantine.name, 'dead_letters', 'dq_results'];
}

/** The files of a table in a range of dates. `TABLE_UNKNOWN` names the tables that there are. */
export async function resolveTable(
  deps: TablesDeps,
  name: string,
  dates: DateRange,
): Promise<TableInput> {
  const { dataset } = deps;
  const gold = dataset.gold.find((table) => table.name === name);
  if (gold !== undefined) return (await windowedFiles(deps, gold, dates)).table;
  if (name === dataset.quarantine.name) return quarantineTable(deps, dates);
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

/** A table that is built window by window, by the pointers of the windows in the dates. */
export async function windowedFiles(
  deps: TablesDeps,
  table: Table,
  dates: DateRange,
): Promise<{ readonly table: TableInput; readonly pointers: readonly Pointer[] }> {
  const pointers = await currentPointers(deps, table, dates);
  const { name } = table;
  const files = tableFiles(pointers);
  return { table: { kind: 'files', name, columns: visibleColumns(table), files }, pointers };
}

async function currentPointers(
  { memory }: TablesDeps,
  table: Pick<Table, 'layer' | 'name'>,
  dates: DateRange,
): Promise<readonly Pointer[]> {
  const prefix = pointerPrefix(table);
  const listed = await memory.objects.listObjects(prefix);
  const wanted = listed.filter(({ key }) =>
    isWithinDates(key.slice(prefix.length, -'.json'.length), dates),
  );
  const found = await Promise.all(wanted.map((each) => memory.readListed<Pointer>(each)));
  return found.flatMap((pointer) => (pointer === null ? [] : [pointer.value]));
}

async function quarantineTable(deps: TablesDeps, dates: DateRange): Promise<TableInput> {
  const { quarantine, silver } = deps.dataset;
  const pointers = await currentPointers(deps, silver, dates);
  const files = pointers.flatMap(({ window, quarantineKeys }) => {
    const { date, hour } = windowDateAndHour(windowOf(window));
    const partition = { event_date: date, hour: hour ?? '00' };
    return quarantineKeys.map((key) => ({ key, partition }));
  });
  return { kind: 'files', name: quarantine.name, columns: visibleColumns(quarantine), files };
}

/** A table whose files are exactly what lies under a folder. */
async function listedTable(
  { memory }: TablesDeps,
  name: string,
  prefix: string,
  columns: readonly Column[],
): Promise<TableInput> {
  const listed = await memory.objects.listObjects(prefix);
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
