import type { Reasoned, WindowFacts } from './explain-facts.ts';
import {
  askedInWords,
  counted,
  modeInWords,
  nextBuildInWords,
  parkedInWords,
  rangesInWords,
} from './explain-words.ts';
import { mayBeQueued } from './owner-queue.ts';
import { type OwnerState, type SilverState, isClosed } from './owner-state.ts';
import { mayBeHeld, wildReason } from './owner-wild.ts';
import { formatInstant } from './time.ts';
import { wildTimesId } from './wild-times.ts';
import { type WindowId, windowOf } from './window.ts';

/* What the owner says of an hour of silver. */

export function silverExplained(facts: WindowFacts, state: OwnerState): Reasoned {
  const { window: id, settings } = facts;
  const window = state.silver[id];
  const closed = isClosed(state, id, settings.allowedLatenessMs);
  const reasoned =
    window === undefined ? unknownHour(facts, state, closed) : knownHour(facts, window, closed);
  const next = nextBuildInWords(
    { ...facts, state },
    (build) => build.kind === 'buildSilver' && build.window === id,
  );
  const open = closed ? [] : [openInWords(state, id, settings.allowedLatenessMs)];
  const held = heldInWords(facts, state);
  return { ...reasoned, now: [...reasoned.now, ...next, ...open, ...held, ...notRouted(state)] };
}

function knownHour(facts: WindowFacts, window: SilverState, closed: boolean): Reasoned {
  const { building, parked, heldBack, abandoned, asked, late, sealed } = window;
  const pending = pendingInWords(window);
  const wanted = asked === null ? [] : [`${askedInWords(asked)}.`];
  if (building !== null) {
    const since = formatInstant(building.sinceMs);
    const running = `Since ${since} there runs ${modeInWords(building.mode)}.`;
    return { condition: 'building', now: [running, ...wanted, ...pending] };
  }
  if (parked !== null) {
    const name = `${facts.table} ${facts.window}`;
    return { condition: 'parked', now: [...parkedInWords(name, parked), ...pending] };
  }
  if (asked !== null) return { condition: 'asked', now: [...wanted, ...pending] };
  if (abandoned) {
    const given =
      'A person has abandoned it at its gate: it is built again when more rows come. ' +
      '`ingot bookmark history` says who, and why.';
    return { condition: 'abandoned', now: [given, ...pending] };
  }
  if (late && pending.length > 0) {
    const why = 'The hour had been over when they came, so that it is rebuilt whole.';
    return { condition: 'late', now: [...pending, why] };
  }
  if (heldBack !== null && !closed) {
    const why = `Its last fold did not pass the gate (${heldBack}): its rows wait for the seal build.`;
    return { condition: 'heldBack', now: [why, ...pending] };
  }
  if (pending.length > 0) return { condition: 'waiting', now: pending };
  if (!closed) return { condition: 'open', now: ['No row waits: all that were routed are in it.'] };
  if (!sealed) return { condition: 'waiting', now: ['Its hour is over and not sealed yet.'] };
  return {
    condition: 'current',
    now: ['Its hour is over, it was built whole, and nothing waits.'],
  };
}

/** Hours that are done are forgotten, and those that there is no room for are in the lake. */
function unknownHour(
  { pointer, window }: WindowFacts,
  state: OwnerState,
  closed: boolean,
): Reasoned {
  if (mayBeQueued(state, window)) {
    const queued =
      `${counted(state.queue.windows, 'window')} are queued in the lake, oldest first, and it may ` +
      `be one of them.`;
    return { condition: 'queued', now: [queued] };
  }
  if (!closed)
    return { condition: 'open', now: ['No row of it has been routed that is not built.'] };
  if (pointer === null)
    return { condition: 'neverBuilt', now: ['No row of it has ever been routed.'] };
  return { condition: 'current', now: ['The owner has nothing left to do for it.'] };
}

function pendingInWords({ pending, pendingRows, pendingSinceMs }: SilverState): readonly string[] {
  const logs = Object.entries(pending);
  if (logs.length === 0) return [];
  const where = logs.map(
    ([log, { first, through }]) => `${log} ${rangesInWords([[first, through]])}`,
  );
  const since = pendingSinceMs === null ? '' : ` since ${formatInstant(pendingSinceMs)}`;
  return [
    `${counted(pendingRows, 'row')} not in it yet${since}, in batches of: ${where.join('; ')}.`,
  ];
}

/** Why an hour is not over: the logs that have not come far enough. */
function openInWords(state: OwnerState, id: WindowId, allowedLatenessMs: number): string {
  const needed = formatInstant(windowOf(id).endMs + allowedLatenessMs);
  const behind = Object.entries(state.logs)
    .filter(([, { frontier, retired }]) => retired !== true && frontier < needed)
    .map(([log, { frontier }]) => `${log} is complete up to ${frontier}`);
  const who = behind.length === 0 ? 'no source log has reported yet' : behind.join(', ');
  return `Its hour is over when every source log is complete up to ${needed}: ${who}.`;
}

/** Which hours they are of is known of the batches only. */
function heldInWords({ table, window }: WindowFacts, state: OwnerState): readonly string[] {
  const { parked } = state.wild;
  if (parked === null || !mayBeHeld(state, window)) return [];
  return [
    `Rows of wild event times wait for a decision, and some may be of this hour: ${wildReason(parked)}.`,
    `\`ingot gate waive\`, \`retry\` or \`abandon\` ${table} ${wildTimesId} decides.`,
  ];
}

/** Batches of which nobody knows yet whether they hold rows of the hour. */
function notRouted(state: OwnerState): readonly string[] {
  const waiting = Object.entries(state.logs)
    .filter(([, { routedTo, sealedTo }]) => sealedTo > routedTo)
    .map(([log, { routedTo, sealedTo }]) => `${log} ${rangesInWords([[routedTo + 1, sealedTo]])}`);
  const rewound = Object.entries(state.rewinds).map(
    ([log, { through, asked }]) =>
      `${log} is routed once more up to batch ${through}, and what it touches is rebuilt: ` +
      `${askedInWords(asked)}.`,
  );
  const sealed =
    waiting.length === 0
      ? []
      : [`Batches that are not routed yet may hold rows of it: ${waiting.join('; ')}.`];
  return [...sealed, ...rewound];
}
