import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { LogPosition } from '../lake/messages.ts';
import { parseLogName } from '../lake/paths.ts';
import type { EventSource } from '../ports.ts';

/** A source log, and how many offsets of Kafka it has not sealed yet. */
export type LogLag = LogPosition & {
  /** `null` where Kafka has no such topic partition. */
  readonly lag: string | null;
};

/**
 * Where the logs of a lane stand: from the last heartbeat of the running slice, which is seconds
 * old, and for the logs that it leaves alone from what the workflow knows.
 */
export async function logStates({
  handle,
  source,
}: {
  readonly handle: WorkflowHandle;
  readonly source: Pick<EventSource, 'describeTopic'>;
}): Promise<readonly LogLag[]> {
  const known = await handle.query<readonly LogPosition[], []>('positions');
  const live = await livePositions(handle);
  const isLive = new Set(live.map(({ log }) => log));
  const positions = [...live, ...known.filter(({ log }) => !isLive.has(log))];
  const topics = [...new Set(positions.map(({ log }) => parseLogName(log).topic))];
  const described = (await Promise.all(topics.map((topic) => source.describeTopic(topic)))).flat();
  return positions
    .map((position) => {
      const { topic, partition } = parseLogName(position.log);
      const found = described.find((each) => each.topic === topic && each.partition === partition);
      const lag =
        found === undefined ? null : BigInt(found.offsetEnd) - BigInt(position.offsetNext);
      return { ...position, lag: lag === null ? null : String(lag) };
    })
    .sort((left, right) => left.log.localeCompare(right.log));
}

type Heartbeat = { readonly positions?: readonly LogPosition[] };

async function livePositions(handle: WorkflowHandle): Promise<readonly LogPosition[]> {
  const { raw } = await handle.describe();
  const payload = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'ingest')
    ?.heartbeatDetails?.payloads?.[0];
  if (payload === undefined) return [];
  return defaultPayloadConverter.fromPayload<Heartbeat>(payload).positions ?? [];
}
