import type { AskedCause, Cause } from './cause.ts';
import { type OwnerSettings, type Candidate, candidates, decideBuilds } from './owner-decisions.ts';
import type { OwnerState, Parked } from './owner-state.ts';
import type { BuildMode, NumberRange } from './pointer.ts';
import { formatInstant } from './time.ts';

/* Sentences that the explanations of silver and of gold have in common. */

const modes: Readonly<Record<BuildMode, string>> = {
  fold: 'a fold, which adds the rows that have come',
  seal: 'a seal build, which makes the hour whole now that it is over',
  rebuild: 'a rebuild, which makes it anew from all its batches',
};

export function modeInWords(mode: BuildMode): string {
  return modes[mode];
}

/** Who has asked for a build, by which words. */
export function askedInWords(asked: AskedCause): string {
  const { author } = asked;
  const why = asked.reason.trim() === '' ? '' : `: "${asked.reason}"`;
  switch (asked.kind) {
    case 'gate':
      return `${author} has decided to ${asked.decision} it at its gate${why}`;
    case 'backfill':
      return `${author} has asked for it by backfill ${asked.id}${why}`;
    case 'rewind':
      return `${author} has rewound the bookmark${why}`;
    case 'wildTimes':
      return `${author} has decided to ${asked.decision} rows of wild event times${why}`;
  }
}

/** Why a version was built, to follow "because". */
export function causeInWords(cause: Cause): string {
  switch (cause.kind) {
    case 'rows':
      return 'new rows had come for it';
    case 'closed':
      return 'its hour was over';
    case 'late':
      return 'rows had come after its hour was over';
    case 'silver':
      return 'the silver that it is made from had changed';
    case 'due':
      return 'the Schedule had called it due';
    default:
      return askedInWords(cause);
  }
}

export function parkedInWords(name: string, parked: Parked): readonly string[] {
  const { reason, sinceMs, checks } = parked;
  const failed =
    checks.length === 0
      ? 'Its build met a fault; no check has failed.'
      : `Checks that have failed: ${checks.join(', ')}.`;
  return [
    `Parked since ${formatInstant(sinceMs)}: ${reason}`,
    failed,
    `Readers keep the version before. \`ingot gate retry\`, \`waive\` or \`abandon\` ${name} decides.`,
  ];
}

/** `0–3, 7`; a long list is cut, since people read it. */
export function rangesInWords(ranges: readonly NumberRange[]): string {
  const shownMax = 20;
  const shown = ranges
    .slice(0, shownMax)
    .map(([first, last]) => (first === last ? String(first) : `${first}–${last}`));
  const left = ranges.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more ranges`] : [])].join(', ');
}

/** `1 row`, `2 rows`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

type Asked = {
  readonly state: OwnerState;
  readonly settings: OwnerSettings;
  readonly nowMs: number;
};

/** When the next build of a window starts, and what it waits for; nothing when none is to come. */
export function nextBuildInWords(
  { state, settings, nowMs }: Asked,
  isOfWindow: (build: Candidate['build']) => boolean,
): readonly string[] {
  const found = candidates(state, settings, nowMs).find(({ build }) => isOfWindow(build));
  if (found === undefined) return [];
  const { build, dueMs } = found;
  const what = build.kind === 'buildGold' ? 'a build of the whole window' : modeInWords(build.mode);
  const next = `Its next build is ${what}.`;
  if (state.paused) return [next, pausedInWords(state)];
  if (dueMs > nowMs) {
    const at = formatInstant(dueMs);
    const rhythm =
      build.kind === 'buildGold'
        ? `It starts when its silver rests, at ${at} at the latest.`
        : `It starts at ${at}: rows rest a moment so that they are built together, and a window ` +
          `is folded at most every ${counted(settings.foldMs / 1_000, 'second')}, less often when folds take long.`;
    return [next, rhythm];
  }
  if (decideBuilds(state, settings, nowMs).some(isOfWindow)) return [next, 'It starts now.'];
  const windows = [...Object.values(state.silver), ...Object.values(state.gold)];
  const flying = windows.filter(({ building }) => building !== null).length;
  return [
    next,
    `It waits for its turn: ${counted(flying, 'build')} of at most ${settings.buildsMax} run, and ` +
      `windows near now go first.`,
  ];
}

function pausedInWords({ pauseSaid }: OwnerState): string {
  if (pauseSaid === null)
    return 'No builds are started: the owner is paused. `ingot resume` goes on.';
  const { author, at, reason } = pauseSaid;
  const why = reason.trim() === '' ? '' : `: "${reason}"`;
  return `No builds are started: ${author} has paused them at ${at}${why}. \`ingot resume\` goes on.`;
}
