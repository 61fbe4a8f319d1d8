import { logTold } from './owner-logs.ts';
import { noted } from './owner-noted.ts';
import type { LedgerHead } from './owner-parts.ts';
import type { OwnerState } from './owner-state.ts';
import { forgetFlights, hourDue } from './owner.ts';

/*
 * An owner that Temporal knows nothing of goes on from the newest entry of the ledger. What was routed
 * after that entry is routed again; a build that finds its batches in the pointer changes nothing.
 */

/** `present` has heard messages already, and has routed nothing yet. */
export function restored(
  present: OwnerState,
  found: { readonly state: OwnerState; readonly head: LedgerHead; readonly at: string },
  nowMs: number,
): OwnerState {
  const { head, at } = found;
  const before = forgetFlights(found.state);
  const logs = { ...before.logs };
  for (const [log, { sealedTo, promised }] of Object.entries(present.logs)) {
    for (const promise of promised) logs[log] = logTold(logs[log], promise);
    const known = logs[log];
    if (known !== undefined) logs[log] = { ...known, sealedTo: Math.max(known.sealedTo, sealedTo) };
  }
  const isSaid = present.pauseSaid !== null;
  const state: OwnerState = {
    ...before,
    logs,
    nextToClose: before.nextToClose ?? present.nextToClose,
    paused: isSaid ? present.paused : before.paused,
    pauseSaid: isSaid ? present.pauseSaid : before.pauseSaid,
    events: present.events,
    ignored: present.ignored,
    ledger: head,
  };
  const due = present.dues.reduce(
    (known, { hour, sinceMs }) => hourDue(known, hour, sinceMs),
    state,
  );
  return noted(due, { kind: 'restored', entry: head.next - 1, keptAt: at }, nowMs);
}
