import { isUtf8 } from 'node:buffer';
import { IngotError, messageOf } from '../errors.ts';
import { type FlushLimits, decideFlush } from '../lake/batch.ts';
import type { LogPosition, LogStop } from '../lake/messages.ts';
import { createPlainScan } from '../lake/plain-record.ts';
import { type LastRecord, type Seal, decideGap } from '../lake/source-log.ts';
import { formatInstant } from '../lake/time.ts';
import type { Fetched, SourceRecord, TopicPartitionOffsets } from '../ports.ts';
import { contentOfLines } from './batch-content.ts';
import { sha256 } from './hash.ts';
import type { Takeover } from './ingest-takeover.ts';
import { type OpenLog, type WriterDeps, commitBatch } from './ingest-writer.ts';
import { type LineBuffer, type Lines, createLineBuffer } from './line-buffer.ts';
import type { MemoryBudget } from './memory-budget.ts';

/*
 * One topic partition in a running lane: a buffer in front of a source log. While one batch is
 * committed the next one fills; batches are committed one after the other.
 */

export type PartitionWriter = {
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  readonly readFrom: string;
  /**
   * Takes what was fetched; resolves when there is room for more. Calls come one at a time. Throws
   * what a commit failed with.
   */
  accept(fetched: Fetched): Promise<void>;
  /** Begins to commit what has waited long enough. Throws what a commit failed with. */
  flushDue(): void;
  /** Commits everything and waits for it. */
  finish(): Promise<void>;
  /** The same, and takes nothing more. */
  leave(): Promise<void>;
  /** Takes nothing more, and says why; what it has is still committed. */
  stop(stop: LogStop): void;
  /** Notes how far Kafka had come at an instant, for the frontier. */
  observe(offsets: TopicPartitionOffsets, atMs: number): void;
  position(): LogPosition;
  isCaughtUp(): boolean;
  /** Resolves when no commit runs, however it ended. */
  idle(): Promise<void>;
};

export type PartitionDeps = WriterDeps & {
  readonly limits: FlushLimits;
  readonly budget: MemoryBudget;
  readonly onSealed: (seal: Seal) => void;
};

/** What changes while a lane runs; only the functions of this file touch it. */
type State = {
  open: OpenLog;
  /** The last sealed record, until Kafka has shown that it still has it. */
  compare: LastRecord | null;
  stopped: LogStop | null;
  /** `leaving`: nothing more is taken; `left`: nor committed. */
  going: 'on' | 'leaving' | 'left';
  /** What a commit failed with: its plan may lie in the log, and only a takeover may finish it. */
  failure: Error | null;
  committing: { readonly done: Promise<void>; readonly bytes: number } | null;
  frontierMs: number;
  caughtUp: boolean;
  done: { batches: number; records: number; rows: number; deadLetters: number };
  buffer: LineBuffer;
  firstAtMs: number;
  /** Up to here records are sealed or being committed. */
  takenTo: string;
  /** Where the next fetch goes on; past the last record where a range ended without one. */
  offsetNext: string;
  rowsOfLastFlush: number | null;
};

export function createPartitionWriter(deps: PartitionDeps, taken: Takeover): PartitionWriter {
  const { open, start } = taken;
  const { fields, placement } = deps.dataset;
  const state: State = {
    open,
    compare: start.compare,
    stopped: null,
    going: 'on',
    failure: null,
    committing: null,
    frontierMs: open.state.lastRecordTime === null ? 0 : Date.parse(open.state.lastRecordTime),
    caughtUp: false,
    done: { batches: 0, records: 0, rows: 0, deadLetters: 0 },
    buffer: createLineBuffer({
      scan: createPlainScan(fields, placement, isUtf8),
      eventTimeAheadMsMax: placement.eventTimeAheadMsMax,
      recordBytesMax: deps.settings.recordBytesMax,
      chunks: deps.budget.chunks,
    }),
    firstAtMs: 0,
    takenTo: start.offsetNext,
    offsetNext: start.offsetNext,
    rowsOfLastFlush: null,
  };
  deps.budget.join({
    buffered: () => (state.going === 'left' ? 0 : state.buffer.bytes()),
    committing: () => state.committing?.bytes ?? 0,
    begin: () => begin(deps, state),
  });
  return {
    log: open.log,
    topic: open.topic,
    partition: open.partition,
    readFrom: start.readFrom,
    accept: (fetched) => accept(deps, state, fetched),
    flushDue: () => {
      if (isDue(deps, state)) begin(deps, state);
    },
    finish: () => finish(deps, state),
    leave: async () => {
      state.going = 'leaving';
      await finish(deps, state);
      state.going = 'left';
    },
    stop: (stop) => void (state.stopped ??= stop),
    idle: async () => state.committing?.done,
    observe: (offsets, atMs) => observe(state, offsets, atMs),
    position: () => positionOf(state),
    isCaughtUp: () => state.caughtUp,
  };
}

async function accept(deps: PartitionDeps, state: State, fetched: Fetched): Promise<void> {
  if (state.stopped !== null || state.going !== 'on' || deps.signal.aborted) return;
  const found = await checkContinuity(deps, state, fetched);
  if (found.kind === 'stop') {
    state.stopped = found.stop;
    return;
  }
  const { compare } = state;
  if (compare !== null && BigInt(fetched.offsetNext) > BigInt(compare.offset)) state.compare = null;
  append(state, found.records, fetched.offsetNext, deps.ports.now());
  while (state.committing !== null && isDue(deps, state)) await state.committing.done;
  if (isDue(deps, state)) begin(deps, state);
  await deps.budget.room();
  if (state.failure !== null) throw state.failure;
}

function append(
  state: State,
  records: readonly SourceRecord[],
  offsetNext: string,
  nowMs: number,
): void {
  // The age of a buffer counts from what came first, be it a record or a range without any.
  if (state.offsetNext === state.takenTo) state.firstAtMs = nowMs;
  for (const record of records) state.buffer.add(record, nowMs);
  if (BigInt(offsetNext) > BigInt(state.offsetNext)) state.offsetNext = offsetNext;
}

function isDue(deps: PartitionDeps, state: State): boolean {
  if (state.failure !== null) throw state.failure;
  if (isOver(state) || deps.signal.aborted) return false;
  const facts = {
    rows: state.buffer.rows(),
    bytes: state.buffer.bytes(),
    firstAtMs: state.firstAtMs,
    rowsOfLastFlush: state.rowsOfLastFlush,
    advanced: BigInt(state.offsetNext) > BigInt(state.takenTo),
  };
  return decideFlush(facts, deps.limits, deps.ports.now()).kind === 'flush';
}

/** Whether the log is somebody else's now. */
function isOver({ stopped, going }: State): boolean {
  return going === 'left' || stopped?.code === 'WRITER_REPLACED';
}

/** Begins to commit the buffer, unless a commit is running or there is nothing to commit. */
function begin(deps: PartitionDeps, state: State): void {
  const { offsetNext, buffer } = state;
  if (state.failure !== null || isOver(state) || state.committing !== null || deps.signal.aborted)
    return;
  if (BigInt(offsetNext) <= BigInt(state.takenTo)) return;
  const bytes = buffer.bytes();
  const lines = buffer.take();
  state.takenTo = offsetNext;
  state.rowsOfLastFlush = lines.offsets.length;
  state.committing = { done: commit(deps, state, lines), bytes };
}

/** Never rejects: a failure is told by whatever is asked of the writer next. */
async function commit(deps: PartitionDeps, state: State, lines: Lines): Promise<void> {
  const { dataset, ports, budget } = deps;
  try {
    const content = contentOfLines({ dataset, bronze: ports.bronze }, lines);
    const batch = { content, offsetEnd: state.takenTo };
    const { open, seal } = await commitBatch(deps, state.open, batch);
    // Not after a failure, when the rest of the work may still be reading them.
    budget.chunks.giveBack(lines.chunks);
    state.open = open;
    state.done.batches += 1;
    state.done.records += seal.records;
    state.done.rows += seal.rows;
    state.done.deadLetters += seal.deadLetters;
    deps.onSealed(seal);
  } catch (error) {
    if (error instanceof IngotError && error.code === 'WRITER_REPLACED') {
      state.stopped = { code: error.code, message: messageOf(error) };
    } else {
      state.failure = error instanceof Error ? error : new Error(messageOf(error));
    }
  } finally {
    state.committing = null;
    budget.freed();
  }
}

async function finish(deps: PartitionDeps, state: State): Promise<void> {
  await state.committing?.done;
  begin(deps, state);
  await state.committing?.done;
  if (state.failure !== null) throw state.failure;
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

type Continuity =
  | { readonly kind: 'go'; readonly records: readonly SourceRecord[] }
  | { readonly kind: 'stop'; readonly stop: LogStop };

/** Holes stop, records don't: whether what was fetched goes on where the log ended. */
async function checkContinuity(
  deps: PartitionDeps,
  { open, compare, offsetNext: expected }: State,
  fetched: Fetched,
): Promise<Continuity> {
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
