import type { Control } from './control.ts';
import type { DropFigures, IngestResult, LogPosition, LogRequest, LogStop } from './messages.ts';
import { type LogName, logName, parseLogName } from './paths.ts';
import { formatInstant } from './time.ts';

/* Who serves which topic partition, and what a lane knows of its source logs. */

export type LogsOfLane = readonly LogPosition[];

/** Deals things out to at most so many hands, evenly and in order; no hand stays empty. */
export function dealOut<T>(things: readonly T[], handsMax: number): readonly (readonly T[])[] {
  const hands: T[][] = [];
  for (const [index, thing] of things.entries()) {
    const hand = hands[index % handsMax];
    if (hand === undefined) hands.push([thing]);
    else hand.push(thing);
  }
  return hands;
}

/**
 * The lane of a topic partition, from 0. It depends on nothing else, so every lane comes to the same
 * answer, and a topic partition stays where it is when others are added.
 */
export function laneOf({ topic, partition }: TopicPartitionName, lanes: number): number {
  return (hashOf(topic) + partition) % lanes;
}

export function laneName(index: number): string {
  return `lane-${index}`;
}

/** `null` for a text that names no lane. */
export function laneIndex(name: string): number | null {
  const match = /^lane-(\d{1,4})$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Spreads topics with few topic partitions; FNV-1a, of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash % 1_000;
}

type TopicPartitionName = { readonly topic: string; readonly partition: number };

export type ServingFacts<T extends TopicPartitionName> = {
  readonly lane: number;
  readonly control: Pick<Control, 'lanes' | 'paused' | 'revision'>;
  /** All topic partitions, as Kafka has described them. */
  readonly described: readonly T[];
  /** Logs that this lane serves, or has not let go of yet. */
  readonly served: ReadonlySet<LogName>;
  /** Those among them that have stopped, and the revision of the control at which they had. */
  readonly stoppedAt: ReadonlyMap<LogName, number>;
  /** Logs that another writer had taken over at a revision. */
  readonly without: { readonly logs: readonly LogName[]; readonly revision: number } | null;
};

export type ServingDecision<T> = {
  readonly start: readonly T[];
  readonly drop: readonly LogName[];
  /** The lane is one too many: it serves nothing, now and later. */
  readonly retired: boolean;
};

/**
 * What a lane begins and ceases to serve. A log that has stopped is let go of, and so begun anew, when
 * the control has changed since: a person may have decided about it, or it may be another lane's.
 * Until then it rests, so that two writers never take a log from each other in turn.
 */
export function decideServing<T extends TopicPartitionName>(
  facts: ServingFacts<T>,
): ServingDecision<T> {
  const { lane, control, described, served, stoppedAt, without } = facts;
  const isLeftAlone = (log: LogName): boolean =>
    log in control.paused ||
    (without !== null && without.revision === control.revision && without.logs.includes(log));
  const isMine = ({ topic, partition }: TopicPartitionName): boolean =>
    laneOf({ topic, partition }, control.lanes) === lane;
  const isStale = (log: LogName): boolean =>
    control.revision > (stoppedAt.get(log) ?? control.revision);
  return {
    start: described.filter((each) => {
      const log = logName(each.topic, each.partition);
      return isMine(each) && !served.has(log) && !isLeftAlone(log);
    }),
    drop: [...served].filter(
      (log) => !isMine(parseLogName(log)) || log in control.paused || isStale(log),
    ),
    retired: lane >= control.lanes && served.size === 0,
  };
}

/** Logs that another writer has taken over: taking one back would only be answered in kind. */
export function withoutOf(logs: LogsOfLane): readonly LogName[] {
  return logs.filter(isReplaced).map(({ log }) => log);
}

/** What the slice has told. It left alone what another writer had taken over. */
export function afterSlice(logs: LogsOfLane, { logs: told }: IngestResult): LogsOfLane {
  const isTold = new Set(told.map(({ log }) => log));
  return [...told, ...logs.filter((known) => isReplaced(known) && !isTold.has(known.log))];
}

/** All logs of the lane that do not go on, and why: whoever is not named goes on. */
export function afterStops(logs: LogsOfLane, stopped: LogsOfLane): LogsOfLane {
  const isNamed = new Set(stopped.map(({ log }) => log));
  const others = logs
    .filter(({ log }) => !isNamed.has(log))
    .map((known) => (isReplaced(known) ? known : { ...known, stopped: null }));
  return [...stopped, ...others];
}

export function withoutReplaced(logs: LogsOfLane): LogsOfLane {
  return logs.filter((known) => !isReplaced(known));
}

/**
 * Whether an entry was written by another lane of the same dataset. From that one a log may be taken
 * back when the control says whose it is; from an unknown writer it may not.
 */
export function isAnotherLane(writer: string, lane: number): boolean {
  const index = laneIndex(writer.split('/')[0] ?? '');
  return index !== null && index !== lane;
}

export function isReplaced({ stopped }: LogPosition): boolean {
  return stopped?.code === 'WRITER_REPLACED';
}

export function pausedStop({ author, reason }: Omit<LogRequest, 'log'>): LogStop {
  return { code: 'PAUSED', message: `paused by ${author}: ${reason}` };
}

/** The log as it is after a person has paused it. Of one that no slice has told of, nothing is known. */
export function pausedLog(logs: LogsOfLane, { log, author, reason }: LogRequest): LogPosition {
  const known = logs.find((each) => each.log === log) ?? {
    log,
    number: -1,
    offsetNext: '0',
    frontier: formatInstant(0),
    batches: 0,
    records: 0,
    rows: 0,
    deadLetters: 0,
  };
  return { ...known, stopped: pausedStop({ author, reason }) };
}

export function describeLogs(logs: LogsOfLane): string {
  const lines = logs.map(({ log, number, offsetNext, stopped, drop }) =>
    stopped === null
      ? [`${log}: entry ${number}, next offset ${offsetNext}`, ...describeDrop(drop)].join('; ')
      : `${log}: stopped, ${stopped.message}`,
  );
  return lines.join('\n');
}

/** What somebody should know of a drop folder, in a few words each. */
export function describeDrop(drop: DropFigures | undefined): readonly string[] {
  if (drop === undefined) return [];
  const { waiting, undecidedCount, unknownKinds } = drop;
  return [
    ...(waiting > 0 ? [`${waiting} objects wait`] : []),
    ...(undecidedCount > 0 ? [`${undecidedCount} replaced objects need a decision`] : []),
    ...(unknownKinds > 0 ? [`${unknownKinds} objects of unknown kind are left alone`] : []),
  ];
}
