import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createCatalogActivities } from '../../src/activities/catalog.ts';
import { type CatalogDeps, catalogTable } from '../../src/activities/catalog-tables.ts';
import { createGoldActivities } from '../../src/activities/gold.ts';
import { createPointerStore } from '../../src/activities/pointer-store.ts';
import { readPointer } from '../../src/activities/pointers.ts';
import { createQualityActivities } from '../../src/activities/quality.ts';
import { createSilverActivities } from '../../src/activities/silver.ts';
import { cacheName } from '../../src/adapters/object-cache.ts';
import type { Config } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import type { StageResult } from '../../src/lake/messages.ts';
import { checkResultsKey, pointerKey, stagedKey } from '../../src/lake/paths.ts';
import type { BuildMode } from '../../src/lake/pointer.ts';
import { wantedPartitions } from '../../src/lake/registration.ts';
import type { WindowedTable } from '../../src/lake/table.ts';
import type { Ports } from '../../src/ports.ts';
import { cacheFolder } from '../../src/workers/cache-folder.ts';
import type { Filled } from './lake-fill.ts';

/* Builds as the workflows run them, without Temporal: the same activities in the same order. */

/** Milliseconds of each step, summed over builds that ran at the same time. */
export type Steps = {
  readonly stage: number;
  readonly check: number;
  readonly publish: number;
  readonly register: number;
};

export type BuildTime = Steps & { readonly ms: number; readonly cpuSeconds: number };

export type Builder = {
  readonly silver: (
    windows: readonly string[],
    mode: BuildMode,
    pending: Filled['pending'],
  ) => Promise<BuildTime>;
  /** All gold tables: those of hours for each of these, those of days for the day of the first. */
  readonly gold: (hours: readonly string[]) => Promise<BuildTime>;
  /** As if a window had never been built. */
  readonly unbuild: (table: WindowedTable, window: string) => Promise<void>;
  /** As if this machine had never read these objects. */
  readonly forget: (keys: readonly string[]) => Promise<void>;
};

export function createBuilder(config: Config, ports: Ports): Builder {
  const pointers = createPointerStore(ports);
  const { INGOT_ID: id, lakeBucket: bucket } = config;
  const target = { ports, dataset: events, pointers, id, bucket };
  const activities = {
    ...createSilverActivities(target),
    ...createGoldActivities(target),
    ...createQualityActivities(target),
    ...createCatalogActivities(target),
  };
  const transformSlot = createSlots(config.TRANSFORM_SLOTS);
  const buildSlot = createSlots(config.BUILDS_MAX);
  const build = async (steps: Record<string, number>, stage: () => Promise<StageResult>) => {
    const timed = async <T>(name: keyof Steps, work: () => Promise<T>): Promise<T> => {
      const startedMs = performance.now();
      const result = await work();
      steps[name] = (steps[name] ?? 0) + performance.now() - startedMs;
      return result;
    };
    const { kind, ref, version } = await transformSlot(() => timed('stage', stage));
    if (kind !== 'staged') throw new Error(`${ref.table} ${ref.window} was not built: ${kind}`);
    const gate = await transformSlot(() =>
      timed('check', () => activities.checkStaged({ ref, version, waiver: null })),
    );
    if (gate.kind === 'blocked') throw new Error(`a gate failed: ${gate.failures.join('; ')}`);
    const publish = { ref, version, gate, cause: null };
    await timed('publish', () => activities.publishVersion(publish));
    await timed('register', () => activities.registerWindow(ref));
  };
  const all = async (stages: readonly (() => Promise<StageResult>)[]): Promise<BuildTime> => {
    const steps: Record<string, number> = {};
    const before = process.cpuUsage();
    const startedMs = performance.now();
    await Promise.all(stages.map((stage) => buildSlot(() => build(steps, stage))));
    const ms = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(before);
    return { ...(steps as Steps), ms, cpuSeconds: (user + system) / 1e6 };
  };
  const common = { dataset: events.name, owner: 'bench' };
  return {
    silver: (windows, mode, pending) =>
      all(
        windows.map((window) => () => activities.stageSilver({ ...common, window, mode, pending })),
      ),
    gold: (hours) =>
      all(
        events.gold.flatMap(({ name: table, grain }) =>
          (grain === 'hour' ? hours : [hours[0]!.slice(0, 10)]).map(
            (window) => () => activities.stageGold({ ...common, table, window, complete: true }),
          ),
        ),
      ),
    unbuild: (table, window) => unbuild(target, table, window),
    forget: async (keys) => {
      const folder = join(cacheFolder(config), 'objects');
      await Promise.all(keys.map((key) => rm(join(folder, cacheName(key)), { force: true })));
    },
  };
}

async function unbuild(
  target: CatalogDeps & { readonly ports: Ports },
  table: WindowedTable,
  window: string,
): Promise<void> {
  const { objects, catalog } = target.ports;
  const found = (await readPointer(objects, table, window))?.value;
  if (found === undefined) return;
  const { version, files, quarantineKeys } = found;
  await objects.deleteObjects([
    pointerKey(table, window),
    stagedKey(table, window, version),
    checkResultsKey(table, window, version),
    ...files.map(({ key }) => key),
    ...quarantineKeys,
  ]);
  const partitions = wantedPartitions(table, found).map(({ values }) => values);
  await catalog.deletePartitions(catalogTable(target, table), partitions);
}

/** So many at once; the others wait in line. */
function createSlots(slots: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = slots;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
