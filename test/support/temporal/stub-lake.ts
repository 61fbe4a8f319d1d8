import { Context } from '@temporalio/activity';
import type { BackfillActivities } from '../../../src/activities/backfill.ts';
import type { CatalogActivities } from '../../../src/activities/catalog.ts';
import type { ControlActivities } from '../../../src/activities/control.ts';
import type { GoldActivities } from '../../../src/activities/gold.ts';
import type { GapActivities } from '../../../src/activities/ingest-gap.ts';
import type { IngestActivities } from '../../../src/activities/ingest.ts';
import type { JanitorActivities } from '../../../src/activities/janitor.ts';
import type { LakehouseActivities } from '../../../src/activities/lakehouse.ts';
import type { OwnerEventActivities } from '../../../src/activities/owner-events.ts';
import type { QueueActivities } from '../../../src/activities/owner-queue.ts';
import type { QualityActivities } from '../../../src/activities/quality.ts';
import type { SilverActivities } from '../../../src/activities/silver.ts';
import { maskOf, windowsInDay } from '../../../src/lake/backfill-days.ts';
import type { DayPlan } from '../../../src/lake/backfill-plan.ts';
import { changedControl, initialControl } from '../../../src/lake/control.ts';
import { emptyTally } from '../../../src/lake/janitor-tally.ts';
import type { OwnerSettings } from '../../../src/lake/owner-decisions.ts';
import { eventually } from './eventually.ts';

export type LakeActivities = IngestActivities &
  BackfillActivities &
  CatalogActivities &
  ControlActivities &
  GapActivities &
  GoldActivities &
  JanitorActivities &
  LakehouseActivities &
  OwnerEventActivities &
  QueueActivities &
  QualityActivities &
  SilverActivities;

export type ActivityName = keyof LakeActivities;
export type Input<Name extends ActivityName> = Parameters<LakeActivities[Name]>[0];

/** Everything at once and nothing is waited for, so that a scenario lasts as long as its work. */
export const hasty: OwnerSettings = {
  allowedLatenessMs: 0,
  foldMs: 0,
  foldHorizonMs: 3 * 3_600_000,
  maxWaitMs: 60_000,
  goldRefresh: 'follow',
  buildsMax: 4,
  backfillBuildsMax: 2,
  gold: [],
};

export type StubLake = {
  readonly activities: LakeActivities;
  /** Inputs of the calls of an activity, in order. */
  readonly calls: <Name extends ActivityName>(name: Name) => readonly Input<Name>[];
  /** Names of all calls, in order. */
  readonly steps: () => readonly ActivityName[];
  /** Waits until an activity has been called so often. */
  readonly called: (name: ActivityName, times: number) => Promise<void>;
};

export type StubLakeOptions = Partial<LakeActivities> & {
  readonly settings?: Partial<OwnerSettings>;
  /** Windows that every batch of every log has one row of. */
  readonly windows?: readonly string[];
};

/** Activities that do nothing and find everything in order, but for those that are given. */
export function stubLake({ settings, windows = [], ...given }: StubLakeOptions = {}): StubLake {
  const seen: { readonly name: ActivityName; readonly input: unknown }[] = [];
  const version = '000001-stub';
  const activities: LakeActivities = {
    ingest: async () => ({ ended: 'slice', revision: 0, logs: [] }),
    changeControl: async ({ change }) => changedControl(initialControl, change),
    acceptGap: async ({ log }) => ({ log, number: 7, offsetFirst: '5', offsetNext: '9' }),
    describeLakehouse: async () => ({
      silverTable: 'silver',
      settings: { ...hasty, ...settings },
    }),
    routeBatches: async ({ ranges }) => ({
      through: Object.fromEntries(ranges.map(({ log, through }) => [log, through])),
      windows: ranges.flatMap(({ log, first, through }) =>
        windows.map((window) => ({ window, log, first, last: through, rows: through - first + 1 })),
      ),
      batches: ranges.reduce((sum, { first, through }) => sum + through - first + 1, 0),
      ingestHours: [],
    }),
    routeWild: async () => ({ windows: [], after: null, wild: [] }),
    registerBronzeHours: async () => undefined,
    stageSilver: async ({ dataset, window, pending }) => ({
      kind: 'staged',
      ref: { dataset, layer: 'silver', table: 'silver', window },
      version,
      rows: 1,
      through: Object.fromEntries(
        Object.entries(pending).map(([log, { through }]) => [log, through]),
      ),
    }),
    stageGold: async ({ dataset, table, window }) => ({
      kind: 'staged',
      ref: { dataset, layer: 'gold', table, window },
      version,
      rows: 1,
      through: {},
    }),
    checkStaged: async () => ({
      kind: 'passed',
      score: 100,
      failures: [],
      warnings: [],
      failedChecks: [],
      waived: null,
    }),
    publishVersion: async () => ({ kind: 'published' }),
    registerWindow: async () => ({ version }),
    sweep: async () => ({ next: null, at: 'the end', tally: emptyTally }),
    recordSweep: async () => undefined,
    keepEvents: async ({ note: { head } }) => ({ next: head.next + 1, hash: 'stub' }),
    queueWindows: async () => undefined,
    takeQueued: async () => null,
    planBackfill: async (input) => everythingOf(input, { ...hasty, ...settings }.gold),
    ...given,
  };
  const recorded = Object.entries(activities).map(([name, run]) => [
    name,
    (input: unknown) => {
      seen.push({ name: name as ActivityName, input });
      return (run as (input: unknown) => unknown)(input);
    },
  ]);
  const calls = <Name extends ActivityName>(name: Name): readonly Input<Name>[] =>
    seen.filter((call) => call.name === name).map(({ input }) => input as Input<Name>);
  return {
    activities: Object.fromEntries(recorded) as LakeActivities,
    calls,
    steps: () => seen.map(({ name }) => name),
    called: async (name, times) => {
      await eventually(`${times} calls of ${name}`, () => calls(name).length >= times);
    },
  };
}

/** All windows of a day, as if nothing but the range decided. */
function everythingOf(range: Input<'planBackfill'>, gold: OwnerSettings['gold']): DayPlan {
  const mask = (grain: 'hour' | 'day') =>
    maskOf(windowsInDay(range, range.day, grain).map(({ id }) => id));
  return {
    day: range.day,
    silver: range.layers.includes('silver') ? mask('hour') : 0,
    gold: range.layers.includes('gold')
      ? Object.fromEntries(gold.map(({ name, grain }) => [name, mask(grain)]))
      : {},
    skipped: 0,
    empty: 0,
  };
}

/** The dataset for which an activity was called: of its input, else of its workflow's id. */
export function datasetOf(input: unknown): string {
  const named = input as { dataset?: string; ref?: { dataset: string } } | undefined;
  const id = Context.current().info.workflowExecution?.workflowId ?? '';
  return named?.dataset ?? named?.ref?.dataset ?? id.split('/')[1] ?? '';
}
