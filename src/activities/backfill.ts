import type { BackfillRange } from '../lake/backfill.ts';
import { dayAfter } from '../lake/backfill.ts';
import { type Mask, dayOf, isTodo, maskOf } from '../lake/backfill-days.ts';
import { type DayFacts, type DayPlan, type LakeBounds, planDay } from '../lake/backfill-plan.ts';
import type { Dataset } from '../lake/dataset.ts';
import { pointerPrefix } from '../lake/paths.ts';
import type { LogName } from '../lake/paths.ts';
import { goneBefore } from '../lake/retention.ts';
import type { Table } from '../lake/table.ts';
import type { WindowId } from '../lake/window.ts';
import type { ObjectStore, Ports } from '../ports.ts';
import { eventHoursOfLog } from './checkpoints.ts';
import { readRetention } from './retention.ts';

/* What there is to do in the next days of a backfill: facts of the lake, and a pure decision. */

export type PlanBackfillInput = BackfillRange & {
  readonly dataset: string;
  readonly id: string;
  /** The day to begin with. */
  readonly day: WindowId;
  /** Hours from here on are open. */
  readonly openFrom: WindowId | null;
  /** Batches that are routed, per log. */
  readonly routedTo: Readonly<Record<LogName, number>>;
};

export type BackfillDeps = {
  readonly ports: Pick<Ports, 'objects'>;
  readonly dataset: Dataset;
};

export type BackfillActivities = {
  /** Goes on over days on which nothing is to be done, for a bounded number of them. */
  planBackfill(input: PlanBackfillInput): Promise<DayPlan>;
};

/** About two months: a few listings for each table. */
const daysMax = 62;

export function createBackfillActivities(deps: BackfillDeps): BackfillActivities {
  return {
    async planBackfill(input) {
      const lake = await openBackfillLake(deps, input);
      let [skipped, empty, day] = [0, 0, input.day];
      for (let looked = 1; ; looked += 1) {
        const plan = await lake.planOf(day);
        skipped += plan.skipped;
        empty += plan.empty;
        const next = dayAfter(input, day);
        if (isTodo(plan) || next === null || looked === daysMax) {
          return { ...plan, skipped, empty };
        }
        day = next;
      }
    },
  };
}

export type BackfillLake = {
  readonly bounds: LakeBounds;
  readonly factsOf: (day: WindowId) => Promise<DayFacts>;
  readonly planOf: (day: WindowId) => Promise<DayPlan>;
};

/** Reads once what is the same for all days; listings are of a month, and kept. */
export async function openBackfillLake(
  { ports: { objects }, dataset }: BackfillDeps,
  input: Omit<PlanBackfillInput, 'id' | 'day'>,
): Promise<BackfillLake> {
  const { retention } = await readRetention(objects, dataset.name);
  const rows = await hoursWithRows(objects, dataset.name, input.routedTo);
  const firsts = [firstOf(rows), await firstVersion(objects, dataset.silver)];
  const bounds: LakeBounds = {
    firstHour: firstOf(firsts.filter((hour) => hour !== null)),
    openFrom: input.openFrom,
    silverKeptFrom: goneBefore(retention, 'silver'),
    goldKeptFrom: goneBefore(retention, 'gold'),
  };
  const listed = new Map<string, Promise<readonly WindowId[]>>();
  const windowsOfDay = async (
    table: Pick<Table, 'layer' | 'name'>,
    day: WindowId,
  ): Promise<Mask> => {
    const prefix = `${pointerPrefix(table)}${day.slice(0, 7)}`;
    if (!listed.has(prefix)) listed.set(prefix, listMonth(objects, table, prefix));
    return maskOf((await listed.get(prefix)!).filter((window) => dayOf(window) === day));
  };
  const factsOf = async (day: WindowId): Promise<DayFacts> => {
    const gold = await Promise.all(
      dataset.gold.map(async (table) => [table.name, await windowsOfDay(table, day)] as const),
    );
    return {
      day,
      silver: await windowsOfDay(dataset.silver, day),
      rows: maskOf([...rows].filter((hour) => dayOf(hour) === day)),
      gold: Object.fromEntries(gold),
    };
  };
  const { gold } = dataset;
  return {
    bounds,
    factsOf,
    planOf: async (day) => planDay(input, await factsOf(day), { bounds, gold }),
  };
}

async function hoursWithRows(
  objects: ObjectStore,
  dataset: string,
  routedTo: PlanBackfillInput['routedTo'],
): Promise<ReadonlySet<WindowId>> {
  const found = await Promise.all(
    Object.entries(routedTo).map(([log, through]) =>
      eventHoursOfLog(objects, { dataset, log }, through),
    ),
  );
  return new Set(found.flatMap((hours) => [...hours]));
}

function firstOf(hours: Iterable<WindowId>): WindowId | null {
  let first: WindowId | null = null;
  for (const hour of hours) if (first === null || hour < first) first = hour;
  return first;
}

async function firstVersion(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
): Promise<WindowId | null> {
  const prefix = pointerPrefix(table);
  const [first] = await objects.listObjects(prefix, { limit: 1 });
  return first === undefined ? null : first.key.slice(prefix.length, -'.json'.length);
}

async function listMonth(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
  prefix: string,
): Promise<readonly WindowId[]> {
  const listed = await objects.listObjects(prefix);
  return listed.map(({ key }) => key.slice(pointerPrefix(table).length, -'.json'.length));
}
