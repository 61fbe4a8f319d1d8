import {
  type ChildWorkflowHandle,
  type Workflow,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  patched,
  setCurrentDetails,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import { describeBackfills } from '../lake/backfill.ts';
import type { LakehouseInput, LedgerState } from '../lake/messages.ts';
import {
  type Build,
  type OwnerSettings,
  decideBuilds,
  nextLookMs,
  releasedDues,
} from '../lake/owner-decisions.ts';
import { backfillPlanned, backfillStep } from '../lake/owner-backfill.ts';
import { windowBuilt } from '../lake/owner-built.ts';
import { packOwner, unpackOwner } from '../lake/owner-packed.ts';
import { type OwnerState, type WindowBuilt, describeOwner, newOwner } from '../lake/owner-state.ts';
import {
  buildStarted,
  closeHours,
  dueReleased,
  forgetFlights,
  prune,
  routed,
} from '../lake/owner.ts';
import { restored } from '../lake/owner-restored.ts';
import { createBackfillPlanner } from './backfill-planner.ts';
import { brokenReport, buildId, isRunning, notStarted, startBuild } from './builds.ts';
import { nowMs } from './clock.ts';
import { createEventKeeper } from './event-keeper.ts';
import { listen } from './owner-messages.ts';
import { serveQueue } from './owner-queue.ts';
import { metadata } from './proxies.ts';
import { createRouting } from './routing.ts';
import { createWaits } from './waits.ts';
import { versioned } from './versioning.ts';
import { createWildTimesKeeper } from './wild-times.ts';

const historyLengthMax = 2_000;
/** Hours are closed only while fewer windows wait: an owner that slept for months stays small. */
const windowsWaitingMax = 100;

/**
 * The owner of all windows of a dataset, and the only starter of builds. Messages change the state;
 * this function carries out what the state calls for, one step at a time, until it continues as new.
 */
export async function lakehouse(input: LakehouseInput<OwnerState>): Promise<void> {
  const { dataset } = input;
  let state = forgetFlights(unpackOwner(input.state ?? newOwner(dataset)));
  let settings: OwnerSettings | null = null;
  let changed = true;
  let renewed = false;
  // A run that began before there were usual folds decides as it did then, until its end.
  const usualFolds = patched('usual-folds');
  const waits = createWaits();
  const change = (next: OwnerState): void => {
    state = next;
    changed = true;
  };
  const keeper = createEventKeeper({ state: () => state, change }, waits);
  const planner = createBackfillPlanner(
    waits,
    (plan) => change(backfillPlanned(state, plan)),
    () => change({ ...state }),
  );
  const wildTimes = createWildTimesKeeper({ state: () => state, change }, waits);
  listen({
    state: () => state,
    change,
    gold: () => settings?.gold ?? null,
    reported: waits.hurry,
    renew: () => void (renewed = changed = true),
  });

  const routing = createRouting(() => state, waits);
  const launch = async (build: Build): Promise<void> => {
    const id = buildId(dataset, build);
    const child = await startBuild(dataset, build);
    if (child === null) {
      state = notStarted(state, build);
      waits.tryLater(id);
      return;
    }
    // A build reports before it ends, and until it has ended its id is not free for the next one.
    waits.waitUntilTold(id);
    void ended(child, build).then((report) => {
      waits.tell(id);
      change(isRunning(state, build) ? windowBuilt(state, report, settings!.gold, nowMs()) : state);
    });
  };

  const isNew = input.state === undefined;
  const described = await metadata.describeLakehouse({ dataset, isNew });
  change(begun(state, described.restored ?? null));
  settings = { ...described.settings, usualFolds };
  while (!renewed && !endOfRun()) {
    changed = false;
    const found = await routing.next();
    // Messages came in meanwhile: a transition always begins from the state of now.
    if (found !== null) change(routed(state, found, nowMs()));
    const settled = settle(state, settings);
    if (settled !== state) change(settled);
    planner.plan(state);
    wildTimes.look();
    const builds = decideBuilds(state, settings, nowMs()).filter(
      (build) => !waits.isWaiting(buildId(dataset, build)),
    );
    for (const build of builds) change(buildStarted(state, build, nowMs()));
    await Promise.all(builds.map(launch));
    state = prune(state);
    await serveQueue({ state: () => state, change }, settings.foldHorizonMs, waits);
    keeper.keep();
    setCurrentDetails(describe(state, routing.fault()));
    const looks = [nextLookMs(state, settings, nowMs()), waits.nextMs(), keeper.nextMs()];
    if (!changed) await rest(looks, () => changed);
  }
  const isBusy = () => keeper.isBusy() || planner.isBusy() || wildTimes.isBusy();
  await condition(() => allHandlersFinished() && !isBusy());
  await continueAsNew<typeof lakehouse>({ dataset, state: packOwner(state) });
}

function endOfRun(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > historyLengthMax;
}

/** What an owner begins with that Temporal knows nothing of, though the lake does. */
function begun(state: OwnerState, found: LedgerState | null): OwnerState {
  if (found === null) return state;
  log.info('the owner goes on from the ledger', { entry: found.head.next - 1, at: found.at });
  return restored(state, { ...found, state: unpackOwner(found.state) }, nowMs());
}

/** How a build ended, told by its workflow itself: also one that could not report. */
async function ended(child: ChildWorkflowHandle<Workflow>, build: Build): Promise<WindowBuilt> {
  try {
    return (await child.result()) as WindowBuilt;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return brokenReport(build, `the build was broken off: ${why}`);
  }
}

/** Closes hours whose time has come, and releases gold that waited for them. */
function settle(state: OwnerState, settings: OwnerSettings): OwnerState {
  const now = nowMs();
  const waiting = Object.values(state.silver).filter(({ parked }) => parked === null).length;
  const closed =
    waiting < windowsWaitingMax ? closeHours(state, settings.allowedLatenessMs, now) : state;
  const released = releasedDues(closed, settings, now);
  for (const { hour, complete } of released) {
    if (!complete) log.warn('gold goes on with an incomplete hour', { hour });
  }
  const due = released.reduce(
    (before, each) => dueReleased(before, each, settings.gold, now),
    closed,
  );
  return backfillStep(due, settings, now);
}

function describe(state: OwnerState, routeFault: string | null): string {
  const parts = [describeOwner(state), describeBackfills(state.backfills)];
  const said = parts.filter((part) => part !== null).join(' ');
  return routeFault === null ? said : `${said} Batches cannot be routed: ${routeFault}`;
}

/** Waits for a message, or for the first time at which something becomes due by itself. */
async function rest(looksMs: readonly (number | null)[], isChanged: () => boolean): Promise<void> {
  const looks = looksMs.filter((ms) => ms !== null);
  if (looks.length === 0) await condition(isChanged);
  else await condition(isChanged, Math.max(1, Math.min(...looks) - nowMs()));
}

// It lives for ever, so it moves to new code, which must replay what the old one did.
setWorkflowOptions(versioned('AUTO_UPGRADE'), lakehouse);
