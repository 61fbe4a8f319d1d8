import { log } from '@temporalio/workflow';
import { packOwner, unpackOwner } from '../lake/owner-packed.ts';
import { decideQueue, decideTake, queued, takenUp } from '../lake/owner-queue.ts';
import { type OwnerState, newOwner } from '../lake/owner-state.ts';
import { metadata } from './proxies.ts';
import { permanentFault } from './report.ts';
import type { Waits } from './waits.ts';

/**
 * Has windows queued in the lake until the state has room for the rest, and takes the oldest of them
 * up again where there is room.
 */
export async function serveQueue(
  owner: { readonly state: () => OwnerState; readonly change: (next: OwnerState) => void },
  foldHorizonMs: number,
  waits: Waits,
): Promise<void> {
  if (waits.isWaiting('queue')) return;
  const { state, change } = owner;
  const { dataset } = state();
  try {
    for (;;) {
      const leaving = decideQueue(state(), foldHorizonMs);
      if (leaving === null) break;
      const windows = packOwner({ ...newOwner(dataset), ...leaving });
      await metadata.queueWindows({ dataset, number: state().queue.next, windows });
      change(queued(state(), leaving));
    }
    const number = decideTake(state());
    if (number !== null) {
      const found = await metadata.takeQueued({ dataset, number });
      if (found === null) log.warn('queued windows are gone', { dataset, number });
      change(takenUp(state(), number, unpackOwner(found ?? newOwner(dataset))));
    }
    waits.tell('queue');
  } catch (error) {
    log.warn('the queue cannot be served', { reason: permanentFault(error) });
    waits.tryLater('queue');
  }
}
