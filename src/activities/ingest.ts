import { Context } from '@temporalio/activity';
import { messageOf } from '../errors.ts';
import { isReplaced } from '../lake/lanes.ts';
import type {
  IngestInput,
  IngestResult,
  LogAdvanced,
  LogPosition,
  LogsStopped,
} from '../lake/messages.ts';
import { parseLogName } from '../lake/paths.ts';
import type { LogReport } from './ingest-logs.ts';
import {
  type Slice,
  type SliceDeps,
  endOf,
  newSlice,
  positionsOf,
  reportsOf,
  serveWhatIsWanted,
} from './ingest-slice.ts';

/*
 * The long-running ingest activity of one lane. It takes its source logs over, reads until the slice
 * is over, and returns its positions. The logs are the truth: heartbeats, signals to the owner and
 * published offsets are only told from them.
 */

export type IngestDeps = SliceDeps & {
  readonly sliceMs: number;
  /** Kafka group under which positions are shown to lag tools. */
  readonly lagGroup: string;
  /** Tells the owner of the windows; a level, so a lost one is made good by the next. */
  readonly tellOwner: (message: LogAdvanced) => Promise<void>;
  /** Tells the workflow of the lane what does not go on; a level too. */
  readonly tellLane: (workflowId: string, message: LogsStopped) => Promise<void>;
  /** Aborted when the process is asked to end: flush, return, let another worker go on. */
  readonly draining: AbortSignal;
  /** A different text on each call. */
  readonly uniqueId: () => string;
};

const tickMs = 250;
const serveEveryMs = 1_000;
const tellEveryMs = 1_000;
const tellIdleEveryMs = 10_000;
const publishEveryMs = 5_000;
/** A slice that could not take its logs over for so long counts all the same. */
const takeoverMsMax = 300_000;

export type IngestActivities = {
  ingest(input: IngestInput): Promise<IngestResult>;
};

export function createIngestActivities(deps: IngestDeps): IngestActivities {
  return {
    async ingest(input) {
      const context = Context.current();
      const { workflowExecution, attempt } = context.info;
      const runId = workflowExecution?.runId ?? 'no-workflow';
      return runSlice(deps, input, {
        writer: `${input.lane}/${runId}/${attempt}/${deps.uniqueId()}`,
        workflowId: workflowExecution?.workflowId ?? 'no-workflow',
        heartbeat: (positions) => context.heartbeat({ schema: 1, positions }),
        sleep: (ms) => context.sleep(ms),
      });
    },
  };
}

/** What a slice needs of Temporal, so that it can also be run without. */
export type SliceContext = {
  readonly writer: string;
  readonly workflowId: string;
  readonly heartbeat: (positions: readonly LogPosition[]) => void;
  /** Rejects when the activity is cancelled. */
  readonly sleep: (ms: number) => Promise<unknown>;
};

/** Runs one slice. Throws what stopped it; whatever was sealed until then stays sealed. */
export async function runSlice(
  deps: IngestDeps,
  input: IngestInput,
  context: SliceContext,
): Promise<IngestResult> {
  const slice = newSlice(input, context.writer);
  try {
    const ended = await tickUntilOver(deps, context, slice);
    for (const group of slice.groups) group.finish();
    await endOf(slice);
    await tellOwner(deps, slice);
    if (slice.failure !== null) throw slice.failure.error;
    return { ended, revision: slice.control.revision, logs: positionsOf(slice) };
  } finally {
    // Nothing of a slice outlives it.
    for (const group of slice.groups) group.halt();
    await endOf(slice);
  }
}

async function tickUntilOver(
  deps: IngestDeps,
  context: SliceContext,
  slice: Slice,
): Promise<IngestResult['ended']> {
  const { now } = deps.ports;
  let endMs = now() + takeoverMsMax + deps.sliceMs;
  let isBegun = false;
  const said = { atMs: 0, text: '', stopped: '[]', publishedMs: 0 };
  let servedMs = -Infinity;
  while (slice.failure === null) {
    if (now() - servedMs >= serveEveryMs) {
      servedMs = now();
      await serveWhatIsWanted(deps, slice);
    }
    // A slice that ended before its logs were taken over would read nothing, and so would every next one.
    if (!isBegun && slice.groups.every((group) => group.reports().length > 0)) {
      isBegun = true;
      endMs = Math.min(endMs, now() + deps.sliceMs);
    }
    context.heartbeat(positionsOf(slice));
    await tellWhenDue(deps, context, slice, said);
    if (deps.draining.aborted) return 'draining';
    if (slice.retired) return 'retired';
    if (now() >= endMs) return 'slice';
    await context.sleep(tickMs);
  }
  // A group failed: the caller throws what it failed with.
  return 'slice';
}

async function tellWhenDue(
  deps: IngestDeps,
  { workflowId }: SliceContext,
  slice: Slice,
  said: { atMs: number; text: string; stopped: string; publishedMs: number },
): Promise<void> {
  const reports = reportsOf(slice);
  const nowMs = deps.ports.now();
  const text = reports
    .map(({ number, caughtUp, stopped }) => `${number}/${caughtUp}/${stopped?.code}`)
    .join();
  const idle = text === said.text;
  if (nowMs - said.atMs >= (idle ? tellIdleEveryMs : tellEveryMs)) {
    await tellOwner(deps, slice);
    await tellLane(deps, workflowId, slice, said);
    Object.assign(said, { atMs: nowMs, text });
  }
  if (nowMs - said.publishedMs >= publishEveryMs) {
    said.publishedMs = nowMs;
    await publishPositions(deps, reports);
  }
}

/** Stopped ones too: their frontier holds back every window that they may still have rows for. */
async function tellOwner(deps: IngestDeps, slice: Slice): Promise<void> {
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

/** A person may be needed: the workflow must know, and show it, while the others go on. */
async function tellLane(
  deps: IngestDeps,
  workflowId: string,
  slice: Slice,
  said: { stopped: string },
): Promise<void> {
  const stopped = positionsOf(slice).filter((position) => position.stopped !== null);
  const text = JSON.stringify(stopped.map(({ log, stopped: stop }) => [log, stop]));
  if (text === said.stopped) return;
  try {
    await deps.tellLane(workflowId, { stopped });
    said.stopped = text;
  } catch (error) {
    deps.ports.logger.warn({ error: messageOf(error) }, 'the workflow of the lane was not reached');
  }
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
