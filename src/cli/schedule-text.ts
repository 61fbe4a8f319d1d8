import type { ScheduleDescription } from '@temporalio/client';
import { formatInstant, hourMs } from '../lake/time.ts';
import type { WindowId } from '../lake/window.ts';
import { hourBefore, waitingHours } from '../workers/schedule-requests.ts';

export type ShownSchedule = {
  readonly paused: boolean;
  /** Who has paused or resumed it last, when and why; null when nobody has. */
  readonly note: string | null;
  /** When it runs next; each run calls the hour before due. */
  readonly next: readonly string[];
  /** The newest ones, oldest first: which hour was called due, and when. */
  readonly last: readonly { readonly hour: WindowId; readonly at: string }[];
  /** Runs that wait for the owner. */
  readonly running: number;
  /** Hours that wait for such a run to end. */
  readonly waiting: number;
  /** Hours that were never called: too late for the catch-up, or too many that waited. */
  readonly missed: number;
  readonly overlap: string;
  readonly catchUpHours: number;
};

const lastMax = 5;
const nextMax = 3;

export function shownSchedule(description: ScheduleDescription): ShownSchedule {
  const { state, policies, info, raw } = description;
  const at = (date: Date): string => formatInstant(date.getTime());
  const dropped = Number(raw.info?.bufferDropped ?? 0);
  return {
    paused: state.paused,
    note: state.note === undefined || state.note === '' ? null : state.note,
    next: state.paused ? [] : info.nextActionTimes.slice(0, nextMax).map(at),
    last: info.recentActions.slice(-lastMax).map(({ scheduledAt, takenAt }) => ({
      hour: hourBefore(scheduledAt.getTime()),
      at: at(takenAt),
    })),
    running: info.runningActions.length,
    waiting: waitingHours(description),
    missed: info.numActionsMissedCatchupWindow + info.numActionsSkippedOverlap + dropped,
    overlap: policies.overlap ?? 'SKIP',
    catchUpHours: policies.catchupWindow / hourMs,
  };
}

export function rowsOf(shown: ShownSchedule): readonly (readonly [string, string])[] {
  return [
    ['paused', shown.paused ? 'yes' : 'no'],
    ['note', shown.note ?? ''],
    ['next runs', shown.next.join('\n')],
    ['last hours', shown.last.map(({ hour, at }) => `${hour} at ${at}`).join('\n')],
    ['waits for the owner', String(shown.running)],
    ['hours behind it', String(shown.waiting)],
    ['hours missed', String(shown.missed)],
    ['overlap', shown.overlap],
    ['catch-up', `${shown.catchUpHours} h`],
  ];
}
