import { type TailWindow, liveTail } from '../lake/live-tail.ts';
import { type LogName, bookmarkKey, logEntryKey, logPrefix } from '../lake/paths.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { Pointer } from '../lake/pointer.ts';
import type { Seal } from '../lake/source-log.ts';
import { visibleColumns } from '../lake/table.ts';
import { type DateRange, isWithinDates, windowOf, windowParameters } from '../lake/window.ts';
import type { ObjectStore, Ports, Row, TableInput } from '../ports.ts';
import { readJson } from './json-objects.ts';
import { tableFiles } from './pointers.ts';
import { contractValues } from './silver-inputs.ts';
import { rejectionsSql, sqlOf } from './silver-sql.ts';

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
 * it, of all windows of the range that have one, and were read after the seals.
 */
export async function readLiveTail(
  deps: LiveTailDeps,
  from: {
    readonly seals: readonly Seal[];
    readonly pointers: readonly Pointer[];
    readonly dates: DateRange;
  },
): Promise<LiveTail> {
  const known = new Map(from.pointers.map((pointer) => [pointer.window, pointer]));
  const tails = liveTail(from.seals, known);
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
    await session.materialize('rejections', rejectionsSql(ports.sql.checks), parameters);
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
      name: 'bronze_rows',
      columns: dataset.bronze.columns,
      files: tail.batches.map(({ bronzeKey }) => ({ key: bronzeKey, partition: {} })),
    },
    {
      kind: 'files',
      name: 'silver_current',
      columns: visibleColumns(dataset.silver),
      files: current === null ? [] : tableFiles([current]),
    },
    contractValues(dataset),
  ];
}

type Bookmark = { readonly settledTo: Readonly<Record<LogName, number>> };

/** Seals after the bookmark. Without a bookmark nothing is settled, and all of them count. */
export async function readUnsettled(
  objects: ObjectStore,
  dataset: string,
): Promise<readonly Seal[]> {
  const bookmark = await readJson<Bookmark>(objects, bookmarkKey(dataset));
  const logs = await listLogs(objects, dataset);
  const found = await Promise.all(
    logs.map(async (log) => {
      const settled = bookmark?.value.settledTo[log] ?? -1;
      const prefix = logPrefix(dataset, log);
      // The seal of an entry sorts right after it, so this also passes the settled entry's seal.
      const startAfter =
        settled < 0 ? prefix : `${logEntryKey(dataset, log, settled).slice(0, -5)}.t`;
      const listed = await objects.listObjects(prefix, { startAfter });
      return listed.map(({ key }) => key).filter((key) => key.endsWith('.seal.json'));
    }),
  );
  const seals = await Promise.all(found.flat().map((key) => readJson<Seal>(objects, key)));
  return seals.flatMap((seal) => (seal === null ? [] : [seal.value]));
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
