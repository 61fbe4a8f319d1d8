import { Context } from '@temporalio/activity';
import { IngotError, messageOf } from '../errors.ts';
import type { FlushLimits, PlanSettings } from '../lake/batch.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { IngestInput, IngestResult, LogAdvanced, LogPosition } from '../lake/messages.ts';
import { logName } from '../lake/paths.ts';
import type { Ports, TopicPartitionOffsets } from '../ports.ts';
import { type Lane, positionsOf, takeOverAll } from './ingest-lane.ts';
import type { PartitionWriter } from './ingest-partition.ts';

/*
 * The long-running ingest activity of one lane. It takes its source logs over, reads until the slice
 * is over, and returns its positions. The logs are the truth: heartbeats, signals to the owner and
 * published offsets are only told from them.
 */

export type IngestDeps = {
  readonly ports: Ports;
  readonly dataset: Dataset;
  readonly topics: readonly string[];
  readonly limits: FlushLimits;
  readonly plan: Omit<PlanSettings, 'contractHash' | 'encoder'>;
  readonly sliceMs: number;
  /** Kafka group under which positions are shown to lag tools. */
  readonly lagGroup: string;
  /** Tells the owner of the windows; a level, so a lost one is made good by the next. */
  readonly tellOwner: (message: LogAdvanced) => Promise<void>;
  /** Aborted when the process is asked to end: flush, return, let another worker go on. */
  readonly draining: AbortSignal;
  /** A different text on each call. */
  readonly uniqueId: () => string;
};

const tickMs = 250;
const observeEveryMs = 1_000;
const tellEveryMs = 1_000;
const tellIdleEveryMs = 10_000;
const publishEveryMs = 5_000;

export type IngestActivities = {
  ingest(input: IngestInput): Promise<IngestResult>;
};

export function createIngestActivities(deps: IngestDeps): IngestActivities {
  return {
    async ingest(input) {
      const context = Context.current();
      const { workflowExecution, attempt } = context.info;
      const runId = workflowExecution?.runId ?? 'no-workflow';
      return runSlice(deps, {
        writer: `${input.lane}/${runId}/${attempt}/${deps.uniqueId()}`,
        cancelled: context.cancellationSignal,
        heartbeat: (positions) => context.heartbeat({ schema: 1, positions }),
        sleep: (ms) => context.sleep(ms),
      });
    },
  };
}

/** What a slice needs of Temporal, so that it can also be run without. */
type SliceContext = {
  readonly writer: string;
  readonly cancelled: AbortSignal;
  readonly heartbeat: (positions: readonly LogPosition[]) => void;
  /** Rejects when the activity is cancelled. */
  readonly sleep: (ms: number) => Promise<unknown>;
};

/** Runs one slice. Throws what stopped it; whatever was sealed until then stays sealed. */
async function runSlice(deps: IngestDeps, context: SliceContext): Promise<IngestResult> {
  const failed = new AbortController();
  const halt = AbortSignal.any([context.cancelled, failed.signal]);
  const reading = new AbortController();
  const { writer } = context;
  const lane = await takeOverAll({ ...deps, settings: deps.plan, writer, signal: halt });
  const { writers } = lane;
  const byLog = new Map(writers.map((writer) => [writer.log, writer]));
  const read = deps.ports.source.read({
    positions: writers.map(({ topic, partition, readFrom }) => ({
      topic,
      partition,
      offset: readFrom,
    })),
    signal: AbortSignal.any([halt, reading.signal]),
    onFetched: async (fetched) => {
      await byLog.get(logName(fetched.topic, fetched.partition))?.accept(fetched);
    },
  });
  let readFailure: Error | undefined;
  const readEnded = read.catch((error: unknown) => {
    readFailure = lostWhileReading(error);
    failed.abort();
  });
  try {
    const ended = await tickUntilOver(deps, context, lane, halt);
    reading.abort();
    await readEnded;
    if (readFailure === undefined) {
      await Promise.all(writers.map((writer) => writer.flush({ everything: true })));
    }
    await tell(deps, lane);
    if (readFailure !== undefined) throw readFailure;
    return { ended, logs: positionsOf(lane) };
  } catch (error) {
    failed.abort();
    await readEnded;
    // What is being written goes on to its seal, and nothing of a slice outlives it.
    await Promise.all(writers.map((writer) => writer.idle()));
    throw readFailure ?? error;
  }
}

/** A hole that opens under a running read: the next attempt stops that topic partition alone. */
function lostWhileReading(error: unknown): Error {
  if (!(error instanceof IngotError) || error.code !== 'OFFSETS_LOST') {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
  const { code, facts } = error;
  const sentence = 'Kafka dropped records while their topic partition was read';
  return new IngotError(code, sentence, { retryable: true, facts, cause: error });
}

async function tickUntilOver(
  deps: IngestDeps,
  context: SliceContext,
  lane: Lane,
  halt: AbortSignal,
): Promise<IngestResult['ended']> {
  const { now } = deps.ports;
  const { writers } = lane;
  const endMs = now() + deps.sliceMs;
  const said = { atMs: 0, text: '', publishedMs: 0 };
  let observedMs = 0;
  while (!halt.aborted) {
    if (now() - observedMs >= observeEveryMs) {
      observedMs = now();
      await observe(deps, writers);
    }
    await Promise.all(writers.map((writer) => writer.flush({ everything: false })));
    context.heartbeat(positionsOf(lane));
    await tellWhenDue(deps, lane, said);
    if (deps.draining.aborted) return 'draining';
    if (now() >= endMs) return 'slice';
    await context.sleep(tickMs);
  }
  context.cancelled.throwIfAborted();
  // Reading failed: the caller throws what it failed with.
  return 'slice';
}

async function observe(deps: IngestDeps, writers: readonly PartitionWriter[]): Promise<void> {
  const askedMs = deps.ports.now();
  const described = await Promise.all(
    deps.topics.map((topic) => deps.ports.source.describeTopic(topic)),
  );
  const byLog = new Map<string, TopicPartitionOffsets>(
    described.flat().map((offsets) => [logName(offsets.topic, offsets.partition), offsets]),
  );
  for (const writer of writers) {
    const offsets = byLog.get(writer.log);
    if (offsets !== undefined) writer.observe(offsets, askedMs);
  }
}

async function tellWhenDue(
  deps: IngestDeps,
  lane: Lane,
  said: { atMs: number; text: string; publishedMs: number },
): Promise<void> {
  const { writers } = lane;
  const nowMs = deps.ports.now();
  const text = writers.map((writer) => `${writer.position().number}/${writer.isCaughtUp()}`).join();
  const idle = text === said.text;
  if (nowMs - said.atMs >= (idle ? tellIdleEveryMs : tellEveryMs)) {
    await tell(deps, lane);
    Object.assign(said, { atMs: nowMs, text });
  }
  if (nowMs - said.publishedMs >= publishEveryMs) {
    said.publishedMs = nowMs;
    await publishPositions(deps, writers);
  }
}

/** Stopped ones too: their frontier holds back every window that they may still have rows for. */
async function tell(deps: IngestDeps, lane: Lane): Promise<void> {
  const logs = positionsOf(lane).map(({ log, number, frontier }) => ({
    log,
    sealedTo: number,
    frontier,
  }));
  try {
    await deps.tellOwner({ logs });
  } catch (error) {
    // Told again within seconds; the batches are sealed whether or not the owner knows yet.
    deps.ports.logger.warn({ error: messageOf(error) }, 'the owner of the windows was not reached');
  }
}

async function publishPositions(
  deps: IngestDeps,
  writers: readonly PartitionWriter[],
): Promise<void> {
  const positions = writers.map((writer) => ({
    topic: writer.topic,
    partition: writer.partition,
    offset: writer.position().offsetNext,
  }));
  try {
    await deps.ports.source.publishPositions(deps.lagGroup, positions);
  } catch (error) {
    // Only lag tools read these; the log is the truth, and the next round publishes again.
    const facts = { group: deps.lagGroup, error: messageOf(error) };
    deps.ports.logger.debug(facts, 'positions were not published');
  }
}
