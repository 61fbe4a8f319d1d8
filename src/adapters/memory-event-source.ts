import assert from 'node:assert';
import type {
  EventSource,
  ReadOptions,
  SourceRecord,
  TopicPartition,
  TopicPartitionOffsets,
} from '../ports.ts';
import { IngotError } from '../errors.ts';
import { positionLost, topicMissing } from './event-source-faults.ts';

export type NewRecord = {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers?: SourceRecord['headers'];
  readonly timestampMs?: number;
};

/** An EventSource in the memory of this process, and what a producer and a broker do to it. */
export type MemoryEventSource = EventSource & {
  /** One that exists stays as it is. */
  createTopic(topic: string, partitions: number): void;
  removeTopic(topic: string): void;
  /** Answers the offsets of the records. */
  append(topic: string, partition: number, records: readonly NewRecord[]): readonly string[];
  /** Uses up offsets without a visible record, as transactions and compaction do. */
  appendGap(topic: string, partition: number, offsets: number): void;
  /** Retention: what lies before the offset is gone. */
  setOffsetStart(topic: string, partition: number, offset: string): void;
  committedOffsets(group: string): ReadOptions['positions'];
};

export type MemoryEventSourceOptions = {
  readonly recordsPerFetchMax?: number;
  /** The broker's clock, for records without a time. */
  readonly now?: () => number;
};

/** The visible records of one topic partition, in offset order, and the offsets that are taken. */
type Log = { start: bigint; end: bigint; records: SourceRecord[] };

type Position = ReadOptions['positions'][number];

type Topic = { readonly id: string; readonly logs: readonly Log[] };

type Store = {
  readonly topics: Map<string, Topic>;
  readonly recordsPerFetchMax: number;
  /** Reads that wait for something to change. */
  readonly waiting: Set<() => void>;
};

export function createMemoryEventSource(options: MemoryEventSourceOptions = {}): MemoryEventSource {
  const { recordsPerFetchMax = 500, now = Date.now } = options;
  const store: Store = { topics: new Map(), recordsPerFetchMax, waiting: new Set() };
  const committed = new Map<string, Map<string, Position>>();
  const { topics } = store;
  let topicsMade = 0;
  return {
    describeTopic: async (topic) => describe(store, topic),
    read: (read) => readAll(store, read),
    publishPositions: async (group, positions) => {
      for (const { topic } of positions) describe(store, topic);
      const known = committed.get(group) ?? new Map<string, Position>();
      committed.set(group, known);
      for (const position of positions) known.set(keyOf(position), position);
    },
    createTopic: (topic, partitions) => {
      if (topics.has(topic)) return;
      topicsMade += 1;
      topics.set(topic, {
        id: `topic-${topicsMade}`,
        logs: Array.from({ length: partitions }, newLog),
      });
    },
    removeTopic: (topic) => void topics.delete(topic),
    append: (topic, partition, records) => {
      const log = logOf(store, { topic, partition });
      const added = records.map((record, i) => toRecord(record, log.end + BigInt(i), now));
      log.records.push(...added);
      log.end += BigInt(added.length);
      wake(store);
      return added.map(({ offset }) => offset);
    },
    appendGap: (topic, partition, offsets) => {
      logOf(store, { topic, partition }).end += BigInt(offsets);
      wake(store);
    },
    setOffsetStart: (topic, partition, offset) => {
      const log = logOf(store, { topic, partition });
      log.start = BigInt(offset);
      log.records = log.records.filter((record) => BigInt(record.offset) >= log.start);
      wake(store);
    },
    committedOffsets: (group) => [...(committed.get(group)?.values() ?? [])],
  };
}

function newLog(): Log {
  return { start: 0n, end: 0n, records: [] };
}

function describe(store: Store, topic: string): readonly TopicPartitionOffsets[] {
  const found = store.topics.get(topic);
  if (found === undefined) throw topicMissing({ topic });
  return found.logs.map(({ start, end }, partition) => ({
    topic,
    partition,
    offsetStart: start.toString(),
    offsetEnd: end.toString(),
    topicId: found.id,
  }));
}

/** Each topic partition is read by a loop of its own; the first that fails ends them all. */
async function readAll(store: Store, options: ReadOptions): Promise<void> {
  const { positions, onFetched, signal, onLost } = options;
  if (signal.aborted) return;
  const keys = new Set(positions.map(keyOf));
  assert(keys.size === positions.length, 'a topic partition is read from one position only');
  for (const position of positions) logOf(store, position);

  const failures: unknown[] = [];
  const isOver = (): boolean => signal.aborted || failures.length > 0;
  const abort = (): void => wake(store);
  signal.addEventListener('abort', abort, { once: true });
  const loops = positions.map((position) =>
    readOne(store, position, onFetched, () => {
      return isOver() || options.isWanted?.(position) === false;
    }).catch((error: unknown) => {
      if (onLost !== undefined && error instanceof IngotError && lostCodes.has(error.code)) {
        return onLost(position, error);
      }
      failures.push(error);
      wake(store);
    }),
  );
  // Without positions there is nothing to read, but a read still lasts until the signal.
  const untilSignal = async (): Promise<void> => {
    while (!isOver()) await change(store);
  };
  await Promise.all([...loops, untilSignal()]);
  signal.removeEventListener('abort', abort);
  if (failures.length > 0) throw failures[0];
}

const lostCodes: ReadonlySet<string> = new Set(['OFFSETS_LOST', 'TOPIC_CHANGED', 'TOPIC_MISSING']);

async function readOne(
  store: Store,
  { topic, partition, offset }: Position,
  onFetched: ReadOptions['onFetched'],
  isOver: () => boolean,
): Promise<void> {
  let next = BigInt(offset);
  while (!isOver()) {
    const log = logOf(store, { topic, partition });
    if (next < log.start || next > log.end) {
      const { start, end } = log;
      const where = { topic, partition, offsetStart: start.toString(), offsetEnd: end.toString() };
      throw positionLost(next.toString(), where);
    }
    if (next === log.end) {
      await change(store);
      continue;
    }
    const first = indexFrom(log.records, next);
    const records = log.records.slice(first, first + store.recordsPerFetchMax);
    const last = records.at(-1);
    const isAll = first + records.length === log.records.length;
    // A fetch that takes all that is visible also takes the invisible offsets behind it.
    next = isAll || last === undefined ? log.end : BigInt(last.offset) + 1n;
    const highWatermark = log.end.toString();
    await onFetched({
      ...{ topic, partition, records, offsetNext: next.toString(), highWatermark },
      topicIdNow: async () => store.topics.get(topic)?.id ?? null,
    });
  }
}

/** The records are in offset order. */
function indexFrom(records: readonly SourceRecord[], offset: bigint): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (BigInt(records[middle]?.offset ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function toRecord(record: NewRecord, offset: bigint, now: () => number): SourceRecord {
  const { key = null, value, headers = null, timestampMs = now() } = record;
  return {
    offset: offset.toString(),
    timestampMs,
    key: toBytes(key),
    value: toBytes(value),
    headers,
  };
}

function toBytes(value: Uint8Array | string | null): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function logOf(store: Store, { topic, partition }: TopicPartition): Log {
  const log = store.topics.get(topic)?.logs[partition];
  if (log === undefined) throw topicMissing({ topic, partition });
  return log;
}

function change(store: Store): Promise<void> {
  return new Promise((resolve) => store.waiting.add(resolve));
}

function wake(store: Store): void {
  const waiting = [...store.waiting];
  store.waiting.clear();
  for (const go of waiting) go();
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
