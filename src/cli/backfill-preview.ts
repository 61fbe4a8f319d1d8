import { openBackfillLake } from '../activities/backfill.ts';
import { readPointers } from '../activities/pointers.ts';
import { type BackfillRange, totalOf } from '../lake/backfill.ts';
import {
  bitOf,
  countOf,
  daysBetween,
  maskOf,
  windowsInDay,
  windowsOf,
} from '../lake/backfill-days.ts';
import { planFailedDay } from '../lake/backfill-plan.ts';
import type { Dataset } from '../lake/dataset.ts';
import { parkedWindows } from '../lake/owner-gates.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import type { WindowedTable } from '../lake/table.ts';
import type { WindowId } from '../lake/window.ts';
import type { Ports } from '../ports.ts';
import type { Progress } from './console.ts';

/* What a backfill would do, read from the lake and the owner before anybody is asked for it. */

export type BackfillPreview = {
  readonly from: WindowId;
  readonly to: WindowId;
  readonly windows: number;
  /** Of the silver hours and gold windows of the range. */
  readonly published: number;
  readonly missing: number;
  readonly failed: number;
  /** What would be built; the rest is left out. */
  readonly toBuild: number;
  readonly leftOut: number;
  /** Of the silver versions of the range. */
  readonly rows: number;
  readonly bytes: number;
  /** Not every pointer of a long range is read. */
  readonly estimated: boolean;
};

/** So many silver pointers are read; of more, as many evenly spread ones. */
const pointersMax = 1_000;
const pointersAtOnce = 25;

export async function previewBackfill(
  {
    ports,
    dataset,
    state,
  }: {
    readonly ports: Pick<Ports, 'objects'>;
    readonly dataset: Dataset;
    readonly state: OwnerState;
  },
  range: BackfillRange,
  progress: Pick<Progress, 'note'>,
): Promise<BackfillPreview> {
  const routedTo = Object.fromEntries(
    Object.entries(state.logs).map(([log, known]) => [log, known.routedTo]),
  );
  const { name, gold } = dataset;
  const asked = { ...range, dataset: name, openFrom: state.nextToClose, routedTo };
  const lake = await openBackfillLake({ ports, dataset }, asked);
  const parked = parkedWindows(state);
  const idsOf = (table: string | null) =>
    parked.filter((each) => each.table === table).map(({ window }) => window);
  const failedGold = Object.fromEntries(gold.map((table) => [table.name, idsOf(table.name)]));
  const failedOf = { silver: idsOf(null), gold: failedGold, tables: gold };
  const sum = { windows: totalOf(range, gold), published: 0, failed: 0, toBuild: 0 };
  const hours: WindowId[] = [];
  for (const day of daysBetween(range.from, range.to)) {
    progress.note(day);
    const facts = await lake.factsOf(day);
    const failed = planFailedDay(range, day, failedOf);
    const plan = range.only === 'failed' ? failed : await lake.planOf(day);
    const masks = ({ silver, gold: tables }: typeof plan) =>
      [silver, ...Object.values(tables)].reduce((all, mask) => all + countOf(mask), 0);
    sum.toBuild += masks(plan);
    sum.failed += masks(failed);
    const clip = (table: Pick<WindowedTable, 'grain'>, mask: number) =>
      mask & maskOf(windowsInDay(range, day, table.grain).map(({ id }) => id));
    const silver = clip(dataset.silver, facts.silver);
    hours.push(...windowsOf(day, 'hour', silver).filter((id) => (plan.silver & bitOf(id)) !== 0));
    if (range.layers.includes('silver')) sum.published += countOf(silver);
    if (range.layers.includes('gold')) {
      for (const table of gold) sum.published += countOf(clip(table, facts.gold[table.name] ?? 0));
    }
  }
  return {
    ...{ from: range.from, to: range.to, ...sum },
    missing: sum.windows - sum.published,
    leftOut: sum.windows - sum.toBuild,
    ...(await sizeOf(ports, dataset, hours, progress)),
  };
}

async function sizeOf(
  { objects }: Pick<Ports, 'objects'>,
  { silver }: Dataset,
  hours: readonly WindowId[],
  progress: Pick<Progress, 'note'>,
): Promise<Pick<BackfillPreview, 'rows' | 'bytes' | 'estimated'>> {
  const step = Math.max(1, Math.ceil(hours.length / pointersMax));
  const sample = hours.filter((_, index) => index % step === 0);
  let [rows, bytes] = [0, 0];
  for (let at = 0; at < sample.length; at += pointersAtOnce) {
    progress.note(`${at} of ${sample.length} pointers`);
    for (const pointer of await readPointers(
      objects,
      silver,
      sample.slice(at, at + pointersAtOnce),
    )) {
      rows += pointer.rows;
      bytes += pointer.files.reduce((total, file) => total + file.bytes, 0);
    }
  }
  const scale = sample.length === 0 ? 1 : hours.length / sample.length;
  return { rows: Math.round(rows * scale), bytes: Math.round(bytes * scale), estimated: step > 1 };
}
