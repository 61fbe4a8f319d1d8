import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { dropLane } from '../lake/drop.ts';
import { dropTopic } from '../lake/dropped-object.ts';
import { laneName, laneOf } from '../lake/lanes.ts';
import { type LogPosition, laneId } from '../lake/messages.ts';
import { parseLogName } from '../lake/paths.ts';
import type { EventSource } from '../ports.ts';

/** A source log, who serves it, and how many offsets of Kafka it has not sealed yet. */
export type LogLag = LogPosition & {
  readonly lane: string;
  /** The process that runs the lane, `null` while none does. */
  readonly worker: string | null;
  /** `null` where Kafka has no such topic partition. */
  readonly lag: string | null;
};

/**
 * Where the logs of all lanes stand: from the last heartbeats of the running slices, which are seconds
 * old, and for the others from what the workflows know. While a topic partition moves, the lane that
 * it moves to speaks for it as soon as it knows it. Throws `WorkflowNotFoundError` without any lane.
 */
export async function logStates({
  client,
  dataset,
  lanes,
  source,
}: {
  readonly client: Client;
  readonly dataset: string;
  readonly lanes: number;
  readonly source: Pick<EventSource, 'describeTopic'>;
}): Promise<readonly LogLag[]> {
  const names = [...Array.from({ length: lanes }, (_, index) => laneName(index)), dropLane];
  const found = await Promise.allSettled(
    names.map((lane) => statesOf(lane, client.workflow.getHandle(laneId(dataset, lane)))),
  );
  const failures = found.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  const grave = failures.find((reason) => !(reason instanceof WorkflowNotFoundError));
  if (grave !== undefined || failures.length === names.length)
    throw (grave ?? failures[0]) as Error;
  const states = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const isOwn = ({ log, lane }: LaneState): boolean => laneOfLog(log, lanes) === lane;
  // Of a log that two lanes speak of, the one counts whose it is.
  const byLog = new Map(
    states.toSorted((a, b) => Number(isOwn(a)) - Number(isOwn(b))).map((each) => [each.log, each]),
  );
  return withLag([...byLog.values()], source);
}

/** The lane of a source log; that of the drop folder is not dealt out. */
export function laneOfLog(log: string, lanes: number): string {
  const topicPartition = parseLogName(log);
  if (topicPartition.topic === dropTopic) return dropLane;
  return laneName(laneOf(topicPartition, lanes));
}

type LaneState = Omit<LogLag, 'lag'>;

async function withLag(
  states: readonly LaneState[],
  source: Pick<EventSource, 'describeTopic'>,
): Promise<readonly LogLag[]> {
  const named = states.map(({ log }) => parseLogName(log).topic);
  const topics = [...new Set(named)].filter((topic) => topic !== dropTopic);
  const described = (await Promise.all(topics.map((topic) => source.describeTopic(topic)))).flat();
  return states
    .map((state) => {
      const { topic, partition } = parseLogName(state.log);
      const found = described.find((each) => each.topic === topic && each.partition === partition);
      const lag = found === undefined ? null : BigInt(found.offsetEnd) - BigInt(state.offsetNext);
      return { ...state, lag: lag === null ? null : String(lag) };
    })
    .sort((left, right) => left.log.localeCompare(right.log));
}

async function statesOf(lane: string, handle: WorkflowHandle): Promise<readonly LaneState[]> {
  const known = await handle.query<readonly LogPosition[], []>('positions');
  const { positions, worker } = await livePositions(handle);
  const isLive = new Set(positions.map(({ log }) => log));
  return [...positions, ...known.filter(({ log }) => !isLive.has(log))].map((position) => ({
    ...position,
    lane,
    worker,
  }));
}

type Heartbeat = { readonly positions?: readonly LogPosition[] };

async function livePositions(
  handle: WorkflowHandle,
): Promise<{ readonly positions: readonly LogPosition[]; readonly worker: string | null }> {
  const { raw } = await handle.describe();
  const slices = ['ingest', 'ingestDrop'];
  const pending = raw.pendingActivities?.find(({ activityType }) =>
    slices.includes(activityType?.name ?? ''),
  );
  const worker = pending?.lastWorkerIdentity || null;
  const payload = pending?.heartbeatDetails?.payloads?.[0];
  if (payload === undefined) return { positions: [], worker };
  const beat = defaultPayloadConverter.fromPayload<Heartbeat>(payload);
  return { positions: beat.positions ?? [], worker };
}
