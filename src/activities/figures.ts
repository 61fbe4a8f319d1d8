import {
  type Accounting,
  type Consumption,
  addAccounting,
  noRows,
  unexplainedRecords,
  unexplainedRows,
} from '../lake/accounting.ts';
import type { Dataset } from '../lake/dataset.ts';
import { type BatchFacts, factsOf } from '../lake/checkpoint.ts';
import { logName } from '../lake/paths.ts';
import type { Pointer } from '../lake/pointer.ts';
import { wildRowsLeft } from '../lake/wild-times.ts';
import type { WindowId } from '../lake/window.ts';
import type { Ports } from '../ports.ts';
import { readAllPointers } from './pointers.ts';
import { ask } from './query.ts';
import { readSeals } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/* The row accounting of a whole lake, each term from a source of its own. */

export type LakeFigures = {
  readonly consumption: Consumption;
  /** Sum over all windows. */
  readonly accounting: Accounting;
  /** Bronze rows of wild event times that no version has: they are held, or were abandoned. */
  readonly notPlaced: number;
  readonly batches: number;
  readonly windows: number;
  readonly gold: Readonly<Record<string, number>>;
  /** Both identities, and every single window's. */
  readonly identitiesHold: boolean;
};

export type FiguresDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'source' | 'sql'>;
  readonly dataset: Dataset;
  readonly topics: readonly string[];
  /** As the owner of the windows has it. */
  readonly batchWindowsMax: number;
};

/**
 * `consumed` comes from the seals, bronze rows and dead letters are counted in their files; silver
 * from footers, duplicates and rejects from SQL, the bronze of each window from the seals.
 */
export async function lakeFigures(deps: FiguresDeps): Promise<LakeFigures> {
  const { ports, dataset } = deps;
  const seals = await allSeals(deps);
  const consumption: Consumption = {
    consumed: seals.reduce((sum, seal) => sum + seal.records, 0),
    bronze: await count(deps, dataset.bronze.name),
    deadLetters: await count(deps, 'dead_letters'),
  };
  const silver = await readAllPointers(ports.objects, dataset.silver);
  const windows = silver.map(({ accounting }) => accounting ?? noRows);
  const accounting = windows.reduce(addAccounting, noRows);
  const gold = await Promise.all(
    dataset.gold.map(async (table) => {
      const pointers = await readAllPointers(ports.objects, table);
      return [table.name, pointers.reduce((sum, { rows }) => sum + rows, 0)] as const;
    }),
  );
  const notPlaced = wildRowsLeft(seals.map(factsOf), deps.batchWindowsMax, isInOneOf(silver));
  return {
    consumption,
    accounting,
    notPlaced,
    batches: seals.length,
    windows: windows.length,
    gold: Object.fromEntries(gold),
    identitiesHold:
      unexplainedRecords(consumption) === 0 &&
      accounting.bronze + notPlaced === consumption.bronze &&
      windows.every((window) => unexplainedRows(window) === 0),
  };
}

/** Whether the current version of a window has read a batch. */
function isInOneOf(pointers: readonly Pointer[]): (window: WindowId, batch: BatchFacts) => boolean {
  const byWindow = new Map(pointers.map((pointer) => [pointer.window, pointer]));
  return (window, { log, number }) =>
    (byWindow.get(window)?.logs[log]?.batches ?? []).some(
      ([first, last]) => first <= number && number <= last,
    );
}

async function allSeals({ ports, dataset, topics }: FiguresDeps) {
  const described = await Promise.all(topics.map((topic) => ports.source.describeTopic(topic)));
  const logs = described.flat().map(({ topic, partition }) => logName(topic, partition));
  const found = await Promise.all(
    logs.map(async (log) => {
      const ref = { dataset: dataset.name, log };
      const { entry } = await readTail(ports.objects, ref);
      return readSeals(ports.objects, { ...ref, first: 0, through: entry?.number ?? -1 });
    }),
  );
  return found.flat();
}

async function count({ ports, dataset }: FiguresDeps, table: string): Promise<number> {
  const answer = await ask(
    { ports, dataset },
    { sql: `SELECT count(*) AS rows FROM ${table}`, parameters: {}, dateFrom: null, dateTo: null },
  );
  return Number(answer.rows[0]?.rows ?? 0);
}
