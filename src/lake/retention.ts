import { dayMs, formatInstant, startOfDay } from './time.ts';
import type { BuildMode } from './pointer.ts';
import { type WindowId, windowOf } from './window.ts';

/*
 * What may be gone because its time has passed. The janitor announces a bound before it removes
 * anything behind it; builders look at the newest announcement and readers have a grace, so that
 * nobody leans on what is about to go. A bound never moves back: what is gone is gone.
 */

/** What has a retention of its own. Silver and gold go by event time, the others by ingest time. */
const retainedKinds = ['silver', 'gold', 'bronze', 'raw', 'deadLetters'] as const;
export type RetainedKind = (typeof retainedKinds)[number];

/** Days to keep; 0: for ever. */
export type RetentionDays = Readonly<Record<RetainedKind, number>>;

/** From `at` on, everything before `before` may go. */
export type Announcement = { readonly before: string; readonly at: string };

/** The object at `retentionKey`. Announcements of a kind ascend. */
export type Retention = {
  readonly schema: 1;
  readonly announced: Readonly<Partial<Record<RetainedKind, readonly Announcement[]>>>;
};

export const nothingAnnounced: Retention = { schema: 1, announced: {} };

/** Bounds move by whole UTC days, so that a window of a day is never half behind one. */
export function announce(
  known: Retention,
  {
    days,
    nowMs,
    graceMs,
  }: { readonly days: RetentionDays; readonly nowMs: number; readonly graceMs: number },
): Retention {
  const entries = retainedKinds.flatMap((kind) => {
    const before = known.announced[kind] ?? [];
    const wanted = formatInstant(startOfDay(nowMs - days[kind] * dayMs));
    const moves = days[kind] > 0 && wanted > (before.at(-1)?.before ?? '');
    const all = moves ? [...before, { before: wanted, at: formatInstant(nowMs) }] : before;
    // Of those that everybody has had time to hear of, the last one says it all.
    const heard = all.filter((each) => isHeard(each, nowMs, graceMs)).slice(-1);
    const fresh = all.filter((each) => !isHeard(each, nowMs, graceMs));
    return all.length === 0 ? [] : [[kind, [...heard, ...fresh]] as const];
  });
  return { schema: 1, announced: Object.fromEntries(entries) };
}

/** Builders count everything before this as gone; `null` when nothing is. */
export function goneBefore(retention: Retention, kind: RetainedKind): string | null {
  return retention.announced[kind]?.at(-1)?.before ?? null;
}

/** The janitor may remove what lies before this: it was announced a whole grace ago. */
export function removableBefore(
  retention: Retention,
  kind: RetainedKind,
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): string | null {
  const heard = retention.announced[kind]?.filter((each) => isHeard(each, nowMs, graceMs)) ?? [];
  return heard.at(-1)?.before ?? null;
}

function isHeard({ at }: Announcement, nowMs: number, graceMs: number): boolean {
  return nowMs - Date.parse(at) >= graceMs;
}

/** Whether a window of silver or gold has been given up. */
export function isExpired(
  retention: Retention,
  layer: 'silver' | 'gold',
  window: WindowId,
): boolean {
  const before = goneBefore(retention, layer);
  return before !== null && windowOf(window).startMs < Date.parse(before);
}

export type WholeBuildDecision = 'asAsked' | 'foldInstead' | 'unchanged' | 'refused';

/**
 * What becomes of a build that wants all batches of its window. Those that the current version has
 * already read may be gone; a version made of the rest would have fewer rows, and is never staged.
 * New batches are never gone, since the janitor leaves what no version has read.
 */
export function decideWholeBuild(facts: {
  readonly mode: BuildMode;
  /** When the batches of the current version were ingested. */
  readonly ingestTimesBefore: readonly string[];
  readonly batchesAdded: number;
  /** Whether the build was asked for because batches came, rather than by a person. */
  readonly askedForBatches: boolean;
  readonly retention: Retention;
}): { readonly kind: WholeBuildDecision; readonly gone: number } {
  const before = goneBefore(facts.retention, 'bronze');
  const gone = facts.ingestTimesBefore.filter((time) => before !== null && time < before).length;
  if (facts.mode === 'fold' || gone === 0) return { kind: 'asAsked', gone };
  if (facts.batchesAdded > 0) return { kind: 'foldInstead', gone };
  return { kind: facts.askedForBatches ? 'unchanged' : 'refused', gone };
}
