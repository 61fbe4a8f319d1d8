import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalogActivities } from '../../../src/activities/catalog.ts';
import type { CatalogDeps } from '../../../src/activities/catalog-tables.ts';
import { createGoldActivities } from '../../../src/activities/gold.ts';
import { jsonBytes } from '../../../src/activities/json-objects.ts';
import { createPointerStore } from '../../../src/activities/pointer-store.ts';
import { readPointer } from '../../../src/activities/pointers.ts';
import { createQualityActivities } from '../../../src/activities/quality.ts';
import { createSilverActivities } from '../../../src/activities/silver.ts';
import { createDuckdbEngine } from '../../../src/adapters/duckdb-engine.ts';
import { createMemoryCatalog } from '../../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { createParquetjsCodec } from '../../../src/adapters/parquetjs-codec.ts';
import { events } from '../../../src/datasets/events.ts';
import type { Cause } from '../../../src/lake/cause.ts';
import type { GateResult, StageResult, WindowRef } from '../../../src/lake/messages.ts';
import { bronzeKey, pointerKey, sealKey } from '../../../src/lake/paths.ts';
import type { BuildMode, Pointer } from '../../../src/lake/pointer.ts';
import type { Seal } from '../../../src/lake/source-log.ts';
import type { Catalog, ObjectStore, Ports, Row, SqlEngine } from '../../../src/ports.ts';
import { silverPointer } from '../../lake/support/pointers.ts';
import { loadEventsSql } from '../../sql/support/cases.ts';

/* A lake in memory with the real engine: sealed batches are put into it, and windows built. */

export const log = 'clicks-0';
export const otherLog = 'clicks-1';
export const hour = '2026-08-21T13';
export const bucket = 'lake';
export const passed: GateResult = {
  kind: 'passed',
  score: 100,
  failures: [],
  warnings: [],
  failedChecks: [],
  waived: null,
};

const rowFiles = createParquetjsCodec();
const parser = createDuckdbEngine({
  objects: createMemoryObjectStore(),
  cacheDirectory: join(tmpdir(), 'ingot-bed-parser'),
  cacheBytesMax: 1,
  threads: 1,
  memoryMb: 128,
});
const sql = loadEventsSql();
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export type LakePorts = Omit<Ports, 'source' | 'bronze' | 'alerts'>;

export type LakeBed = {
  readonly ports: LakePorts;
  readonly activities: ReturnType<typeof activitiesOver>;
  readonly remove: () => Promise<void>;
};

/** A bed, or as much of one as has objects. */
export type HasStore = { readonly ports: Pick<Ports, 'objects'> };

/** `objects` is the store that the engine and the activities see. */
export async function createLakeBed(
  given: {
    readonly objects?: ObjectStore;
    readonly catalog?: Catalog;
    /** SQL that has changed. */
    readonly sql?: Partial<LakePorts['sql']>;
  } = {},
): Promise<LakeBed> {
  const { objects = createMemoryObjectStore(), catalog = createMemoryCatalog() } = given;
  // One cache for one lake: others have other objects under the same keys.
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-bed-'));
  // Reading the tables of a statement takes a database of its own, which all beds may share.
  const embedded = createDuckdbEngine({
    objects,
    cacheDirectory,
    cacheBytesMax: 1 << 24,
    threads: 1,
    memoryMb: 512,
  });
  const engine: SqlEngine = { ...embedded, tablesOf: (text) => parser.tablesOf(text) };
  const now = () => Date.UTC(2026, 7, 21, 15);
  const library = { ...sql, ...given.sql };
  const ports: LakePorts = { objects, engine, catalog, rowFiles, sql: library, logger, now };
  return {
    ports,
    activities: activitiesOver(ports),
    remove: () => rm(cacheDirectory, { recursive: true, force: true }),
  };
}

/** Everything that a transform worker runs; made again, it is another process over the same lake. */
export function activitiesOver(ports: LakePorts) {
  const pointers = createPointerStore(ports);
  return {
    ...createSilverActivities({ ports, dataset: events, pointers }),
    ...createGoldActivities({ ports, dataset: events, pointers }),
    ...createQualityActivities({ ports, dataset: events, pointers }),
    ...publisherOver(ports, pointers),
  };
}

/** What publishes and registers, which needs no engine. */
export function publisherOver(ports: CatalogDeps['ports'], pointers = createPointerStore(ports)) {
  return createCatalogActivities({ ports, dataset: events, id: 'test', bucket, pointers });
}

// ── What lies in the lake ───────────────────────────────────────────────────────────────────────

export type Event = {
  readonly id: string;
  /** Minute of the hour. */
  readonly minute?: number;
  readonly hour?: string;
  readonly type?: string;
  /** Silver rejects an event whose device it does not know. */
  readonly device?: string;
  readonly price?: number;
  /** Second of its plan after 15:00: of equal ids the earlier wins. */
  readonly ingestSecond?: number;
};

/**
 * A batch as ingest leaves it: its bronze file and its seal, which counts so much for each row.
 * Offsets go on by thousands, unless the topic was made anew.
 */
export async function sealBatch(
  { ports: { objects } }: Pick<LakeBed, 'ports'>,
  number: number,
  list: readonly Event[],
  {
    countedRows = 1,
    ingestTime = '2026-08-21T15:00:00.000Z',
    of = log,
    firstOffset = number * 1_000,
  } = {},
): Promise<void> {
  const rows = list.map((event, index) => ({
    ...bronzeRow(event, firstOffset + index, of),
    _batch_id: `${of}-${number}`,
  }));
  const ingestTimeMs = Date.parse(ingestTime);
  const key = bronzeKey({ dataset: 'events', log: of, number, ingestTimeMs });
  const columns = events.bronze.columns;
  await objects.createObject(key, await rowFiles.encode({ columns, rows, metadata: {} }));
  const rowsPerEventHour: Record<string, number> = {};
  for (const event of list) {
    const window = event.hour ?? hour;
    rowsPerEventHour[window] = (rowsPerEventHour[window] ?? 0) + countedRows;
  }
  const seal: Partial<Seal> = {
    schema: 1,
    log: of,
    number,
    rows: rows.length,
    ingestTime,
    rowsPerEventHour,
    bronzeKey: key,
  };
  await objects.createObject(sealKey('events', of, number), jsonBytes(seal));
}

/** The row that ingest makes of an event. */
export function bronzeRow(event: Event, offset: number, of = log): Row {
  const minute = String(event.minute ?? 0).padStart(2, '0');
  const second = String(event.ingestSecond ?? 0).padStart(2, '0');
  const price = event.price ?? null;
  return {
    event_id: event.id,
    event_type: event.type ?? 'page_view',
    event_ts: `${event.hour ?? hour}:${minute}:00.000Z`,
    user_id: 'u1',
    session_id: 's1',
    device: event.device ?? 'desktop',
    ...(event.type === 'search' ? { search_query: 'q' } : {}),
    ...(price === null ? {} : { product_id: 'p1', category: 'Books', price }),
    _ingest_ts: `2026-08-21T15:00:${second}.000Z`,
    _family: 'B',
    _source: 'kafka',
    _topic: 'clicks',
    _partition: Number(of.slice(of.lastIndexOf('-') + 1)),
    _offset: String(offset),
    _batch_id: `${of}-${Math.floor(offset / 1_000)}`,
  };
}

// ── Builds ──────────────────────────────────────────────────────────────────────────────────────

export const silverRef = (window = hour): WindowRef => ({
  dataset: 'events',
  layer: 'silver',
  table: events.silver.name,
  window,
});
export const goldRef = (table: string, window = hour): WindowRef => ({
  dataset: 'events',
  layer: 'gold',
  table,
  window,
});

/** Stages an hour from the batches up to one. */
export function stageSilver(
  { activities }: Pick<LakeBed, 'activities'>,
  mode: BuildMode,
  through: number | null,
  window = hour,
  cause: Cause | null = null,
): Promise<StageResult> {
  const pending = through === null ? {} : { [log]: { first: 0, through } };
  const why = cause === null ? {} : { cause };
  return activities.stageSilver({
    dataset: 'events',
    window,
    mode,
    pending,
    owner: 'none',
    ...why,
  });
}

export function stageGold(
  { activities }: Pick<LakeBed, 'activities'>,
  table: string,
  window = hour,
  { complete = true, cause = null }: { complete?: boolean; cause?: Cause | null } = {},
): Promise<StageResult> {
  const why = cause === null ? {} : { cause };
  return activities.stageGold({
    dataset: 'events',
    table,
    window,
    complete,
    owner: 'none',
    ...why,
  });
}

/** Publishes what was staged, with a gate that has passed. */
export async function publish(
  { activities }: Pick<LakeBed, 'activities'>,
  { ref, version }: StageResult,
  cause: Cause | null = null,
): Promise<void> {
  const result = await activities.publishVersion({ ref, version, gate: passed, cause });
  assert.equal(result.kind, 'published');
  await activities.registerWindow(ref);
}

/** Stages, publishes and registers; the gate has tests of its own. */
export async function buildSilver(
  bed: LakeBed,
  mode: BuildMode,
  through: number | null,
  window = hour,
): Promise<Pointer> {
  const staged = await stageSilver(bed, mode, through, window);
  assert.equal(staged.kind, 'staged');
  await publish(bed, staged);
  return pointerOf(bed, staged.ref);
}

export async function pointerOf({ ports }: HasStore, ref: WindowRef): Promise<Pointer> {
  const found = await readPointer(ports.objects, { ...ref, name: ref.table }, ref.window);
  assert.ok(found !== null, 'the window is published');
  return found.value;
}

/** A version of the hour without files, as a fold would have made it. */
export function emptyPointer(version: string, previous: string | null): Pointer {
  const nothing = { files: [], rows: 0, logs: {}, accounting: null, score: null };
  const { table } = silverRef();
  const named = { table, window: hour, version, sequence: 1, fingerprint: version, previous };
  return silverPointer({ ...named, ...nothing, mode: 'fold' });
}

/** Puts a pointer where a build would, as it pleases the test. */
export async function putPointer({ ports }: HasStore, pointer: Pointer): Promise<void> {
  const key = pointerKey({ layer: pointer.layer, name: pointer.table }, pointer.window);
  await ports.objects.replaceObject(key, jsonBytes(pointer));
}

export async function bookmark({ ports }: HasStore, settledTo: number): Promise<void> {
  const bytes = jsonBytes({ schema: 1, settledTo: { [log]: settledTo } });
  await ports.objects.replaceObject('_bookmark/events.json', bytes);
}
