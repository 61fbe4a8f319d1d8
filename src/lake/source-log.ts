import type { DroppedPart } from './dropped-object.ts';
import type { LogName } from './paths.ts';
import { canonicalJson } from './pointer.ts';

/*
 * A source log is the numbered, append-only truth about one topic partition. One number, one entry.
 * Each entry carries what a later writer must know of everything before it, so that the last entry
 * and its seal are enough to go on from, however long the log is.
 */

/** The last record of a batch, to notice a topic that was deleted and made again. */
export type LastRecord = { readonly offset: string; readonly digest: string };

/** What is true before an entry. `offsetNext` is null until the log has its first position. */
export type LogState = {
  readonly offsetNext: string | null;
  /** Number and hash of the newest seal before this entry, null without any. */
  readonly lastSeal: { readonly number: number; readonly hash: string } | null;
  readonly lastRecord: LastRecord | null;
  /** The broker's time of the last sealed record, ISO-8601; never later than it was read. */
  readonly lastRecordTime: string | null;
  /** The topic that the offsets are of, where the broker told; a new topic of that name has another. */
  readonly topicId?: string;
  /** Of a drop folder: what was planned last. */
  readonly object?: DroppedPart;
};

export const emptyLogState: LogState = {
  offsetNext: null,
  lastSeal: null,
  lastRecord: null,
  lastRecordTime: null,
};

type EntryBase = {
  readonly schema: 1;
  readonly log: LogName;
  readonly number: number;
  readonly writer: string;
  /** ISO-8601, by the writer's clock. */
  readonly time: string;
  /** What was true before this entry. */
  readonly before: LogState;
};

export type TakeoverEntry = EntryBase & {
  readonly kind: 'takeover';
  /** Where the log begins, on its first takeover; later ones repeat `before.offsetNext`. */
  readonly offsetNext: string;
  readonly topicId?: string;
};

/** Fixes what one batch holds: whoever finishes it writes the same content. */
export type PlanEntry = EntryBase & {
  readonly kind: 'plan';
  readonly topic: string;
  readonly partition: number;
  readonly offsetFirst: string;
  /** Exclusive. */
  readonly offsetEnd: string;
  /** `_ingest_ts`, the bronze hour and the range of event times hang on this. */
  readonly ingestTime: string;
  readonly contractHash: string;
  readonly encoder: string;
  readonly rawCopy: boolean;
  readonly recordBytesMax: number;
  /** Of a drop folder: where the offsets of the range come from, one for each line. */
  readonly object?: DroppedPart;
};

/**
 * A hole that a person accepted: from `offsetFirst` on the lake has nothing, and the log goes on at
 * `offsetEnd`, which lies before it where the topic was made anew.
 */
export type GapEntry = EntryBase & {
  readonly kind: 'gap';
  readonly code: string;
  readonly offsetFirst: string;
  readonly offsetEnd: string;
  readonly author: string;
  readonly reason: string;
  /** The topic that the log goes on with. */
  readonly topicId?: string;
  /** Of a drop folder: the object whose rest is given up. */
  readonly object?: DroppedPart;
};

export type LogEntry = TakeoverEntry | PlanEntry | GapEntry;

/** Says that a batch is complete, with its figures. Lies beside its plan. */
export type Seal = {
  readonly schema: 1;
  readonly log: LogName;
  readonly number: number;
  readonly writer: string;
  readonly time: string;
  readonly planHash: string;
  readonly previousSealHash: string | null;
  readonly offsetFirst: string;
  readonly offsetEnd: string;
  /** Records that Kafka gave for the range; gaps are lawful. */
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly ingestTime: string;
  readonly rowsPerEventHour: Readonly<Record<string, number>>;
  readonly eventTimeMin: string | null;
  readonly eventTimeMax: string | null;
  readonly lastRecord: LastRecord | null;
  readonly lastRecordTime: string | null;
  readonly bronzeKey: string;
  readonly rawKey: string | null;
  readonly deadLettersKey: string | null;
};

/** The end of a log as it was found: its last entry, and the seal of that entry if it has one. */
export type LogTail = {
  readonly entry: LogEntry | null;
  readonly seal: { readonly seal: Seal; readonly hash: string } | null;
};

/** The state after the tail; only for a tail that is not an open plan. */
export function stateAfter(tail: LogTail): LogState {
  const { entry, seal } = tail;
  if (entry === null) return emptyLogState;
  switch (entry.kind) {
    case 'takeover':
      return { ...entry.before, offsetNext: entry.offsetNext, ...topicOf(entry) };
    case 'gap':
      return {
        ...withObject(entry.before, entry.object),
        offsetNext: entry.offsetEnd,
        lastRecord: null,
        ...topicOf(entry),
      };
    case 'plan':
      if (seal === null) throw new Error(`plan ${entry.log} #${entry.number} has no seal yet`);
      return withObject(stateAfterSeal(entry.before, seal.seal, seal.hash), entry.object);
  }
}

/** The state after a batch. A batch without visible records keeps the last record before it. */
export function stateAfterSeal(before: LogState, seal: Seal, hash: string): LogState {
  return {
    offsetNext: seal.offsetEnd,
    lastSeal: { number: seal.number, hash },
    lastRecord: seal.lastRecord ?? before.lastRecord,
    lastRecordTime: seal.lastRecordTime ?? before.lastRecordTime,
    ...topicOf(before),
  };
}

/** The topic id alone, to be spread; nothing where none is known. */
export function topicOf({ topicId }: { readonly topicId?: string }): { readonly topicId?: string } {
  return topicId === undefined ? {} : { topicId };
}

/** Whether the topic of that name is another one now. Where one side tells no id, nothing says so. */
export function isAnotherTopic(
  known: { readonly topicId?: string },
  found: { readonly topicId?: string },
): boolean {
  if (known.topicId === undefined || found.topicId === undefined) return false;
  return known.topicId !== found.topicId;
}

/** The state behind an entry about an object; as it is behind any other. */
export function withObject<State extends LogState>(
  state: State,
  object: DroppedPart | undefined,
): State {
  return object === undefined ? state : { ...state, object };
}

export type TakeoverDecision =
  | { readonly kind: 'finishPlan'; readonly plan: PlanEntry }
  | { readonly kind: 'append'; readonly number: number; readonly state: LogState };

/** What a new writer does first: finish what lies open, then say that it is here. */
export function decideTakeover(tail: LogTail): TakeoverDecision {
  const { entry, seal } = tail;
  if (entry?.kind === 'plan' && seal === null) return { kind: 'finishPlan', plan: entry };
  return { kind: 'append', number: (entry?.number ?? -1) + 1, state: stateAfter(tail) };
}

/** Whether two writers, named `<lane>/<run>/…`, are attempts of one run of a lane. */
export function isSameLane(one: string, other: string): boolean {
  const laneOf = (writer: string): string => writer.split('/').slice(0, 2).join('/');
  return laneOf(one) === laneOf(other);
}

export type AppendDecision = 'appended' | 'replaced';

/**
 * What a create-only append means. `found` is the entry that lies at the number when the create
 * answered "already exists": one's own is a retried request whose first answer was lost. It must be
 * the same to the letter, since the content of a batch is what its plan says.
 */
export function decideAppend(wanted: LogEntry, found: LogEntry | null): AppendDecision {
  if (found === null) return 'appended';
  return canonicalJson(found) === canonicalJson(wanted) ? 'appended' : 'replaced';
}

export type StartFacts = {
  readonly state: LogState;
  /** Kafka's oldest offset that is still there, and the offset after the last record. */
  readonly offsetStart: string;
  readonly offsetEnd: string;
  readonly topicId?: string;
};

export type StartDecision =
  | {
      readonly kind: 'start';
      /** Where the log goes on. */
      readonly offsetNext: string;
      /** Where reading begins: at the last sealed record, if Kafka still has it, to compare it. */
      readonly readFrom: string;
      readonly compare: LastRecord | null;
    }
  | { readonly kind: 'offsetsLost'; readonly wanted: string }
  | { readonly kind: 'topicChanged'; readonly wanted: string };

/** Where a writer begins, or why it must not (design: holes stop, records don't). */
export function decideStart({ state, ...found }: StartFacts): StartDecision {
  const { offsetStart, offsetEnd } = found;
  const start = BigInt(offsetStart);
  if (state.offsetNext === null) {
    return { kind: 'start', offsetNext: offsetStart, readFrom: offsetStart, compare: null };
  }
  const next = BigInt(state.offsetNext);
  if (isAnotherTopic(state, found) || BigInt(offsetEnd) < next) {
    return { kind: 'topicChanged', wanted: state.offsetNext };
  }
  if (start > next) return { kind: 'offsetsLost', wanted: state.offsetNext };
  const last = state.lastRecord;
  if (last === null || BigInt(last.offset) < start || BigInt(last.offset) >= next) {
    return {
      kind: 'start',
      offsetNext: state.offsetNext,
      readFrom: state.offsetNext,
      compare: null,
    };
  }
  return { kind: 'start', offsetNext: state.offsetNext, readFrom: last.offset, compare: last };
}

/**
 * Whether a fetch that begins past the expected offset is a lawful gap (compaction, transactions)
 * or a hole. The log start must have been asked for after the fetch.
 */
export function decideGap(facts: {
  readonly expected: string;
  readonly first: string;
  readonly offsetStart: string;
}): 'contiguous' | 'lawfulGap' | 'offsetsLost' | 'topicChanged' {
  const expected = BigInt(facts.expected);
  const first = BigInt(facts.first);
  if (first < expected) return 'topicChanged';
  if (first === expected) return 'contiguous';
  return BigInt(facts.offsetStart) <= expected ? 'lawfulGap' : 'offsetsLost';
}

/** Whether Kafka still has the whole range of a plan, for a writer that must read it again. */
export function decideRedo(
  plan: Pick<PlanEntry, 'offsetFirst' | 'offsetEnd' | 'before'>,
  found: Omit<StartFacts, 'state'>,
): 'read' | 'offsetsLost' | 'topicChanged' {
  if (isAnotherTopic(plan.before, found)) return 'topicChanged';
  if (BigInt(found.offsetEnd) < BigInt(plan.offsetEnd)) return 'topicChanged';
  return BigInt(found.offsetStart) <= BigInt(plan.offsetFirst) ? 'read' : 'offsetsLost';
}
