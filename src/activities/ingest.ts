import { Context } from '@temporalio/activity';
import { messageOf } from '../errors.ts';
import type { Dataset } from '../lake/dataset.ts';
import { dealOut } from '../lake/lanes.ts';
import type { IngestInput, IngestResult, LogAdvanced, LogPosition } from '../lake/messages.ts';
import { logName, parseLogName } from '../lake/paths.ts';
import type { Ports, TopicPartitionOffsets } from '../ports.ts';
import type { Group, StartGroup } from './ingest-group.ts';
import type { LogReport } from './ingest-logs.ts';

/*
 * The long-running ingest activity of one lane. It takes its source logs over, reads until the slice
 * is over, and returns its positions. The logs are the truth: heartbeats, signals to the owner and
 * published offsets are only told from them.
 */

export type IngestDeps = {
  readonly ports: Pick<Ports, 'source' | 'now' | 'logger'>;
  readonly dataset: Pick<Dataset, 'name'>;
  readonly topics: readonly string[];
  readonly startGroup: StartGroup;
  /** So many groups share the topic partitions of a lane. */
  readonly groupsMax: number;
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
        without: new Set(input.without),
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
  /** Logs that the lane leaves alone. */
  readonly without: ReadonlySet<string>;
  readonly cancelled: AbortSignal;
  readonly heartbeat: (positions: readonly LogPosition[]) => void;
  /** Rejects when the activity is cancelled. */
  readonly sleep: (ms: number) => Promise<unknown>;
};

/** The groups of a slice; new topic partitions get one more. */
type Slice = {
  readonly groups: Group[];
  /** The first failure of a group. */
  failure: { readonly error: unknown } | null;
};

/** Runs one slice. Throws what stopped it; whatever was sealed until then stays sealed. */
async function runSlice(deps: IngestDeps, context: SliceContext): Promise<IngestResult> {
  const slice: Slice = { groups: [], failure: null };
  startGroups(deps, context, slice, await describeTopics(deps));
  try {
    const ended = await tickUntilOver(deps, context, slice);
    for (const group of slice.groups) group.finish();
    await endOf(slice);
    await tell(deps, slice);
    if (slice.failure !== null) throw slice.failure.error;
    return { ended, logs: positionsOf(slice) };
  } finally {
    // Nothing of a slice outlives it.
    for (const group of slice.groups) group.halt();
    await endOf(slice);
  }
}

function endOf({ groups }: Slice): Promise<unknown> {
  return Promise.allSettled(groups.map(({ ended }) => ended));
}

/** Starts groups for the topic partitions that none serves yet. */
function startGroups(
  deps: IngestDeps,
  { writer, without }: SliceContext,
  slice: Slice,
  described: readonly TopicPartitionOffsets[],
): void {
  const served = new Set(slice.groups.flatMap(({ logs }) => logs));
  const wanted = described.filter(({ topic, partition }) => {
    const log = logName(topic, partition);
    return !served.has(log) && !without.has(log);
  });
  for (const topicPartitions of dealOut(wanted, deps.groupsMax)) {
    const group = deps.startGroup({ writer, topicPartitions });
    group.ended.catch((error: unknown) => (slice.failure ??= { error }));
    slice.groups.push(group);
  }
}

function describeTopics({ ports, topics }: IngestDeps): Promise<readonly TopicPartitionOffsets[]> {
  return Promise.all(topics.map((topic) => ports.source.describeTopic(topic))).then((all) =>
    all.flat(),
  );
}

function reportsOf({ groups }: Slice): readonly LogReport[] {
  return groups.flatMap((group) => group.reports());
}

function positionsOf(slice: Slice): readonly LogPosition[] {
  return reportsOf(slice).map(({ caughtUp: _, ...position }) => position);
}

async function tickUntilOver(
  deps: IngestDeps,
  context: SliceContext,
  slice: Slice,
): Promise<IngestResult['ended']> {
  const { now } = deps.ports;
  const endMs = now() + deps.sliceMs;
  const said = { atMs: 0, text: '', publishedMs: 0 };
  let observedMs = 0;
  while (slice.failure === null) {
    if (now() - observedMs >= observeEveryMs) {
      observedMs = now();
      const described = await describeTopics(deps);
      for (const group of slice.groups) group.observe(described, observedMs);
      startGroups(deps, context, slice, described);
    }
    context.heartbeat(positionsOf(slice));
    await tellWhenDue(deps, slice, said);
    if (deps.draining.aborted) return 'draining';
    // A person is needed: the workflow must know, and show it.
    if (reportsOf(slice).some(({ stopped }) => stopped !== null)) return 'stopped';
    if (now() >= endMs) return 'slice';
    await context.sleep(tickMs);
  }
  // A group failed: the caller throws what it failed with.
  return 'slice';
}

async function tellWhenDue(
  deps: IngestDeps,
  slice: Slice,
  said: { atMs: number; text: string; publishedMs: number },
): Promise<void> {
  const reports = reportsOf(slice);
  const nowMs = deps.ports.now();
  const text = reports.map(({ number, caughtUp }) => `${number}/${caughtUp}`).join();
  const idle = text === said.text;
  if (nowMs - said.atMs >= (idle ? tellIdleEveryMs : tellEveryMs)) {
    await tell(deps, slice);
    Object.assign(said, { atMs: nowMs, text });
  }
  if (nowMs - said.publishedMs >= publishEveryMs) {
    said.publishedMs = nowMs;
    await publishPositions(deps, reports);
  }
}

/** Stopped ones too: their frontier holds back every window that they may still have rows for. */
async function tell(deps: IngestDeps, slice: Slice): Promise<void> {
  const mine = positionsOf(slice).filter((position) => !isReplaced(position));
  const logs = mine.map(({ log, number, frontier }) => ({
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

/** A log that another writer has taken over: that one speaks for it. */
function isReplaced({ stopped }: LogPosition): boolean {
  return stopped?.code === 'WRITER_REPLACED';
}

async function publishPositions(deps: IngestDeps, reports: readonly LogReport[]): Promise<void> {
  const positions = reports
    .filter((report) => !isReplaced(report))
    .map(({ log, offsetNext }) => ({ ...parseLogName(log), offset: offsetNext }));
  try {
    await deps.ports.source.publishPositions(deps.lagGroup, positions);
  } catch (error) {
    // Only lag tools read these; the log is the truth, and the next round publishes again.
    const facts = { group: deps.lagGroup, error: messageOf(error) };
    deps.ports.logger.debug(facts, 'positions were not published');
  }
}
