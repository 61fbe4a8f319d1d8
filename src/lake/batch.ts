import type { DroppedPart } from './dropped-object.ts';
import type { LogName } from './paths.ts';
import {
  type GapEntry,
  type LastRecord,
  type LogState,
  type PlanEntry,
  type Seal,
  type TakeoverEntry,
  topicOf,
} from './source-log.ts';
import { formatInstant } from './time.ts';

/* When a batch is cut, and the objects that plan and seal it. */

export type FlushLimits = {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly ageMs: number;
  /** The age stretches to this while a topic partition brings a trickle. */
  readonly ageIdleMs: number;
};

export type Buffered = {
  readonly rows: number;
  readonly bytes: number;
  /** When the first record of the buffer was taken, ms; meaningless without rows. */
  readonly firstAtMs: number;
  /** Whether the flush before was of a trickle: then the age stretches while this is one, too. */
  readonly followsTrickle: boolean;
  /** Whether positions moved without records: such a range is also committed on age. */
  readonly advanced: boolean;
  /** Whether these are the last records of a backlog: what comes next may be long in coming. */
  readonly endsBacklog: boolean;
};

/** Under so many rows in the longest age, a topic partition brings a trickle (design section 4). */
export const trickleRows = 1_000;

export type FlushDecision =
  | { readonly kind: 'wait' }
  | { readonly kind: 'flush'; readonly by: 'rows' | 'bytes' | 'backlog' | 'age' };

export function decideFlush(buffered: Buffered, limits: FlushLimits, nowMs: number): FlushDecision {
  if (buffered.rows === 0 && !buffered.advanced) return { kind: 'wait' };
  if (buffered.rows >= limits.rowsMax) return { kind: 'flush', by: 'rows' };
  if (buffered.bytes >= limits.bytesMax) return { kind: 'flush', by: 'bytes' };
  if (buffered.endsBacklog) return { kind: 'flush', by: 'backlog' };
  const waitsLong = buffered.followsTrickle && isTrickle(buffered, limits, nowMs);
  const ageMs = waitsLong ? limits.ageIdleMs : limits.ageMs;
  return nowMs - buffered.firstAtMs >= ageMs ? { kind: 'flush', by: 'age' } : { kind: 'wait' };
}

/** Whether a buffer fills so slowly that waiting for more makes few files of many. */
export function isTrickle(
  { rows, firstAtMs }: Pick<Buffered, 'rows' | 'firstAtMs'>,
  { ageIdleMs }: Pick<FlushLimits, 'ageIdleMs'>,
  nowMs: number,
): boolean {
  return rows * ageIdleMs < trickleRows * (nowMs - firstAtMs);
}

/** A log with a full batch to read has a backlog, until a fetch reaches its end. */
export type Backlog = 'none' | 'reading' | 'ended';

export function nextBacklog(
  before: Backlog,
  lag: bigint,
  { rowsMax }: Pick<FlushLimits, 'rowsMax'>,
): Backlog {
  if (lag >= BigInt(rowsMax)) return 'reading';
  if (before !== 'reading') return 'none';
  return lag <= 0n ? 'ended' : 'reading';
}

export type WriterContext = {
  readonly log: LogName;
  readonly writer: string;
  readonly nowMs: number;
};

export function takeoverEntry(
  context: WriterContext & {
    readonly number: number;
    readonly before: LogState;
    readonly offsetNext: string;
    readonly topicId?: string;
  },
): TakeoverEntry {
  return {
    schema: 1,
    kind: 'takeover',
    log: context.log,
    number: context.number,
    writer: context.writer,
    time: formatInstant(context.nowMs),
    before: context.before,
    offsetNext: context.offsetNext,
    ...topicOf(context),
  };
}

/** Says that a person has accepted a hole, and where the log goes on. */
export function gapEntry(
  context: WriterContext & {
    readonly number: number;
    readonly before: LogState;
    readonly code: string;
    readonly offsetFirst: string;
    readonly offsetNext: string;
    readonly author: string;
    readonly reason: string;
    readonly topicId?: string;
    readonly object?: DroppedPart;
  },
): GapEntry {
  return {
    schema: 1,
    kind: 'gap',
    log: context.log,
    number: context.number,
    writer: context.writer,
    time: formatInstant(context.nowMs),
    before: context.before,
    code: context.code,
    offsetFirst: context.offsetFirst,
    offsetEnd: context.offsetNext,
    author: context.author,
    reason: context.reason,
    ...topicOf(context),
    ...(context.object === undefined ? {} : { object: context.object }),
  };
}

export type PlanSettings = {
  readonly contractHash: string;
  readonly encoder: string;
  readonly rawCopy: boolean;
  readonly recordBytesMax: number;
};

/** Plans the batch `[before.offsetNext, offsetEnd)`. */
export function planEntry(
  context: WriterContext & {
    readonly number: number;
    readonly before: LogState;
    readonly topic: string;
    readonly partition: number;
    readonly offsetEnd: string;
    readonly settings: PlanSettings;
    readonly object?: DroppedPart;
  },
): PlanEntry {
  const { before } = context;
  if (before.offsetNext === null) throw new Error('a plan needs a position: take over first');
  const time = formatInstant(context.nowMs);
  return {
    schema: 1,
    kind: 'plan',
    log: context.log,
    number: context.number,
    writer: context.writer,
    time,
    before,
    topic: context.topic,
    partition: context.partition,
    offsetFirst: before.offsetNext,
    offsetEnd: context.offsetEnd,
    ingestTime: time,
    ...context.settings,
    ...(context.object === undefined ? {} : { object: context.object }),
  };
}

export type BatchFigures = {
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly rowsPerEventHour: Readonly<Record<string, number>>;
  readonly eventTimeMin: string | null;
  readonly eventTimeMax: string | null;
  readonly lastRecord: LastRecord | null;
  readonly lastRecordTime: string | null;
  readonly bronzeKey: string;
  readonly rawKey: string | null;
  readonly deadLettersKey: string | null;
};

/** The seal of a planned batch. `consumed = bronze + dead letters` is checked here, once and always. */
export function sealOf(
  plan: PlanEntry,
  planHash: string,
  figures: BatchFigures,
  context: { readonly writer: string; readonly nowMs: number },
): Seal {
  if (figures.records !== figures.rows + figures.deadLetters) {
    throw new Error(
      `batch ${plan.log} #${plan.number}: ${figures.records} records are not ` +
        `${figures.rows} rows and ${figures.deadLetters} dead letters`,
    );
  }
  return {
    schema: 1,
    log: plan.log,
    number: plan.number,
    writer: context.writer,
    time: formatInstant(context.nowMs),
    planHash,
    previousSealHash: plan.before.lastSeal?.hash ?? null,
    offsetFirst: plan.offsetFirst,
    offsetEnd: plan.offsetEnd,
    ingestTime: plan.ingestTime,
    ...figures,
  };
}

/**
 * Dead letters of a batch are the records of its range that its file lacks. Both lists ascend;
 * `foreign` are rows of the file that the range does not hold.
 */
export function compareOffsets(
  inRange: BigInt64Array,
  inFile: BigInt64Array,
): { readonly lacking: readonly bigint[]; readonly foreign: readonly bigint[] } {
  const lacking: bigint[] = [];
  const foreign: bigint[] = [];
  if (sameOffsets(inRange, inFile)) return { lacking, foreign };
  let at = 0;
  for (const offset of inFile) {
    while (at < inRange.length && inRange[at]! < offset) lacking.push(inRange[at++]!);
    if (inRange[at] === offset) at += 1;
    else foreign.push(offset);
  }
  while (at < inRange.length) lacking.push(inRange[at++]!);
  return { lacking, foreign };
}

export function sameOffsets(left: BigInt64Array, right: BigInt64Array): boolean {
  if (left.length !== right.length) return false;
  // By halves: a BigInt for each of some 100,000 offsets costs more than the comparison.
  const [leftHalves, rightHalves] = [halvesOf(left), halvesOf(right)];
  return leftHalves.every((half, index) => half === rightHalves[index]);
}

function halvesOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length);
}
