import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { type BatchContent, contentOfLines } from '../../../src/activities/batch-content.ts';
import { sha256 } from '../../../src/activities/hash.ts';
import { type Group, startGroup } from '../../../src/activities/ingest-group.ts';
import { type Takeover, takeOver } from '../../../src/activities/ingest-takeover.ts';
import {
  type OpenLog,
  type WriterDeps,
  commitBatch,
} from '../../../src/activities/ingest-writer.ts';
import { jsonBytes } from '../../../src/activities/json-objects.ts';
import { createChunkPool } from '../../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../../src/activities/line-buffer.ts';
import { createMemoryEventSource } from '../../../src/adapters/memory-event-source.ts';
import type { MemoryEventSource } from '../../../src/adapters/memory-event-source.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { events } from '../../../src/datasets/events.ts';
import { logName } from '../../../src/lake/paths.ts';
import { createPlainScan } from '../../../src/lake/plain-record.ts';
import {
  type LogEntry,
  type LogState,
  type Seal,
  emptyLogState,
  stateAfter,
} from '../../../src/lake/source-log.ts';
import type {
  EventSource,
  ObjectStore,
  Row,
  SourceRecord,
  TopicPartitionOffsets,
} from '../../../src/ports.ts';
import { silentLogger } from '../../../src/workers/logger.ts';
import { createJsonBronzeEncoder, createJsonRowFiles } from '../../support/json-codecs.ts';

/* A topic, an empty lake, and writers between them, all in memory. */

export const topic = 'clicks';
export const log = logName(topic, 0);
export const startMs = Date.UTC(2026, 7, 21, 13, 59, 50);

export type IngestBed = {
  readonly objects: ObjectStore;
  readonly source: MemoryEventSource;
  readonly clock: { nowMs: number };
};

/** A lake and where its records come from, be it in memory or not. */
export type LakeBed = Omit<IngestBed, 'source'> & { readonly source: EventSource };

export function createIngestBed(recordsPerFetchMax = 500): IngestBed {
  const clock = { nowMs: startMs };
  const source = createMemoryEventSource({ recordsPerFetchMax, now: () => clock.nowMs });
  source.createTopic(topic, 1);
  return { objects: createMemoryObjectStore(), source, clock };
}

/** Appends records, numbered by their offsets, of which every fifth cannot be placed. */
export async function produce(bed: IngestBed, count: number, partition = 0): Promise<void> {
  const end = Number((await offsetsOf(bed, partition)).offsetEnd);
  const values = Array.from({ length: count }, (_, index) => valueOf(end + index));
  bed.source.append(
    topic,
    partition,
    values.map((value) => ({ key: 'k', value })),
  );
}

export function valueOf(number: number): string {
  if (number % 5 === 4) return `broken ${number}`;
  const timestamp = new Date(startMs - (number % 3) * 3_600_000).toISOString();
  return JSON.stringify({ event_id: `e${number}`, timestamp, event_type: 'page_view' });
}

export function writerDeps(
  bed: LakeBed,
  writer: string,
  differences: {
    readonly objects?: ObjectStore;
    readonly encoder?: string;
    readonly rawCopy?: boolean;
    readonly signal?: AbortSignal;
    readonly dataset?: WriterDeps['dataset'];
  } = {},
): WriterDeps {
  const { objects = bed.objects, encoder, rawCopy = true, dataset = events } = differences;
  return {
    ports: {
      objects,
      source: bed.source,
      bronze: createJsonBronzeEncoder(encoder),
      rowFiles: createJsonRowFiles(),
      now: () => bed.clock.nowMs,
    },
    dataset,
    settings: { rawCopy, recordBytesMax: 1_048_576 },
    writer,
    signal: differences.signal ?? new AbortController().signal,
  };
}

export async function offsetsOf(bed: IngestBed, partition = 0): Promise<TopicPartitionOffsets> {
  const found = (await bed.source.describeTopic(topic))[partition];
  assert.ok(found !== undefined);
  return found;
}

/** Takes over by what Kafka says now. */
export async function openLog(bed: IngestBed, deps: WriterDeps): Promise<Takeover> {
  return takeOver(deps, await offsetsOf(bed));
}

/** The visible records of a range, as a fetch would bring them. */
export async function recordsOf(
  bed: IngestBed,
  first: string,
  end: string,
): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  const done = new AbortController();
  if (BigInt(first) >= BigInt(end)) return records;
  await bed.source.read({
    positions: [{ topic, partition: 0, offset: first }],
    signal: done.signal,
    onFetched: async (fetched) => {
      records.push(...fetched.records.filter(({ offset }) => BigInt(offset) < BigInt(end)));
      if (BigInt(fetched.offsetNext) >= BigInt(end)) done.abort();
    },
  });
  return records;
}

/** Commits the next so many offsets, as far as there are any. */
export async function commitNext(
  bed: IngestBed,
  deps: WriterDeps,
  open: OpenLog,
  count: number,
): Promise<OpenLog> {
  const { offsetEnd } = await offsetsOf(bed);
  const first = open.state.offsetNext;
  const wanted = BigInt(first) + BigInt(count);
  const end = wanted < BigInt(offsetEnd) ? wanted.toString() : offsetEnd;
  const records = await recordsOf(bed, first, end);
  return (await commitBatch(deps, open, { content: contentOf(deps, records), offsetEnd: end }))
    .open;
}

/** The content of a batch as a running lane has it: lines, of which some are not plain. */
export function contentOf(deps: WriterDeps, records: readonly SourceRecord[]): BatchContent {
  const { fields, placement } = deps.dataset;
  const buffer = createLineBuffer({
    scan: createPlainScan(fields, placement, isUtf8),
    eventTimeAheadMsMax: placement.eventTimeAheadMsMax,
    recordBytesMax: deps.settings.recordBytesMax,
    chunks: createChunkPool(0),
  });
  for (const record of records) buffer.add(record, deps.ports.now());
  return contentOfLines({ dataset: deps.dataset, bronze: deps.ports.bronze }, buffer.take());
}

/** A writer's whole life: takes over, then commits batches until it has everything. */
export async function ingestAll(bed: IngestBed, deps: WriterDeps, batchSize: number) {
  let { open } = await openLog(bed, deps);
  while (BigInt(open.state.offsetNext) < BigInt((await offsetsOf(bed)).offsetEnd)) {
    open = await commitNext(bed, deps, open, batchSize);
  }
  return open;
}

// ── What lies in the lake ───────────────────────────────────────────────────────────────────────

export async function readJsonFile<T>(objects: ObjectStore, key: string): Promise<T> {
  const found = await objects.readObject(key);
  assert.ok(found !== null, `${key} is there`);
  return JSON.parse(Buffer.from(found.bytes).toString()) as T;
}

export async function rowsUnder(objects: ObjectStore, prefix: string): Promise<readonly Row[]> {
  const listed = await objects.listObjects(prefix);
  const files = await Promise.all(
    listed.map(({ key }) => readJsonFile<{ rows: readonly Row[] }>(objects, key)),
  );
  return files.flatMap(({ rows }) => rows);
}

export type FoundLog = {
  readonly entries: readonly LogEntry[];
  /** By number. */
  readonly seals: ReadonlyMap<number, { readonly seal: Seal; readonly hash: string }>;
};

export async function readLog(objects: ObjectStore, name = log): Promise<FoundLog> {
  const listed = await objects.listObjects(`_log/events/${name}/`);
  const entries: LogEntry[] = [];
  const seals = new Map<number, { seal: Seal; hash: string }>();
  for (const { key } of listed) {
    const stored = (await objects.readObject(key))!;
    const value: unknown = JSON.parse(Buffer.from(stored.bytes).toString());
    if (key.endsWith('.seal.json')) {
      const seal = value as Seal;
      seals.set(seal.number, { seal, hash: sha256(stored.bytes) });
    } else {
      entries.push(value as LogEntry);
    }
  }
  return { entries, seals };
}

/**
 * Checks a log at rest against its topic: entries without a hole, each beginning with what was true
 * before it, seals that chain, and every record of the topic in bronze or in the dead letters, once.
 */
export async function checkLake(bed: IngestBed): Promise<FoundLog> {
  const found = await readLog(bed.objects);
  const state = checkEntries(found);
  const { offsetStart, offsetEnd } = await offsetsOf(bed);
  assert.equal(state.offsetNext, offsetEnd, 'everything was consumed');
  await checkContent(bed, found, await recordsOf(bed, offsetStart, offsetEnd));
  return found;
}

export function checkEntries({ entries, seals }: FoundLog): LogState {
  let state: LogState = emptyLogState;
  for (const [index, entry] of entries.entries()) {
    assert.equal(entry.number, index, 'numbers have no hole');
    assert.deepEqual(entry.before, state, `entry ${index} begins where the log was`);
    const sealed = seals.get(index) ?? null;
    assert.equal(
      sealed !== null,
      entry.kind === 'plan',
      `entry ${index} is sealed if it is a plan`,
    );
    if (sealed !== null && entry.kind === 'plan') {
      assert.equal(sealed.seal.planHash, sha256(jsonBytes(entry)));
      assert.equal(sealed.seal.previousSealHash, state.lastSeal?.hash ?? null, 'seals chain');
      assert.deepEqual(
        [sealed.seal.offsetFirst, sealed.seal.offsetEnd],
        [entry.offsetFirst, entry.offsetEnd],
      );
    }
    state = stateAfter({ entry, seal: sealed });
  }
  return state;
}

/** Compares what the seals say, what lies under the folders, and what the topic holds. */
async function checkContent(
  bed: IngestBed,
  { seals }: FoundLog,
  records: readonly SourceRecord[],
): Promise<void> {
  const bronze = await rowsUnder(bed.objects, 'bronze/');
  const letters = await rowsUnder(bed.objects, 'dead_letters/');
  const offsets = [
    ...bronze.map(({ _offset }) => String(_offset)),
    ...letters.map(({ offset }) => String(offset)),
  ];
  const wanted = records.map(({ offset }) => offset);
  assert.deepEqual(offsets.sort(byNumber), wanted, 'each record once, in bronze or dead letters');
  const sum = (name: 'records' | 'rows' | 'deadLetters') =>
    [...seals.values()].reduce((total, { seal }) => total + seal[name], 0);
  assert.deepEqual(
    [sum('records'), sum('rows'), sum('deadLetters')],
    [records.length, bronze.length, letters.length],
    'the seals say what lies there',
  );
  const bad = records.filter(({ value }) => value !== null && value[0] !== 0x7b).length;
  assert.equal(letters.length, bad, 'only what cannot be placed is a dead letter');
}

const byNumber = (a: string, b: string) => Number(BigInt(a) - BigInt(b));

/** A group of the one topic partition, with batches of 10 rows. */
export async function startGroupOf(bed: IngestBed, ageMs: number): Promise<Group> {
  const deps = writerDeps(bed, 'unused');
  return startGroup(
    {
      ...deps,
      ports: { ...deps.ports, logger: silentLogger },
      limits: { rowsMax: 10, bytesMax: 1e6, ageMs, ageIdleMs: ageMs },
      plan: deps.settings,
      bufferBytesMax: 1e6,
    },
    { writer: 'w', topicPartitions: [await offsetsOf(bed)] },
  );
}
