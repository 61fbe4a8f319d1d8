import { IngotError, messageOf } from '../errors.ts';
import { type FlushLimits, decideFlush } from '../lake/batch.ts';
import type { LogPosition, LogStop } from '../lake/messages.ts';
import { type LastRecord, type Seal, decideGap } from '../lake/source-log.ts';
import { formatInstant } from '../lake/time.ts';
import type { Fetched, SourceRecord, TopicPartitionOffsets } from '../ports.ts';
import { sha256 } from './hash.ts';
import type { Takeover } from './ingest-takeover.ts';
import { type OpenLog, type WriterDeps, commitBatch } from './ingest-writer.ts';

/*
 * One topic partition in a running lane: a buffer in front of a source log. Its steps are serialised
 * by a queue of one, since fetches and the clock both want to flush.
 */

export type PartitionWriter = {
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  readonly readFrom: string;
  /** Takes what was fetched; resolves when the buffer has room again. Throws `WRITER_REPLACED`. */
  accept(fetched: Fetched): Promise<void>;
  /** Flushes what has waited long enough, or everything. */
  flush(options: { readonly everything: boolean }): Promise<void>;
  /** Notes how far Kafka had come at an instant, for the frontier. */
  observe(offsets: TopicPartitionOffsets, atMs: number): void;
  position(): LogPosition;
  isCaughtUp(): boolean;
  /** Resolves when no step runs or waits, however they ended. */
  idle(): Promise<void>;
};

export type PartitionDeps = WriterDeps & {
  readonly limits: FlushLimits;
  readonly onSealed: (seal: Seal) => void;
};

/** What changes while a lane runs; only the functions of this file touch it. */
type State = {
  open: OpenLog;
  /** The last sealed record, until Kafka has shown that it still has it. */
  compare: LastRecord | null;
  stopped: LogStop | null;
  /** What a commit failed with: its plan may lie in the log, and only a takeover may finish it. */
  failure: Error | null;
  frontierMs: number;
  caughtUp: boolean;
  done: { batches: number; records: number; rows: number; deadLetters: number };
  buffer: Buffer;
};

type Buffer = {
  records: SourceRecord[];
  bytes: number;
  firstAtMs: number;
  /** Where the next fetch goes on; past the last record where a range ended without one. */
  offsetNext: string;
  rowsOfLastFlush: number | null;
};

export function createPartitionWriter(deps: PartitionDeps, taken: Takeover): PartitionWriter {
  const { open, start } = taken;
  const state: State = {
    open,
    compare: start.compare,
    stopped: null,
    failure: null,
    frontierMs: 0,
    caughtUp: false,
    done: { batches: 0, records: 0, rows: 0, deadLetters: 0 },
    buffer: {
      records: [],
      bytes: 0,
      firstAtMs: 0,
      offsetNext: start.offsetNext,
      rowsOfLastFlush: null,
    },
  };
  const serially = createQueueOfOne();
  return {
    log: open.log,
    topic: open.topic,
    partition: open.partition,
    readFrom: start.readFrom,
    accept: (fetched) => serially(() => accept(deps, state, fetched)),
    flush: ({ everything }) => serially(() => flush(deps, state, everything)),
    idle: () => serially(async () => undefined),
    observe: (offsets, atMs) => observe(state, offsets, atMs),
    position: () => positionOf(state),
    isCaughtUp: () => state.caughtUp,
  };
}

/** Runs steps one after the other, whoever asks. */
function createQueueOfOne(): (step: () => Promise<void>) => Promise<void> {
  let queue: Promise<void> = Promise.resolve();
  return (step) => {
    const next = queue.then(step);
    // The caller sees the failure; the queue itself must not stay broken for the next step.
    queue = next.catch(() => undefined);
    return next;
  };
}

async function accept(deps: PartitionDeps, state: State, fetched: Fetched): Promise<void> {
  if (state.stopped !== null || deps.signal.aborted) return;
  const found = await checkContinuity(deps, state, fetched);
  if (found.kind === 'stop') {
    state.stopped = found.stop;
    return;
  }
  const { compare, buffer } = state;
  if (compare !== null && BigInt(fetched.offsetNext) > BigInt(compare.offset)) state.compare = null;
  // The age of a buffer counts from what came first, be it a record or a range without any.
  if (buffer.offsetNext === state.open.state.offsetNext) buffer.firstAtMs = deps.ports.now();
  append(buffer, found.records, fetched.offsetNext);
  await flush(deps, state, false);
}

async function flush(deps: PartitionDeps, state: State, everything: boolean): Promise<void> {
  if (deps.signal.aborted) return;
  const { buffer } = state;
  const advanced = BigInt(buffer.offsetNext) > BigInt(state.open.state.offsetNext);
  const facts = { ...buffer, rows: buffer.records.length, advanced };
  const wanted = everything
    ? advanced
    : decideFlush(facts, deps.limits, deps.ports.now()).kind === 'flush';
  if (!wanted) return;
  if (state.failure !== null) throw state.failure;
  try {
    await commit(deps, state);
  } catch (error) {
    state.failure = error instanceof Error ? error : new Error(messageOf(error));
    throw state.failure;
  }
}

async function commit(deps: PartitionDeps, state: State): Promise<void> {
  const { buffer, done } = state;
  const batch = { records: buffer.records, offsetEnd: buffer.offsetNext };
  const { open, seal } = await commitBatch(deps, state.open, batch);
  state.open = open;
  buffer.rowsOfLastFlush = buffer.records.length;
  buffer.records = [];
  buffer.bytes = 0;
  done.batches += 1;
  done.records += seal.records;
  done.rows += seal.rows;
  done.deadLetters += seal.deadLetters;
  deps.onSealed(seal);
}

function observe(state: State, offsets: TopicPartitionOffsets, atMs: number): void {
  const { offsetNext, lastRecordTime } = state.open.state;
  // Of a topic that is another one now, or has yet to show that it is not, offsets prove nothing.
  const isKnown = state.stopped === null && state.compare === null;
  // Caught up: everything that Kafka had at the instant of asking is sealed.
  state.caughtUp = isKnown && BigInt(offsetNext) >= BigInt(offsets.offsetEnd);
  const lastRecordMs = lastRecordTime === null ? 0 : Date.parse(lastRecordTime);
  state.frontierMs = Math.max(state.frontierMs, state.caughtUp ? atMs : lastRecordMs);
}

function positionOf({ open, frontierMs, done, stopped }: State): LogPosition {
  return {
    log: open.log,
    number: open.next - 1,
    offsetNext: open.state.offsetNext,
    frontier: formatInstant(frontierMs),
    ...done,
    stopped,
  };
}

function append(buffer: Buffer, records: readonly SourceRecord[], offsetNext: string): void {
  for (const record of records) {
    buffer.records.push(record);
    buffer.bytes += record.value?.byteLength ?? 0;
  }
  if (BigInt(offsetNext) > BigInt(buffer.offsetNext)) buffer.offsetNext = offsetNext;
}

type Continuity =
  | { readonly kind: 'go'; readonly records: readonly SourceRecord[] }
  | { readonly kind: 'stop'; readonly stop: LogStop };

/** Holes stop, records don't: whether what was fetched goes on where the log ended. */
async function checkContinuity(
  deps: PartitionDeps,
  { open, compare, buffer }: State,
  fetched: Fetched,
): Promise<Continuity> {
  const expected = buffer.offsetNext;
  const first = fetched.records[0];
  if (first === undefined) return { kind: 'go', records: [] };
  if (compare !== null && first.offset === compare.offset) {
    if (sha256(first.value ?? new Uint8Array()) !== compare.digest) {
      return stop('TOPIC_CHANGED', 'the record at a sealed offset is another one now', open, {
        offset: compare.offset,
      });
    }
    return { kind: 'go', records: fetched.records.slice(1) };
  }
  if (first.offset === expected) return { kind: 'go', records: fetched.records };
  const offsetStart = await logStart(deps, open);
  if (offsetStart === null) {
    return stop('TOPIC_CHANGED', 'the topic has lost a topic partition', open, {
      wanted: expected,
    });
  }
  const gap = decideGap({ expected, first: first.offset, offsetStart });
  const seen = { wanted: expected, found: first.offset, offsetStart };
  switch (gap) {
    case 'contiguous':
    case 'lawfulGap':
      return { kind: 'go', records: fetched.records };
    case 'offsetsLost':
      return stop('OFFSETS_LOST', 'Kafka dropped records before they were read', open, seen);
    case 'topicChanged':
      return stop('TOPIC_CHANGED', 'Kafka gave an offset that was already read', open, seen);
  }
}

/** Asked after the fetch, as decideGap wants it. `null` when there is no such topic partition. */
async function logStart(deps: PartitionDeps, open: OpenLog): Promise<string | null> {
  const all = await deps.ports.source.describeTopic(open.topic);
  const mine = all.find(({ partition }) => partition === open.partition);
  return mine?.offsetStart ?? null;
}

function stop(
  code: 'OFFSETS_LOST' | 'TOPIC_CHANGED',
  sentence: string,
  { topic, partition }: OpenLog,
  facts: Readonly<Record<string, string>>,
): Continuity {
  const error = new IngotError(code, sentence, {
    retryable: false,
    facts: { topic, partition, ...facts },
  });
  return { kind: 'stop', stop: { code, message: messageOf(error) } };
}
