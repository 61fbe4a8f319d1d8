import { noted } from './owner-noted.ts';
import type { OwnerState } from './owner-state.ts';
import type { LogName } from './paths.ts';

/*
 * A source log that nothing serves any more, such as one of a topic that was taken out of the settings.
 * Its frontier would hold every hour open for ever, and only a person knows that nothing comes.
 */

export type RetireRequest = {
  readonly log: LogName;
  readonly author: string;
  readonly reason: string;
};

/** Why windows must go on waiting for the log; null when they need not. */
export function retireRefusal({ logs }: OwnerState, { log, reason }: RetireRequest): string | null {
  if (reason.trim() === '') return 'say why: to retire a source log needs a reason';
  const known = logs[log];
  if (known === undefined) {
    const names = Object.keys(logs).sort().join(', ');
    return `there is no source log ${log}; there are: ${names === '' ? 'none yet' : names}`;
  }
  return known.retired === true ? `source log ${log} is retired already` : null;
}

/** Windows wait for the log no more, until it is heard of again. What it has sealed still counts. */
export function logRetired(state: OwnerState, request: RetireRequest, nowMs: number): OwnerState {
  const known = state.logs[request.log];
  if (known === undefined) return state;
  const logs = { ...state.logs, [request.log]: { ...known, retired: true as const } };
  return noted({ ...state, logs }, { kind: 'logRetired', ...request }, nowMs);
}
