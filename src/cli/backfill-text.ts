import {
  type Backfill,
  type BackfillStatus,
  countedOf,
  describeBackfills,
  estimateMs,
  statusOf,
} from '../lake/backfill.ts';
import type { Cell } from './console.ts';

/* What the verb `backfill` says. */

export type ShownBackfill = Pick<
  Backfill,
  | 'id'
  | 'from'
  | 'to'
  | 'layers'
  | 'only'
  | 'order'
  | 'author'
  | 'reason'
  | 'counts'
  | 'total'
  | 'askedAt'
  | 'startedAt'
  | 'said'
> & {
  readonly status: BackfillStatus;
  readonly counted: number;
  /** The day that is worked on, or comes next. */
  readonly day: string | null;
  readonly endedAt: string | null;
  readonly secondsLeft: number | null;
};

export function shownBackfill(
  backfill: Backfill,
  all: readonly Backfill[],
  nowMs: number,
): ShownBackfill {
  const { id, from, to, layers, only, order, author, reason, counts, total } = backfill;
  return {
    id,
    status: statusOf(backfill, all),
    ...{ from, to, layers, only, order, author, reason },
    counts,
    counted: countedOf(counts),
    total,
    day: backfill.chunk?.day ?? backfill.next,
    askedAt: backfill.askedAt,
    startedAt: backfill.startedAt,
    endedAt: backfill.ended?.at ?? null,
    said: backfill.said,
    secondsLeft: backfill.ended === null ? secondsLeft(backfill, nowMs) : null,
  };
}

function secondsLeft(backfill: Backfill, nowMs: number): number | null {
  const ms = estimateMs(backfill, nowMs);
  return ms === null ? null : Math.round(ms / 1_000);
}

export const backfillColumns = [
  'id',
  'status',
  'from',
  'to',
  'layers',
  'windows',
  'failed',
  'left',
  'why',
] as const;

export function backfillRow(shown: ShownBackfill): readonly Cell[] {
  const { id, status, from, to, layers, counted, total, counts, reason, said } = shown;
  const why = status === 'paused' ? `${said?.author}: ${said?.reason}` : reason;
  const windows = `${counted}/${total ?? '?'}`;
  const left = status === 'running' ? duration(shown.secondsLeft) : '';
  return [id, status, from, to, layers.join('+'), windows, counts.failed, left, why];
}

/** `1 h 05 min`, `4 min`, `30 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '?';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** The line of a backfill while it runs. */
export function progressNote(backfill: Backfill, all: readonly Backfill[], nowMs: number): string {
  const { counts, chunk, next } = backfill;
  const status = statusOf(backfill, all);
  if (status === 'waiting') return `waits: ${describeBackfills(all) ?? ''}`;
  const failed = counts.failed === 0 ? '' : `, ${counts.failed} failed`;
  const left = duration(secondsLeft(backfill, nowMs));
  return `${chunk?.day ?? next ?? 'the end'}${failed}, about ${left} left`;
}

/** How it has ended, in one sentence. */
export function endText({ id, counts, ended, said }: Backfill): string {
  const left = counts.skipped + counts.empty;
  const figures = `${counts.done} built, ${counts.unchanged} unchanged, ${counts.failed} failed, ${left} left out`;
  if (ended === null) return `${id} is paused by ${said?.author}: ${said?.reason} (${figures})`;
  return `${id} ${ended.kind === 'done' ? 'has ended' : 'was cancelled'}: ${figures}`;
}
