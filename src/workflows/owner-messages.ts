import { condition, log, setHandler } from '@temporalio/workflow';
import { goldBuildId, silverBuildId } from '../lake/messages.ts';
import type { GoldGrain, OwnerState } from '../lake/owner-state.ts';
import { hourDue, logAdvanced, windowBuilt } from '../lake/owner.ts';
import { nowMs } from './clock.ts';
import {
  type PauseRequest,
  bookmarkQuery,
  hourDueSignal,
  logAdvancedSignal,
  pauseUpdate,
  renewSignal,
  resumeUpdate,
  statusQuery,
  windowBuiltSignal,
} from './messages.ts';
import { checkedHourDue, checkedLogAdvanced, checkedWindowBuilt } from './signal-checks.ts';

/** What messages may do to the owner. */
export type OwnerAccess = {
  readonly state: () => OwnerState;
  readonly change: (next: OwnerState) => void;
  /** The gold tables; `null` until the settings are known. */
  readonly gold: () => readonly GoldGrain[] | null;
  /** A build has reported; its workflow is about to end. */
  readonly reported: (buildId: string) => void;
  readonly renew: () => void;
};

/** Registers the handlers of all messages. Must be called before anything is waited for. */
export function listen(owner: OwnerAccess): void {
  const { state, change } = owner;
  const onAdvanced = tolerant('logAdvanced', (message) => {
    change(logAdvanced(state(), checkedLogAdvanced(message, nowMs()), nowMs()));
  });
  const onDue = tolerant('hourDue', (message) => {
    change(hourDue(state(), checkedHourDue(message, nowMs()).hour, nowMs()));
  });
  setHandler(logAdvancedSignal, onAdvanced);
  setHandler(hourDueSignal, onDue);
  setHandler(windowBuiltSignal, async (message) => {
    // Which gold windows become stale hangs on the settings, so an early report waits for them. Any
    // other is taken at once: the end of its workflow, right behind it, must find it taken.
    if (owner.gold() === null) await condition(() => owner.gold() !== null);
    const gold = owner.gold()!;
    tolerant('windowBuilt', () => {
      const built = checkedWindowBuilt(message);
      const { dataset } = state();
      change(windowBuilt(state(), built, gold, nowMs()));
      owner.reported(
        built.layer === 'silver'
          ? silverBuildId(dataset, built.window)
          : goldBuildId(built.table, built.window),
      );
    })(message);
  });
  setHandler(renewSignal, owner.renew);
  const validator = requireReason;
  setHandler(pauseUpdate, () => change({ ...state(), paused: true }), { validator });
  setHandler(resumeUpdate, () => change({ ...state(), paused: false }), { validator });
  setHandler(statusQuery, state);
  setHandler(bookmarkQuery, () => state().logs);
}

/** Anybody can send a signal: one that makes no sense is recorded and ignored. */
function tolerant(name: string, handle: (message: unknown) => void): (message: unknown) => void {
  return (message) => {
    try {
      handle(message);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('a signal made no sense and is ignored', { signal: name, reason });
    }
  };
}

function requireReason(request: PauseRequest | undefined): void {
  if (typeof request?.reason === 'string' && request.reason.trim() !== '') return;
  throw new Error('say why: {"reason": "…"}');
}
