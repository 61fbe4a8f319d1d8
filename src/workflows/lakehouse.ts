import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  type HourDue,
  type LakehouseInput,
  goldBuildId,
  ownerId,
  silverBuildId,
} from '../lake/messages.ts';
import {
  type Build,
  type OwnerSettings,
  decideBuilds,
  decideRoute,
  nextLookMs,
  releasedDues,
} from '../lake/owner-decisions.ts';
import {
  type LogAdvanced,
  type OwnerState,
  type Routed,
  type WindowBuilt,
  describeOwner,
  newOwner,
  settledTo,
} from '../lake/owner-state.ts';
import {
  buildStarted,
  closeHours,
  dueReleased,
  forgetFlights,
  hourDue,
  logAdvanced,
  prune,
  routed,
  windowBuilt,
} from '../lake/owner.ts';
import { parseWindowId } from '../lake/window.ts';
import { nowMs } from './clock.ts';
import { buildGoldWindow } from './gold.ts';
import {
  type PauseRequest,
  bookmarkQuery,
  hourDueSignal,
  logAdvancedSignal,
  pauseUpdate,
  resumeUpdate,
  statusQuery,
  windowBuiltSignal,
} from './messages.ts';
import { metadata } from './proxies.ts';
import { buildAttributes } from './search-attributes.ts';
import { buildSilverWindow } from './silver.ts';

const historyLengthMax = 2_000;
/** Batches of one log that are looked at in one go: the answer stays small. */
const routeBatchesMax = 500;

/**
 * The owner of all windows of a dataset, and the only starter of builds. Messages change the state;
 * this function carries out what the state calls for, one step at a time, until it continues as new.
 */
export async function lakehouse(input: LakehouseInput<OwnerState>): Promise<void> {
  const { dataset } = input;
  let state = forgetFlights(input.state ?? newOwner(dataset));
  let changed = true;
  const change = (next: OwnerState): void => {
    state = next;
    changed = true;
  };
  let settings: OwnerSettings | null = null;

  setHandler(
    logAdvancedSignal,
    tolerant('logAdvanced', (message: LogAdvanced) => change(logAdvanced(state, message, nowMs()))),
  );
  setHandler(windowBuiltSignal, async (built) => {
    // Which gold windows become stale hangs on the settings, so an early report waits for them.
    await condition(() => settings !== null);
    tolerant('windowBuilt', (report: WindowBuilt) =>
      change(windowBuilt(state, report, settings?.gold ?? [], nowMs())),
    )(built);
  });
  setHandler(
    hourDueSignal,
    tolerant('hourDue', ({ hour }: HourDue) => {
      if (parseWindowId(hour)?.grain !== 'hour') throw new Error(`not an hour: ${hour}`);
      change(hourDue(state, hour, nowMs()));
    }),
  );
  setHandler(pauseUpdate, () => change({ ...state, paused: true }), { validator: requireReason });
  setHandler(resumeUpdate, () => change({ ...state, paused: false }), {
    validator: requireReason,
  });
  setHandler(statusQuery, () => state);
  setHandler(bookmarkQuery, () => state.logs);

  settings = (await metadata.describeLakehouse()).settings;
  while (!endOfRun()) {
    changed = false;
    const found = await route(state);
    // Messages came in meanwhile: a transition always begins from the state of now.
    if (found !== null) change(routed(state, found, nowMs()));
    const settled = settle(state, settings);
    if (settled !== state) change(settled);
    for (const build of decideBuilds(state, settings, nowMs())) {
      change(buildStarted(state, build, nowMs()));
      await start(dataset, build);
    }
    state = prune(state);
    setCurrentDetails(describeOwner(state));
    if (!changed) await rest(state, settings, () => changed);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof lakehouse>({ dataset, state });
}

function endOfRun(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > historyLengthMax;
}

/** Anybody can send a signal: one that makes no sense is recorded and ignored. */
function tolerant<T>(name: string, handle: (message: T) => void): (message: T) => void {
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

/** Reads the next sealed batches: which windows do they touch? */
async function route(state: OwnerState): Promise<Routed | null> {
  const ranges = decideRoute(state, routeBatchesMax);
  if (ranges.length === 0) return null;
  const { dataset } = state;
  const found = await metadata.routeBatches({ dataset, ranges, settledTo: settledTo(state) });
  if (found.ingestHours.length > 0) {
    await metadata.registerBronzeHours({ dataset, hours: found.ingestHours });
  }
  return found;
}

/** Closes hours whose time has come, and releases gold that waited for them. */
function settle(state: OwnerState, settings: OwnerSettings): OwnerState {
  const now = nowMs();
  const closed = closeHours(state, settings.allowedLatenessMs, now);
  const released = releasedDues(closed, settings, now);
  for (const { hour, complete } of released) {
    if (!complete) log.warn('gold goes on with an incomplete hour', { hour });
  }
  return released.reduce((before, due) => dueReleased(before, due, settings.gold, now), closed);
}

async function start(dataset: string, build: Build): Promise<void> {
  const owner = ownerId(dataset);
  const common = {
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    typedSearchAttributes: buildAttributes(dataset, build),
  };
  const { window } = build;
  try {
    if (build.kind === 'buildSilver') {
      const { mode, pending } = build;
      await startChild(buildSilverWindow, {
        ...common,
        workflowId: silverBuildId(dataset, window),
        staticSummary: `${mode} of ${window}`,
        args: [{ dataset, window, mode, pending, owner }],
      });
      return;
    }
    const { table, complete } = build;
    await startChild(buildGoldWindow, {
      ...common,
      workflowId: goldBuildId(table, window),
      staticSummary: `${table} of ${window}`,
      args: [{ dataset, table, window, complete, owner }],
    });
  } catch (error) {
    // It runs already, begun before this owner's last start: its report will come.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Waits for a message, or for the time at which something becomes due by itself. */
async function rest(
  state: OwnerState,
  settings: OwnerSettings,
  isChanged: () => boolean,
): Promise<void> {
  const lookMs = nextLookMs(state, settings, nowMs());
  if (lookMs === null) await condition(isChanged);
  else await condition(isChanged, Math.max(1, lookMs - nowMs()));
}
