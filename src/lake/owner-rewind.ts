import type { AskedCause } from './cause.ts';
import { noted } from './owner-noted.ts';
import type { Rewind } from './owner-parts.ts';
import type { OwnerState } from './owner-state.ts';
import type { LogName } from './paths.ts';

/*
 * Rewinding the bookmark: the batches after it are routed once more, and every window that they touch
 * is rebuilt whole. A build reads what its pointer and the log say, so nothing is doubled, and readers
 * see the version before until the new one is published.
 */

export type RewindRequest = {
  /** Per log, the batch that the bookmark shall stand at; -1 is before the first. */
  readonly to: Readonly<Record<LogName, number>>;
  readonly author: string;
  readonly reason: string;
};

/** Why the bookmark cannot be rewound so; null when it can. */
export function rewindRefusal(state: OwnerState, { to, reason }: RewindRequest): string | null {
  if (reason.trim() === '') return 'say why: to rewind the bookmark needs a reason';
  const logs = Object.entries(to);
  if (logs.length === 0) return 'say which source log is to be rewound, and to which batch';
  for (const [log, number] of logs) {
    const known = state.logs[log];
    if (known === undefined) {
      const names = Object.keys(state.logs).sort().join(', ');
      return `there is no source log ${log}; there are: ${names === '' ? 'none yet' : names}`;
    }
    if (number < -1) return `${number} is no batch of ${log}: -1 is before the first`;
    if (number > known.sealedTo) {
      return `${log} ends at batch ${known.sealedTo}: ${number} is past its end`;
    }
    if (number >= known.routedTo) {
      return `the bookmark of ${log} is at batch ${known.routedTo}: ${number} is no way back`;
    }
  }
  return null;
}

/** Carries a request out that `rewindRefusal` has nothing against. */
export function rewound(state: OwnerState, request: RewindRequest, nowMs: number): OwnerState {
  const { to, author, reason } = request;
  const asked: AskedCause = { kind: 'rewind', author, reason };
  const logs = { ...state.logs };
  const rewinds: Record<LogName, Rewind> = { ...state.rewinds };
  const moved: Record<LogName, { readonly from: number; readonly to: number }> = {};
  for (const [log, number] of Object.entries(to)) {
    const known = logs[log];
    if (known === undefined || number >= known.routedTo) continue;
    const through = Math.max(known.routedTo, rewinds[log]?.through ?? -1);
    moved[log] = { from: known.routedTo, to: number };
    rewinds[log] = { through, asked };
    logs[log] = { ...known, routedTo: number };
  }
  const event = { kind: 'rewound', moved, author, reason } as const;
  return noted({ ...state, logs, rewinds }, event, nowMs);
}

/** Why a touched window has to be rebuilt, where its batches come once more. */
export function askedByRewind(
  { rewinds }: Pick<OwnerState, 'rewinds'>,
  touch: { readonly log: LogName; readonly first: number },
): AskedCause | null {
  const rewind = rewinds[touch.log];
  return rewind !== undefined && touch.first <= rewind.through ? rewind.asked : null;
}

/** Forgets the rewinds of logs that are where they were again. */
export function rewindsLeft({
  rewinds,
  logs,
}: Pick<OwnerState, 'rewinds' | 'logs'>): OwnerState['rewinds'] {
  const left = Object.entries(rewinds).filter(
    ([log, { through }]) => (logs[log]?.routedTo ?? -1) < through,
  );
  return Object.fromEntries(left);
}
