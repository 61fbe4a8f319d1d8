import type { IngestResult, LogPosition, LogRequest } from './messages.ts';
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
 * Logs that the next slice leaves alone: those that a person has paused, those that have stopped at
 * a hole, and those that another writer has taken over, because taking such a log back would only be
 * answered in kind.
 */
export function withoutOf(logs: LogsOfLane): readonly string[] {
  return logs.filter(({ stopped }) => stopped !== null).map(({ log }) => log);
}

/** What the slice has told, and of the logs that it left alone what was known before. */
export function afterSlice(logs: LogsOfLane, { logs: told }: IngestResult): LogsOfLane {
  const isTold = new Set(told.map(({ log }) => log));
  return [...told, ...logs.filter(({ log, stopped }) => stopped !== null && !isTold.has(log))];
}

export function withoutReplaced(logs: LogsOfLane): LogsOfLane {
  return logs.filter(({ stopped }) => stopped?.code !== 'WRITER_REPLACED');
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
  return { ...known, stopped: { code: 'PAUSED', message: `paused by ${author}: ${reason}` } };
}

export function describeLogs(logs: LogsOfLane): string {
  const lines = logs.map(({ log, number, offsetNext, stopped }) =>
    stopped === null
      ? `${log}: entry ${number}, next offset ${offsetNext}`
      : `${log}: stopped, ${stopped.message}`,
  );
  return lines.join('\n');
}
