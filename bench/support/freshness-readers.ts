import { setTimeout as pause } from 'node:timers/promises';
import { catalogTable } from '../../src/activities/catalog-tables.ts';
import { readPointers } from '../../src/activities/pointers.ts';
import { createReader } from '../../src/activities/query.ts';
import type { Config } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { IngotError } from '../../src/errors.ts';
import { leadingValues } from '../../src/lake/registration.ts';
import { visibleColumns } from '../../src/lake/table.ts';
import { formatInstant } from '../../src/lake/time.ts';
import { type Window, windowAt } from '../../src/lake/window.ts';
import type { CatalogPartition, Ports, TableFile } from '../../src/ports.ts';
import type { Marker, MarkerBook } from './freshness-markers.ts';
import { timedEngine } from './freshness-steps.ts';

/*
 * Readers that ask again and again for the markers that they have not seen: one as `ingot query`
 * does, and one that knows of silver only what the catalog says, as Athena or Trino do.
 */

export type ReaderDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql' | 'catalog'>;
  readonly config: Config;
  readonly book: MarkerBook;
  readonly signal: AbortSignal;
};

export type Asked = {
  readonly questions: Question[];
  readonly faults: string[];
};

export type Question = {
  readonly tookMs: number;
  /** Rows that came from the live tail. */
  readonly tailRows: number;
  readonly tailRowsLeftOut: number;
  /** Of the time that it took; what is missing went to requests for objects. */
  readonly steps: Readonly<Record<string, number>>;
};

const silverEveryMs = 250;
const catalogEveryMs = 500;
const faultsInARowMax = 20;
const idsSql = (table: string): string =>
  `SELECT event_id FROM ${table} WHERE event_id IN (SELECT unnest(string_split($ids, ',')))`;

/** What happened of late: a time, as such questions have one, and which of the events. */
const sinceSql = `${idsSql(events.silver.name)} AND event_ts >= CAST($since AS TIMESTAMP)`;

/** The resident reader, through the live tail. */
export async function readSilver({ ports, book, signal }: ReaderDeps): Promise<Asked> {
  const asked: Asked = { questions: [], faults: [] };
  const { engine, take } = timedEngine(ports.engine);
  const reader = createReader({ ports: { ...ports, engine }, dataset: events });
  await everySoOften({ everyMs: silverEveryMs, signal, faults: asked.faults }, async () => {
    const waiting = book.waiting('silver');
    if (waiting.length === 0) return;
    const startedMs = performance.now();
    const answer = await reader.ask({
      sql: sinceSql,
      parameters: { ids: idsOf(waiting), since: formatInstant(oldestOf(waiting)) },
      dateFrom: formatInstant(oldestOf(waiting)).slice(0, 10),
      dateTo: null,
    });
    book.saw('silver', answer.rows.map(idOfRow), Date.now());
    const tookMs = performance.now() - startedMs;
    const { tailRows, tailRowsLeftOut } = answer;
    asked.questions.push({ tookMs, tailRows, tailRowsLeftOut, steps: take() });
  });
  await reader.close();
  return asked;
}

/** A reader of the catalog, and after it gold, whose pointers say what silver they were made from. */
export async function readCatalogAndGold(deps: ReaderDeps): Promise<Asked> {
  const asked: Asked = { questions: [], faults: [] };
  const read = new Map<string, string>();
  const sequences = new Map<string, number>();
  await everySoOften(
    { everyMs: catalogEveryMs, signal: deps.signal, faults: asked.faults },
    async () => {
      for (const window of hoursOf(deps.book.waiting('catalog'))) {
        const partitions = await partitionsOf(deps, window);
        const registered = JSON.stringify(partitions);
        if (partitions.length === 0 || read.get(window.id) === registered) continue;
        const ids = await idsRegistered(deps, partitions);
        deps.book.saw('catalog', ids, Date.now());
        const sequence = Math.min(...partitions.map(({ location }) => sequenceOfFolder(location)));
        for (const id of ids) sequences.set(id, Math.min(sequence, sequences.get(id) ?? sequence));
        read.set(window.id, registered);
      }
      await lookAtGold(deps, sequences);
    },
  );
  return asked;
}

async function partitionsOf(
  { ports, config }: ReaderDeps,
  window: Window,
): Promise<readonly CatalogPartition[]> {
  const target = catalogTable({ id: config.INGOT_ID, bucket: config.lakeBucket }, events.silver);
  try {
    return await ports.catalog.listPartitions(target, leadingValues(window));
  } catch (error) {
    // Before the first fold there is no table yet.
    if (error instanceof IngotError && error.code === 'CATALOG_UNSETTLED') return [];
    throw error;
  }
}

async function idsRegistered(
  { ports, config, book }: ReaderDeps,
  partitions: readonly CatalogPartition[],
): Promise<readonly string[]> {
  const root = `s3://${config.lakeBucket}/`;
  const names = events.silver.partitionColumns.map(({ name }) => name);
  const files: TableFile[] = [];
  for (const { location, values } of partitions) {
    const listed = await ports.objects.listObjects(location.slice(root.length));
    const partition = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
    files.push(...listed.map(({ key }) => ({ key, partition })));
  }
  const name = 'silver_registered';
  const columns = visibleColumns(events.silver);
  const session = await ports.engine.open([{ kind: 'files', name, columns, files }]);
  try {
    const ids = idsOf(book.waiting('catalog'));
    return (await session.query(idsSql(name), { ids })).rows.map(idOfRow);
  } finally {
    await session.close();
  }
}

/** An event is in gold when every gold table of its time was made from a silver that holds it. */
async function lookAtGold(
  { ports, book }: ReaderDeps,
  sequences: ReadonlyMap<string, number>,
): Promise<void> {
  let left = book.waiting('gold').filter(({ id }) => sequences.has(id));
  for (const table of events.gold) {
    if (left.length === 0) return;
    const windows = new Set(left.map(({ producedMs }) => windowAt(producedMs, table.grain).id));
    const pointers = await readPointers(ports.objects, table, [...windows]);
    const byWindow = new Map(pointers.map((pointer) => [pointer.window, pointer]));
    left = left.filter(({ id, producedMs }) => {
      const pointer = byWindow.get(windowAt(producedMs, table.grain).id);
      const version = pointer?.silver[windowAt(producedMs, 'hour').id];
      return version !== undefined && sequenceOf(version) >= sequences.get(id)!;
    });
  }
  book.saw(
    'gold',
    left.map(({ id }) => id),
    Date.now(),
  );
}

async function everySoOften(
  { everyMs, signal, faults }: { everyMs: number; signal: AbortSignal; faults: string[] },
  work: () => Promise<void>,
): Promise<void> {
  let inARow = 0;
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      await work();
      inARow = 0;
    } catch (error) {
      // A reader whose question failed asks again; the run tells how often that was.
      faults.push(error instanceof Error ? error.message : String(error));
      inARow += 1;
      if (inARow >= faultsInARowMax) throw error;
    }
    const leftMs = Math.max(10, everyMs - (performance.now() - startedMs));
    await pause(leftMs, undefined, { signal }).catch(() => undefined);
  }
}

function hoursOf(markers: readonly Marker[]): readonly Window[] {
  const windows = markers.map(({ producedMs }) => windowAt(producedMs, 'hour'));
  return [...new Map(windows.map((window) => [window.id, window])).values()];
}

function idsOf(markers: readonly Marker[]): string {
  return markers.map(({ id }) => id).join(',');
}

function idOfRow(row: Readonly<Record<string, unknown>>): string {
  return String(row['event_id']);
}

function oldestOf(markers: readonly Marker[]): number {
  return Math.min(...markers.map(({ producedMs }) => producedMs));
}

function sequenceOfFolder(location: string): number {
  return sequenceOf(location.split('/').at(-2) ?? '');
}

/** Versions begin with their number. */
function sequenceOf(version: string): number {
  return Number(version.slice(0, 6));
}
