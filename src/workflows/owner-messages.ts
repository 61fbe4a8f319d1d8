import { condition, log, setHandler } from '@temporalio/workflow';
import { gateRefusal, gateResolved } from '../lake/owner-gates.ts';
import { goldBuildId, silverBuildId } from '../lake/messages.ts';
import type { GoldGrain, OwnerState } from '../lake/owner-state.ts';
import { logRetired, retireRefusal } from '../lake/owner-retired.ts';
import { rewindRefusal, rewound } from '../lake/owner-rewind.ts';
import { windowBuilt } from '../lake/owner-built.ts';
import { hourDue, ignored, logAdvanced, pauseSet } from '../lake/owner.ts';
import { listenToBackfills } from './backfill-messages.ts';
import { nowMs } from './clock.ts';
import {
  bookmarkQuery,
  hourDueSignal,
  logAdvancedSignal,
  pauseUpdate,
  renewSignal,
  resolveGateUpdate,
  resumeUpdate,
  retireLogUpdate,
  rewindUpdate,
  statusQuery,
  windowBuiltSignal,
} from './messages.ts';
import {
  checkedHourDue,
  checkedLogAdvanced,
  checkedPause,
  checkedResolveGate,
  checkedRetire,
  checkedRewind,
  checkedWindowBuilt,
} from './signal-checks.ts';

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
  /** Anybody can send a signal: one that makes no sense is recorded and ignored. */
  const tolerant =
    (name: string, handle: (message: unknown) => void) =>
    (message: unknown): void => {
      try {
        handle(message);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        change(ignored(state(), { message: name, reason }, nowMs()));
        log.warn('a signal made no sense and is ignored', { signal: name, reason });
      }
    };
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
  for (const [update, paused] of [
    [pauseUpdate, true],
    [resumeUpdate, false],
  ] as const) {
    const handle = (request: unknown) =>
      change(pauseSet(state(), paused, checkedPause(request), nowMs()));
    setHandler(update, handle, { validator: (request: unknown) => void checkedPause(request) });
  }
  setHandler(
    resolveGateUpdate,
    (request) => change(gateResolved(state(), checkedResolveGate(request), nowMs())),
    { validator: (request: unknown) => refuse(gateRefusal(state(), checkedResolveGate(request))) },
  );
  setHandler(rewindUpdate, (request) => change(rewound(state(), checkedRewind(request), nowMs())), {
    validator: (request: unknown) => refuse(rewindRefusal(state(), checkedRewind(request))),
  });
  setHandler(
    retireLogUpdate,
    (request) => change(logRetired(state(), checkedRetire(request), nowMs())),
    { validator: (request: unknown) => refuse(retireRefusal(state(), checkedRetire(request))) },
  );
  listenToBackfills(owner, tolerant);
  setHandler(statusQuery, state);
  setHandler(bookmarkQuery, () => state().logs);
}

/** What a validator throws is the answer that the asker gets; nothing of it enters history. */
function refuse(reason: string | null): void {
  if (reason !== null) throw new Error(reason);
}
