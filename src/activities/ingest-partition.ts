import { isUtf8 } from 'node:buffer';
import { IngotError, messageOf } from '../errors.ts';
import {
  type Backlog,
  type FlushLimits,
  decideFlush,
  isTrickle,
  nextBacklog,
} from '../lake/batch.ts';
import type { LogPosition, LogStop } from '../lake/messages.ts';
import { createPlainScan } from '../lake/plain-record.ts';
import { type LastRecord, type Seal, isAnotherTopic } from '../lake/source-log.ts';
import { formatInstant } from '../lake/time.ts';
import type { Fetched, SourceRecord, TopicPartitionOffsets } from '../ports.ts';
import { contentOfLines } from './batch-content.ts';
import { assertSameTopic, checkContinuity } from './ingest-continuity.ts';
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
  /** A commit has found that the log may not go on. */
  isOver: boolean;
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
  followsTrickle: boolean;
  backlog: Backlog;
  /** As the latest fetch can ask it. */
  topicIdNow: Fetched['topicIdNow'];
};

export function createPartitionWriter(deps: PartitionDeps, taken: Takeover): PartitionWriter {
  const { open, start } = taken;
  const { fields, placement } = deps.dataset;
  const state: State = {
    open,
    compare: start.compare,
    stopped: null,
    isOver: false,
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
    followsTrickle: false,
    backlog: 'none',
    topicIdNow: undefined,
  };
  deps.budget.join({
    buffered: () => (state.going === 'left' ? 0 : state.buffer.held()),
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
    observe: (offsets, atMs) => observe(deps, state, offsets, atMs),
    position: () => positionOf(state),
    isCaughtUp: () => state.caughtUp,
  };
}

async function accept(deps: PartitionDeps, state: State, fetched: Fetched): Promise<void> {
  if (state.stopped !== null || state.going !== 'on' || deps.signal.aborted) return;
  const { open, compare: known, offsetNext: expected } = state;
  const found = await checkContinuity(deps.ports, { open, compare: known, expected }, fetched);
  if (found.kind === 'stop') {
    state.stopped = found.stop;
    return;
  }
  const { compare } = state;
  if (compare !== null && BigInt(fetched.offsetNext) > BigInt(compare.offset)) state.compare = null;
  state.topicIdNow = fetched.topicIdNow;
  append(state, found.records, fetched.offsetNext, deps.ports.now());
  const lag = BigInt(fetched.highWatermark) - BigInt(state.offsetNext);
  state.backlog = nextBacklog(state.backlog, lag, deps.limits);
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
  state.buffer.addAll(records, nowMs);
  if (BigInt(offsetNext) > BigInt(state.offsetNext)) state.offsetNext = offsetNext;
}

function isDue(deps: PartitionDeps, state: State): boolean {
  if (state.failure !== null) throw state.failure;
  if (isOver(state) || deps.signal.aborted) return false;
  const facts = {
    rows: state.buffer.rows(),
    bytes: state.buffer.bytes(),
    firstAtMs: state.firstAtMs,
    followsTrickle: state.followsTrickle,
    advanced: BigInt(state.offsetNext) > BigInt(state.takenTo),
    endsBacklog: state.backlog === 'ended',
  };
  return decideFlush(facts, deps.limits, deps.ports.now()).kind === 'flush';
}

/** The log is somebody else's now, or its topic is another one. */
const endings: readonly string[] = ['WRITER_REPLACED', 'TOPIC_CHANGED'];

function isOver({ isOver: over, going }: State): boolean {
  return going === 'left' || over;
}

/** Begins to commit the buffer, unless a commit is running or there is nothing to commit. */
function begin(deps: PartitionDeps, state: State): void {
  const { offsetNext, buffer } = state;
  if (state.failure !== null || isOver(state) || state.committing !== null || deps.signal.aborted)
    return;
  if (BigInt(offsetNext) <= BigInt(state.takenTo)) return;
  const bytes = buffer.held();
  const lines = buffer.take();
  state.takenTo = offsetNext;
  const filled = { rows: lines.offsets.length, firstAtMs: state.firstAtMs };
  state.followsTrickle = isTrickle(filled, deps.limits, deps.ports.now());
  state.committing = { done: commit(deps, state, lines), bytes };
}

/** Never rejects: a failure is told by whatever is asked of the writer next. */
async function commit(deps: PartitionDeps, state: State, lines: Lines): Promise<void> {
  const { dataset, ports, budget } = deps;
  try {
    const content = contentOfLines({ dataset, bronze: ports.bronze }, lines);
    const batch = { content, offsetEnd: state.takenTo };
    await assertSameTopic(ports, state.open, state.topicIdNow);
    const { open, seal } = await commitBatch(deps, state.open, batch);
    // Not after a failure, when the rest of the work may still be reading them.
    budget.chunks.giveBack([...lines.chunks, ...lines.places.memory]);
    state.open = open;
    state.done.batches += 1;
    state.done.records += seal.records;
    state.done.rows += seal.rows;
    state.done.deadLetters += seal.deadLetters;
    deps.onSealed(seal);
  } catch (error) {
    // A retryable one fails the slice: of its own lane, Temporal starts the attempt that it wants.
    if (error instanceof IngotError && endings.includes(error.code) && !error.retryable) {
      // What was to be committed is not, so nothing behind it may be either.
      state.isOver = true;
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

function observe(
  deps: PartitionDeps,
  state: State,
  offsets: TopicPartitionOffsets,
  atMs: number,
): void {
  const { offsetNext, lastRecordTime } = state.open.state;
  const isAnother = isAnotherTopic(state.open.state, offsets);
  if (isAnother) void lookAgain(deps, state);
  // Of a topic that is another one now, or has yet to show that it is not, offsets prove nothing.
  const isKnown = state.stopped === null && state.compare === null && !isAnother;
  // Caught up: everything that Kafka had at the instant of asking is sealed.
  state.caughtUp = isKnown && BigInt(offsetNext) >= BigInt(offsets.offsetEnd);
  const lastRecordMs = lastRecordTime === null ? 0 : Date.parse(lastRecordTime);
  state.frontierMs = Math.max(state.frontierMs, state.caughtUp ? atMs : lastRecordMs);
}

/** The observation may be older than the takeover, and nothing may come that would be committed. */
async function lookAgain({ ports }: PartitionDeps, state: State): Promise<void> {
  try {
    await assertSameTopic(ports, state.open);
  } catch (error) {
    // Kafka that does not answer says nothing; it is asked again with the next observation.
    if (!(error instanceof IngotError) || error.code !== 'TOPIC_CHANGED') return;
    state.stopped ??= { code: error.code, message: messageOf(error) };
  }
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
