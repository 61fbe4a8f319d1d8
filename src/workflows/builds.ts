import {
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  ParentClosePolicy,
  type Workflow,
  WorkflowIdReusePolicy,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { goldBuildId, ownerId, silverBuildId } from '../lake/messages.ts';
import type { Build } from '../lake/owner-decisions.ts';
import type { OwnerState, WindowBuilt } from '../lake/owner-state.ts';
import { buildGoldWindow } from './gold.ts';
import { buildAttributes } from './search-attributes.ts';
import { buildSilverWindow } from './silver.ts';

/* How the owner starts a build, and what it knows of one that it cannot start or that broke. */

export function buildId(dataset: string, build: Build): string {
  return build.kind === 'buildSilver'
    ? silverBuildId(dataset, build.window)
    : goldBuildId(build.table, build.window);
}

/** Starts the workflow of a build; `null` when a workflow of its id runs already. */
export async function startBuild(
  dataset: string,
  build: Build,
): Promise<ChildWorkflowHandle<Workflow> | null> {
  const owner = ownerId(dataset);
  const common = {
    workflowId: buildId(dataset, build),
    // A build outlives the run of the owner that began it, also one that is cancelled.
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    typedSearchAttributes: buildAttributes(dataset, build),
  };
  const { window } = build;
  try {
    if (build.kind === 'buildSilver') {
      const { mode, pending, cause, waiver } = build;
      return await startChild(buildSilverWindow, {
        ...common,
        staticSummary: `${mode} of ${window}`,
        args: [{ dataset, window, mode, pending, owner, cause, waiver }],
      });
    }
    const { table, complete, cause, waiver } = build;
    return await startChild(buildGoldWindow, {
      ...common,
      staticSummary: `${table} of ${window}`,
      args: [{ dataset, table, window, complete, owner, cause, waiver }],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

/**
 * Takes the mark of a build off again that could not be started, because another one of its window
 * runs: whatever that one has read, this one is due as it was.
 */
export function notStarted(state: OwnerState, build: Build): OwnerState {
  if (build.kind === 'buildGold') {
    const window = state.gold[build.key];
    if (window === undefined) return state;
    const due = { ...window, building: null, stale: true, due: true };
    return { ...state, gold: { ...state.gold, [build.key]: due } };
  }
  const window = state.silver[build.window];
  if (window === undefined) return state;
  return { ...state, silver: { ...state.silver, [build.window]: { ...window, building: null } } };
}

/** Whether a build is believed to run, which is until it has reported. */
export function isRunning(state: OwnerState, build: Build): boolean {
  const window = build.kind === 'buildGold' ? state.gold[build.key] : state.silver[build.window];
  return window !== undefined && window.building !== null;
}

/** The report of a build that ended without one: cancelled, terminated, or broken. */
export function brokenReport(build: Build, reason: string): WindowBuilt {
  const none = { rows: 0, version: null, durationMs: 0, checks: [] } as const;
  const common = { outcome: 'failed', ...none, reason, cause: build.cause } as const;
  return build.kind === 'buildGold'
    ? { layer: 'gold', table: build.table, window: build.window, ...common }
    : { layer: 'silver', window: build.window, mode: build.mode, through: {}, ...common };
}
