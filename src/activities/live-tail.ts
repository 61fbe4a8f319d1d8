import { type BatchFacts, factsOf } from '../lake/checkpoint.ts';
import { type TailWindow, liveTail } from '../lake/live-tail.ts';
import {
  type LogName,
  afterLogEntry,
  bookmarkKey,
  bronzeKeyInHour,
  logPrefix,
} from '../lake/paths.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { Pointer } from '../lake/pointer.ts';
import type { Seal } from '../lake/source-log.ts';
import { visibleColumns } from '../lake/table.ts';
import { type DateRange, isWithinDates, windowOf, windowParameters } from '../lake/window.ts';
import type { ObjectStore, Ports, Row, TableInput } from '../ports.ts';
import { newestCheckpoint, readBatches } from './checkpoints.ts';
import { readJson } from './json-objects.ts';
import { tableFiles } from './pointers.ts';
import { contractValues } from './silver-inputs.ts';
import { bronzeInput, prepareSilver, sqlOf } from './silver-sql.ts';
import type { LogRef } from './source-log.ts';

/* The live tail: sealed batches that no version has yet, cleaned by the SQL that builds silver. */

export type LiveTailDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql'>;
  readonly dataset: Dataset;
};

export type LiveTail = {
  readonly rows: readonly Row[];
  /** Bronze rows that were left out because the tail is too long for one reader. */
  readonly leftOut: number;
};

/** Above so many bronze rows a window of the tail is left to the next build. */
const tailRowsMax = 200_000;

/**
 * The tail of the windows in a range of dates. The pointers are those that the reader reads beside
 * it, of all windows of the range that have one, and were read after the batches.
 */
export async function readLiveTail(
  deps: LiveTailDeps,
  from: {
    readonly batches: readonly BatchFacts[];
    readonly pointers: readonly Pointer[];
    readonly dates: DateRange;
  },
): Promise<LiveTail> {
  const known = new Map(from.pointers.map((pointer) => [pointer.window, pointer]));
  const tails = liveTail(from.batches, known);
  const rows: Row[] = [];
  let leftOut = 0;
  for (const tail of tails.filter(({ window }) => isWithinDates(window, from.dates))) {
    if (rows.length + tail.rows > tailRowsMax) leftOut += tail.rows;
    else rows.push(...(await cleanTail(deps, tail, known.get(tail.window) ?? null)));
  }
  return { rows, leftOut };
}

async function cleanTail(
  { ports, dataset }: LiveTailDeps,
  tail: TailWindow,
  current: Pointer | null,
): Promise<readonly Row[]> {
  const session = await ports.engine.open(tailTables(dataset, tail, current));
  try {
    const parameters = { ...dataset.thresholds, ...windowParameters(windowOf(tail.window)) };
    const bronze = bronzeInput(tail.batches, tail.window);
    await prepareSilver(session, { ...ports.sql, dataset, bronze }, parameters);
    return (await session.query(sqlOf(ports.sql.silver, 'events_cleaned'), parameters)).rows;
  } finally {
    await session.close();
  }
}

function tailTables(
  dataset: Dataset,
  tail: TailWindow,
  current: Pointer | null,
): readonly TableInput[] {
  return [
    {
      kind: 'files',
      name: bronzeInput(tail.batches, tail.window),
      columns: dataset.bronze.columns,
      files: tail.batches.map((batch) => ({
        key: bronzeKeyInHour(dataset.name, batch),
        partition: {},
      })),
    },
    {
      kind: 'files',
      name: 'silver_version',
      columns: visibleColumns(dataset.silver),
      files: current === null ? [] : tableFiles([current]),
    },
    contractValues(dataset),
  ];
}

type Bookmark = {
  readonly settledTo: Readonly<Record<LogName, number>>;
  readonly withheld?: readonly string[];
};

/**
 * Sealed batches after the bookmark, from checkpoints as far as they go. Without a bookmark nothing
 * is settled, and all batches count. Rows of windows that wait for a person are not counted: readers
 * keep the version before.
 */
export async function readUnsettled(
  objects: ObjectStore,
  dataset: string,
): Promise<readonly BatchFacts[]> {
  const bookmark = await readJson<Bookmark>(objects, bookmarkKey(dataset));
  const logs = await listLogs(objects, dataset);
  const found = await Promise.all(
    logs.map((log) => unsettledOf(objects, { dataset, log }, bookmark?.value.settledTo[log] ?? -1)),
  );
  const withheld = new Set(bookmark?.value.withheld ?? []);
  return found.flat().map((batch) => without(batch, withheld));
}

function without(batch: BatchFacts, withheld: ReadonlySet<string>): BatchFacts {
  const left = Object.entries(batch.rowsPerEventHour).filter(([window]) => !withheld.has(window));
  return { ...batch, rowsPerEventHour: Object.fromEntries(left) };
}

async function unsettledOf(
  objects: ObjectStore,
  ref: LogRef,
  settled: number,
): Promise<readonly BatchFacts[]> {
  const { dataset, log } = ref;
  const through = (await newestCheckpoint(objects, ref))?.checkpoint.through ?? -1;
  const all = { window: null, ingestHourFrom: null };
  const covered = await readBatches(objects, ref, { ...all, first: settled + 1, through });
  const known = Math.max(settled, through);
  const prefix = logPrefix(dataset, log);
  const startAfter = known < 0 ? prefix : afterLogEntry(dataset, log, known);
  const listed = await objects.listObjects(prefix, { startAfter });
  const keys = listed.map(({ key }) => key).filter((key) => key.endsWith('.seal.json'));
  const seals = await Promise.all(keys.map((key) => readJson<Seal>(objects, key)));
  return [...covered, ...seals.flatMap((seal) => (seal === null ? [] : [factsOf(seal.value)]))];
}

/** Names of the source logs, one request each: the listing hops from one log to the next. */
async function listLogs(objects: ObjectStore, dataset: string): Promise<readonly LogName[]> {
  const root = `_log/${dataset}/`;
  const logs: LogName[] = [];
  let startAfter = root;
  for (;;) {
    const [next] = await objects.listObjects(root, { startAfter, limit: 1 });
    if (next === undefined) return logs;
    const log = next.key.slice(root.length, next.key.indexOf('/', root.length));
    logs.push(log);
    // '0' is the character after '/': past everything in the folder of this log.
    startAfter = `${root}${log}0`;
  }
}
