import { IngotError, messageOf } from '../errors.ts';
import { type Control, initialControl } from '../lake/control.ts';
import {
  dealOut,
  decideServing,
  isAnotherLane,
  isReplaced,
  laneIndex,
  laneOf,
  pausedStop,
} from '../lake/lanes.ts';
import type { IngestInput, LogPosition } from '../lake/messages.ts';
import { logName, parseLogName } from '../lake/paths.ts';
import type { Ports, TopicPartitionOffsets } from '../ports.ts';
import { readControl } from './control.ts';
import type { Group, StartGroup } from './ingest-group.ts';
import { type LogReport, restingPosition } from './ingest-logs.ts';
import { readTail } from './source-log-tail.ts';

/*
 * What a slice of a lane serves: groups of topic partitions that come and go as the control says,
 * while the others go on.
 */

export type SliceDeps = {
  readonly ports: Pick<Ports, 'objects' | 'source' | 'now' | 'logger'>;
  readonly dataset: { readonly name: string };
  readonly topics: readonly string[];
  readonly startGroup: StartGroup;
  /** So many groups share the topic partitions that a lane begins with. */
  readonly groupsMax: number;
  /** Its topics are not dealt to lanes: it serves all of them. */
  readonly isAlone?: boolean;
};

export type Slice = {
  readonly writer: string;
  readonly lane: number;
  without: IngestInput['without'];
  control: Control;
  /** New topic partitions, and those that come back, get a group of their own. */
  groups: readonly Group[];
  /** Revision of the control at which a log was seen to have stopped. */
  readonly stoppedAt: Map<string, number>;
  /** Logs that another writer has, and the revision at which it was asked who that is. */
  readonly judgedAt: Map<string, number>;
  /** Logs of the lane that a person has paused. */
  paused: readonly LogPosition[];
  retired: boolean;
  /** The first failure of a group. */
  failure: { readonly error: unknown } | null;
};

export function newSlice(input: IngestInput, writer: string): Slice {
  return {
    writer,
    lane: laneIndex(input.lane) ?? 0,
    without: input.without,
    control: initialControl,
    groups: [],
    stoppedAt: new Map(),
    judgedAt: new Map(),
    paused: [],
    retired: false,
    failure: null,
  };
}

/** Makes what is served equal to what is wanted, and tells the groups how far Kafka has come. */
export async function serveWhatIsWanted(deps: SliceDeps, slice: Slice): Promise<void> {
  // By the control of before: whoever saw a stop and decided about it has written a later one.
  noteStops(slice);
  slice.control = await controlOr(deps, slice.control);
  const atMs = deps.ports.now();
  const described = await describeTopics(deps);
  for (const group of slice.groups) group.observe(described, atMs);
  await forgiveOtherLanes(deps, slice);
  const { control, lane, stoppedAt } = slice;
  const without = slice.without ?? null;
  const served = servedBy(slice.groups);
  const facts = { lane, control, described, served, stoppedAt, without };
  const { start, drop, retired } = decideServing(facts);
  for (const log of drop) {
    for (const group of slice.groups) if (group.logs.includes(log)) group.drop(log);
  }
  startGroups(deps, slice, start);
  slice.retired = retired;
  await notePaused(deps, slice, described, served);
}

/** Where every log of the lane stands. */
export function reportsOf({ groups, paused }: Slice): readonly LogReport[] {
  const served = groups.flatMap((group) => group.reports()).filter(({ left }) => !left);
  const isServed = new Set(served.map(({ log }) => log));
  const resting = paused.filter(({ log }) => !isServed.has(log));
  return [...served, ...resting.map((position) => ({ ...position, caughtUp: false, left: false }))];
}

export function positionsOf(slice: Slice): readonly LogPosition[] {
  return reportsOf(slice).map(({ caughtUp: _, left: _left, ...position }) => position);
}

export function endOf({ groups }: Slice): Promise<unknown> {
  return Promise.allSettled(groups.map(({ ended }) => ended));
}

/** A store that does not answer changes nothing: the lane goes on with what it was told last. */
async function controlOr({ ports, dataset, isAlone }: SliceDeps, known: Control): Promise<Control> {
  try {
    const read = await readControl(ports.objects, dataset.name);
    const found = isAlone === true ? { ...read, lanes: 1 } : read;
    return found.revision >= known.revision ? found : known;
  } catch (error) {
    ports.logger.warn({ error: messageOf(error) }, 'the control of ingest cannot be read');
    return known;
  }
}

/** A topic that is gone is no reason for the others to stand still, as long as there is one left. */
async function describeTopics({
  ports,
  topics,
}: SliceDeps): Promise<readonly TopicPartitionOffsets[]> {
  const settled = await Promise.allSettled(
    topics.map((topic) => ports.source.describeTopic(topic)),
  );
  const failures = settled.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  const grave = failures.find((reason) => !isMissing(reason));
  if (grave !== undefined) throw grave as Error;
  if (failures.length === topics.length) throw failures[0] as Error;
  for (const reason of failures) ports.logger.warn({ error: messageOf(reason) }, 'a topic is gone');
  return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

function isMissing(reason: unknown): boolean {
  return reason instanceof IngotError && reason.code === 'TOPIC_MISSING';
}

/** What a group has not let go of yet, whether or not it has told of it. */
function servedBy(groups: readonly Group[]): ReadonlySet<string> {
  const left = (group: Group): ReadonlySet<string> =>
    new Set(group.reports().flatMap((report) => (report.left ? [report.log] : [])));
  return new Set(
    groups.flatMap((group) => {
      const gone = left(group);
      return group.logs.filter((log) => !gone.has(log));
    }),
  );
}

function noteStops(slice: Slice): void {
  const { stoppedAt, control } = slice;
  const stopped = new Set(
    reportsOf(slice).flatMap(({ log, stopped: stop }) => (stop === null ? [] : [log])),
  );
  for (const log of stoppedAt.keys()) if (!stopped.has(log)) stoppedAt.delete(log);
  for (const log of stopped) if (!stoppedAt.has(log)) stoppedAt.set(log, control.revision);
}

/**
 * A log that another lane has taken over, by an older control, is this one's again if the control says
 * so. What an unknown writer has is left to it.
 */
async function forgiveOtherLanes({ ports, dataset }: SliceDeps, slice: Slice): Promise<void> {
  const { control, lane, stoppedAt, judgedAt, without } = slice;
  const { revision } = control;
  const replaced = positionsOf(slice).flatMap((each) => (isReplaced(each) ? [each.log] : []));
  const left = without?.revision === revision ? without.logs : [];
  for (const log of [...replaced, ...left]) {
    const isMine = laneOf(parseLogName(log), control.lanes) === lane;
    if (!isMine || judgedAt.get(log) === revision) continue;
    const { entry } = await readTail(ports.objects, { dataset: dataset.name, log });
    judgedAt.set(log, revision);
    if (entry === null || !isAnotherLane(entry.writer, lane)) continue;
    if (stoppedAt.has(log)) stoppedAt.set(log, revision - 1);
    if (left.includes(log)) {
      const others = slice.without?.logs.filter((each) => each !== log) ?? [];
      slice.without = { revision, logs: others };
    }
  }
}

function startGroups(
  deps: SliceDeps,
  slice: Slice,
  wanted: readonly TopicPartitionOffsets[],
): void {
  for (const topicPartitions of dealOut(wanted, deps.groupsMax)) {
    const group = deps.startGroup({ writer: slice.writer, topicPartitions });
    slice.groups = [...slice.groups, group];
    group.ended.then(
      // A group ends by itself when it has let go of everything.
      () => (slice.groups = slice.groups.filter((each) => each !== group || !hasLeft(each))),
      (error: unknown) => (slice.failure ??= { error }),
    );
  }
}

function hasLeft(group: Group): boolean {
  return group.reports().every(({ left }) => left);
}

/** Paused logs are still this lane's: it says where they rest, and that a person has decided so. */
async function notePaused(
  { ports, dataset }: SliceDeps,
  slice: Slice,
  described: readonly TopicPartitionOffsets[],
  served: ReadonlySet<string>,
): Promise<void> {
  const { control, lane } = slice;
  const logs = described.map(({ topic, partition }) => logName(topic, partition));
  const resting: LogPosition[] = [];
  for (const log of logs.filter((each) => each in control.paused && !served.has(each))) {
    if (laneOf(parseLogName(log), control.lanes) !== lane) continue;
    const stop = pausedStop(control.paused[log]!);
    const known = slice.paused.find((each) => each.log === log);
    const position =
      known ?? (await restingPosition(ports.objects, { dataset: dataset.name, log }));
    resting.push({ ...position, stopped: stop });
  }
  slice.paused = resting;
}
