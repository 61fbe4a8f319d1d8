import type { Reasoned, WindowFacts } from './explain-facts.ts';
import { askedInWords, counted, nextBuildInWords, parkedInWords } from './explain-words.ts';
import { isDue } from './owner-decisions.ts';
import { mayBeQueued } from './owner-queue.ts';
import { type GoldKey, type GoldState, type OwnerState, isClosed } from './owner-state.ts';
import { formatInstant } from './time.ts';
import { type WindowId, overlapping, windowOf } from './window.ts';

/* What the owner says of a window of gold. */

export function goldExplained(facts: WindowFacts, state: OwnerState): Reasoned {
  const key: GoldKey = `${facts.table}/${facts.window}`;
  const hours = overlapping(windowOf(facts.window), 'hour').map(({ id }) => id);
  const window = state.gold[key];
  const reasoned =
    window === undefined ? unknownWindow(facts, state, hours) : knownWindow(facts, state, window);
  const next = nextBuildInWords(
    { ...facts, state },
    (build) => build.kind === 'buildGold' && build.key === key,
  );
  return { ...reasoned, now: [...reasoned.now, ...next, ...hoursInWords(facts, state, hours)] };
}

function knownWindow(facts: WindowFacts, state: OwnerState, window: GoldState): Reasoned {
  const { building, parked, stale, asked } = window;
  const wanted = asked === null ? [] : [`${askedInWords(asked)}.`];
  if (building !== null) {
    const again = stale ? ['Its silver has changed again, so that one more build follows.'] : [];
    const running = `Since ${formatInstant(building.sinceMs)} a build runs.`;
    return { condition: 'building', now: [running, ...wanted, ...again] };
  }
  if (parked !== null) {
    return { condition: 'parked', now: parkedInWords(`${facts.table} ${facts.window}`, parked) };
  }
  if (stale) {
    const since = `Its silver has changed, or it was called due, at ${formatInstant(window.staleSinceMs)}.`;
    const waits = isForSchedule(facts, state, window)
      ? [
          'With GOLD_REFRESH=schedule it is built when the Schedule calls its hour due ' +
            'and the hour is whole.',
        ]
      : [];
    return { condition: asked === null ? 'stale' : 'asked', now: [since, ...wanted, ...waits] };
  }
  if (facts.pointer === null) return { condition: 'neverBuilt', now: ['Nothing waits for it.'] };
  return { condition: 'current', now: ['Nothing waits for it.'] };
}

/** Windows that are done are forgotten, and those that there is no room for are in the lake. */
function unknownWindow(
  { pointer }: WindowFacts,
  state: OwnerState,
  hours: readonly WindowId[],
): Reasoned {
  if (hours.some((hour) => mayBeQueued(state, hour))) {
    const queued = `${counted(state.queue.windows, 'window')} are queued in the lake, and it may be one of them.`;
    return { condition: 'queued', now: [queued] };
  }
  if (pointer === null) {
    return { condition: 'neverBuilt', now: ['No version of its silver has been published yet.'] };
  }
  return { condition: 'current', now: ['The owner has nothing left to do for it.'] };
}

function isForSchedule(
  { settings, window: id }: WindowFacts,
  state: OwnerState,
  window: GoldState,
): boolean {
  return settings.goldRefresh === 'schedule' && !isDue(state, id, window);
}

/** Which of its hours are not whole, and how long they are waited for. */
function hoursInWords(
  { settings }: WindowFacts,
  state: OwnerState,
  hours: readonly WindowId[],
): readonly string[] {
  return hours.flatMap((hour) => {
    const due = state.dues.find((each) => each.hour === hour);
    const limit =
      due === undefined
        ? ''
        : `, due since ${formatInstant(due.sinceMs)} and waited for until ` +
          `${formatInstant(due.sinceMs + settings.maxWaitMs)} at most`;
    const what = hourInWords(state, hour, settings.allowedLatenessMs);
    return what === null && limit === '' ? [] : [`Silver ${hour} ${what ?? 'is whole'}${limit}.`];
  });
}

function hourInWords(state: OwnerState, hour: WindowId, allowedLatenessMs: number): string | null {
  const window = state.silver[hour];
  if (window === undefined) return null;
  if (window.parked !== null) return `is parked (${window.parked.reason})`;
  if (window.building !== null) return 'is being built';
  if (window.abandoned) return 'has rows that a person has given up';
  if (Object.keys(window.pending).length > 0)
    return `has ${counted(window.pendingRows, 'row')} that wait`;
  return isClosed(state, hour, allowedLatenessMs) ? null : 'is open';
}
