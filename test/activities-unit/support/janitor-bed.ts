import { createCatalogActivities } from '../../../src/activities/catalog.ts';
import { createJanitorActivities } from '../../../src/activities/janitor.ts';
import { createPointerStore } from '../../../src/activities/pointer-store.ts';
import type { JanitorDeps } from '../../../src/activities/janitor-page.ts';
import { jsonBytes } from '../../../src/activities/json-objects.ts';
import { readPointer, writeStaged } from '../../../src/activities/pointers.ts';
import { createMemoryCatalog } from '../../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { events } from '../../../src/datasets/events.ts';
import { type Tally, addTallies, emptyTally } from '../../../src/lake/janitor-tally.ts';
import { goldBuildId, silverBuildId } from '../../../src/lake/messages.ts';
import type { JanitorCursor, WindowRef } from '../../../src/lake/messages.ts';
import {
  bronzeKey,
  deadLettersKey,
  rawKey,
  sealKey,
  versionFolder,
} from '../../../src/lake/paths.ts';
import {
  type Pointer,
  type PointerFile,
  canonicalJson,
  nextVersion,
} from '../../../src/lake/pointer.ts';
import { partitionsEver } from '../../../src/lake/registration.ts';
import { dayMs, formatInstant } from '../../../src/lake/time.ts';
import { windowDateAndHour, windowOf } from '../../../src/lake/window.ts';
import type { ObjectStore } from '../../../src/ports.ts';

/* A lake in memory whose versions are made up: what the janitor sees of builds, without an engine. */

export const log = 'clicks-0';
export const graceMs = dayMs;

export type JanitorBed = ReturnType<typeof createJanitorBed>;

/** A build that has staged a version and not published it yet. */
export type InFlight = {
  readonly ref: WindowRef;
  readonly version: string;
  /** Everything that the rest of the build reads. */
  readonly reads: readonly string[];
};

export function createJanitorBed(
  given: Partial<Pick<JanitorDeps, 'checkResultsDays' | 'landing'>> & {
    readonly days?: Partial<JanitorDeps['days']>;
  } = {},
) {
  const objects = createMemoryObjectStore();
  const catalog = createMemoryCatalog();
  const clock = { nowMs: Date.UTC(2026, 7, 25, 3) };
  const now = () => clock.nowMs;
  const inUse = new Set<string>();
  const publisher = createCatalogActivities({
    ports: { objects, catalog, now },
    dataset: events,
    id: 'test',
    bucket: 'lake',
    pointers: createPointerStore({ objects, now }),
  });
  const janitorOver = (store: ObjectStore) =>
    createJanitorActivities({
      ports: { objects: store, catalog, now },
      dataset: events,
      id: 'test',
      bucket: 'lake',
      graceMs,
      checkResultsDays: 0,
      landing: { prefix: 'landing/events/', days: 30 },
      ...given,
      days: { silver: 0, gold: 0, bronze: 0, raw: 0, deadLetters: 0, ...given.days },
      inUse: async (ids) => new Set(ids.filter((id) => inUse.has(id))),
    });
  return { objects, catalog, clock, inUse, publisher, janitorOver };
}

/** A whole run, page by page, as the workflow does it. */
export async function sweepAll(
  bed: JanitorBed,
  { dryRun = false, objects = bed.objects } = {},
): Promise<Tally> {
  const janitor = bed.janitorOver(objects);
  let cursor: JanitorCursor | null = { step: 0, after: '' };
  let tally = emptyTally;
  while (cursor !== null) {
    const page: Awaited<ReturnType<typeof janitor.sweep>> = await janitor.sweep({
      dataset: 'events',
      dryRun,
      cursor,
    });
    tally = addTallies(tally, page.tally);
    cursor = page.next;
  }
  return tally;
}

export function pass(bed: JanitorBed, ms: number): void {
  bed.clock.nowMs += ms;
}

export const silverOf = (window: string): WindowRef => ({
  dataset: 'events',
  layer: 'silver',
  table: events.silver.name,
  window,
});
export const goldOf = (window: string, table = 'hourly_revenue'): WindowRef => ({
  dataset: 'events',
  layer: 'gold',
  table,
  window,
});

const tableOf = (ref: WindowRef) =>
  ref.layer === 'silver' ? events.silver : events.gold.find(({ name }) => name === ref.table)!;

export const buildIdOf = (ref: WindowRef): string =>
  ref.layer === 'silver' ? silverBuildId('events', ref.window) : goldBuildId(ref.table, ref.window);

export type StageOptions = {
  /** Event types that get a new folder; the others stay where they are. */
  readonly types?: readonly string[];
  /** Another one for each attempt that is not a repetition. */
  readonly fingerprint?: string;
  /** What the version has read of the log. */
  readonly through?: number;
  /** Dies after so many files. */
  readonly diesAfter?: number;
};

/** Stages a version: keeps what the current one has, but for the types that are given. */
export async function stage(
  bed: JanitorBed,
  ref: WindowRef,
  options: StageOptions = {},
): Promise<InFlight | null> {
  const { types = ['search'], fingerprint = 'abcdef012345', through = 0 } = options;
  const table = tableOf(ref);
  const current = (await readPointer(bed.objects, table, ref.window))?.value ?? null;
  const { version, sequence } = nextVersion(current, fingerprint);
  const { date, hour } = windowDateAndHour(windowOf(ref.window));
  const files = (ref.layer === 'silver' ? types : ['all']).map((type): PointerFile => {
    const values = [date, ...(table.grain === 'hour' ? [hour ?? ''] : []), type];
    const partition = Object.fromEntries(
      table.partitionColumns.map(({ name }, index) => [name, values[index] ?? '']),
    );
    return {
      key: `${versionFolder(table, partition, version)}${version}.parquet`,
      partition,
      rows: 1,
      bytes: 2,
    };
  });
  for (const [index, { key }] of files.entries()) {
    if (index === options.diesAfter) return null;
    await bed.objects.createObject(key, new Uint8Array(2));
  }
  if (options.diesAfter === files.length) return null;
  const written = new Set(files.map(({ partition }) => canonicalJson(partition)));
  const kept =
    current?.files.filter(({ partition }) => !written.has(canonicalJson(partition))) ?? [];
  const ever = partitionsEver(table, { files: [...kept, ...files] }, current);
  const pointer: Pointer = {
    schema: 1,
    layer: ref.layer,
    table: ref.table,
    window: ref.window,
    version,
    sequence,
    mode: 'fold',
    fingerprint,
    files: [...kept, ...files],
    ...(ever === null ? {} : { partitionsEver: ever }),
    rows: files.length,
    logs: ref.layer === 'silver' ? { [log]: { through, batches: [[0, through]] } } : {},
    silver: {},
    accounting: null,
    betterDuplicates: 0,
    quarantineKeys: [],
    score: null,
    warnings: [],
    complete: true,
    builtAt: formatInstant(bed.clock.nowMs),
    previous: current?.version ?? null,
  };
  await writeStaged(bed.objects, pointer);
  return { ref, version, reads: pointer.files.map(({ key }) => key) };
}

export async function publish(bed: JanitorBed, { ref, version }: InFlight): Promise<boolean> {
  const none = { failures: [], warnings: [], failedChecks: [], waived: null } as const;
  const gate = { kind: 'passed', score: 100, ...none } as const;
  const { kind } = await bed.publisher.publishVersion({ ref, version, gate, cause: null });
  return kind !== 'superseded';
}

export async function build(bed: JanitorBed, ref: WindowRef, options?: StageOptions) {
  const staged = await stage(bed, ref, options);
  await publish(bed, staged!);
  await bed.publisher.registerWindow(ref);
  return staged!;
}

/** A sealed batch with one row in each of these hours, its raw copy and its dead letters. */
export async function sealBatch(
  { objects }: Pick<JanitorBed, 'objects'>,
  number: number,
  given: {
    readonly ingestedAt: string;
    readonly windows: readonly string[];
    readonly sealed?: boolean;
  },
): Promise<{ readonly bronze: string; readonly raw: string; readonly letters: string }> {
  const place = { dataset: 'events', log, number, ingestTimeMs: Date.parse(given.ingestedAt) };
  const keys = { bronze: bronzeKey(place), raw: rawKey(place), letters: deadLettersKey(place) };
  for (const key of Object.values(keys)) await objects.createObject(key, new Uint8Array(3));
  const rowsPerEventHour = Object.fromEntries(given.windows.map((window) => [window, 1]));
  const seal = { schema: 1, log, number, rowsPerEventHour, ingestTime: given.ingestedAt };
  if (given.sealed !== false) {
    await objects.createObject(sealKey('events', log, number), jsonBytes(seal));
  }
  return keys;
}

export async function keysOf({ objects }: Pick<JanitorBed, 'objects'>, prefix = '') {
  return (await objects.listObjects(prefix)).map(({ key }) => key);
}
