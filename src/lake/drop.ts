import { type DroppedLine, type DroppedPart, dropTopic } from './dropped-object.ts';
import { logName } from './paths.ts';
import type { PlanEntry } from './source-log.ts';

/*
 * The rules of a drop folder. It has one source log, whose offsets count the lines of all objects
 * in the order in which they were taken; a plan names the object and the lines that its range holds.
 */

/** The source log of the drop folder. */
export const dropLog = logName(dropTopic, 0);
/** The lane that serves it. */
export const dropLane = 'drop';

/** How an object is read; its name says it. */
export type DropFormat = { readonly lines: 'json' | 'csv'; readonly gzip: boolean };

const formats: readonly (readonly [string, DropFormat])[] = [
  ['.json.gz', { lines: 'json', gzip: true }],
  ['.jsonl.gz', { lines: 'json', gzip: true }],
  ['.jsonl', { lines: 'json', gzip: false }],
  ['.csv.gz', { lines: 'csv', gzip: true }],
  ['.csv', { lines: 'csv', gzip: false }],
];

/** `null` for an object whose name does not end as one of the kinds that can be read. */
export function dropFormat(key: string): DropFormat | null {
  const name = key.toLowerCase();
  return formats.find(([suffix]) => name.endsWith(suffix))?.[1] ?? null;
}

// ── Which objects are taken ─────────────────────────────────────────────────────────────────────

/** What a person decided about another version of an object that was taken before. */
export type DropVerdict = 'take' | 'ignore';

export type DropDecision = {
  readonly schema: 1;
  readonly key: string;
  readonly etag: string;
  readonly verdict: DropVerdict;
  readonly author: string;
  readonly reason: string;
  readonly time: string;
};

export type ObjectFacts = {
  readonly key: string;
  /** Id of the version that lies there. */
  readonly version: string;
  /** Ids of the versions of this key that were taken. */
  readonly taken: ReadonlySet<string>;
  readonly verdict: DropVerdict | null;
};

export type ObjectJudgement =
  | 'take'
  /** This version was taken. */
  | 'taken'
  /** Another version was taken, and a person has decided against this one. */
  | 'ignored'
  /** Another version was taken: a person has to decide. */
  | 'undecided'
  /** Its name says nothing that can be read. */
  | 'unknownKind'
  /** What S3 consoles make to show an empty folder. */
  | 'folder';

/** What becomes of an object that lies in the folder. Each version is taken once or not at all. */
export function judgeObject({ key, version, taken, verdict }: ObjectFacts): ObjectJudgement {
  if (key.endsWith('/')) return 'folder';
  if (taken.has(version)) return 'taken';
  if (dropFormat(key) === null) return 'unknownKind';
  if (taken.size === 0 || verdict === 'take') return 'take';
  return verdict === 'ignore' ? 'ignored' : 'undecided';
}

// ── Where a poll looks ──────────────────────────────────────────────────────────────────────────

/**
 * A poll lists what sorts behind everything seen so far, which is where names with a time in them
 * arrive, and one page of the whole folder, round after round, for whatever arrives elsewhere or is
 * replaced. So it costs the same however much lies there.
 */
export type PollCursor = {
  /** The greatest key seen, null before the first. */
  readonly seenTo: string | null;
  /** Where the round goes on, null at its beginning. */
  readonly roundAt: string | null;
};

export const firstPoll: PollCursor = { seenTo: null, roundAt: null };

export function afterPoll(
  cursor: PollCursor,
  pages: { readonly behind: readonly string[]; readonly round: readonly string[] },
  pageKeys: number,
): PollCursor {
  const roundEnds = pages.round.length < pageKeys;
  return {
    seenTo: pages.behind.at(-1) ?? cursor.seenTo,
    roundAt: roundEnds ? null : (pages.round.at(-1) ?? null),
  };
}

// ── Lines and offsets ───────────────────────────────────────────────────────────────────────────

/** The line of an object that comes next: behind the last part, or 0 for another object. */
export function lineNext(
  last: DroppedPart | undefined,
  object: { key: string; etag: string },
): number {
  return last !== undefined && isUnderWay(last) && isSameVersion(last, object) ? last.lineEnd : 0;
}

export function isUnderWay(part: DroppedPart): boolean {
  return !part.ends;
}

function isSameVersion(
  left: { readonly key: string; readonly etag: string },
  right: { readonly key: string; readonly etag: string },
): boolean {
  return left.key === right.key && left.etag === right.etag;
}

/** The lines of a part, in their order; blank ones are not among them. */
export function isInPart({ line }: DroppedLine, part: DroppedPart): boolean {
  return line >= part.lineFirst && line < part.lineEnd;
}

/** Each line has an offset, also a blank one, so that an offset leads back to its line. */
export function offsetOfLine(
  range: { readonly offsetFirst: string; readonly lineFirst: number },
  line: number,
): bigint {
  return BigInt(range.offsetFirst) + BigInt(line - range.lineFirst);
}

/** Names the object and the line, counted from 1, in front of what is wrong with a record. */
export function detailAt(
  { object, offsetFirst }: Pick<PlanEntry, 'object' | 'offsetFirst'>,
  offset: string,
  detail: string,
): string {
  if (object === undefined) return detail;
  const line = BigInt(object.lineFirst) + BigInt(offset) - BigInt(offsetFirst) + 1n;
  return `${object.key} line ${line}: ${detail}`;
}
