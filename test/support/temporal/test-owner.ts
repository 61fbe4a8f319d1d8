import type { WorkflowHandle } from '@temporalio/client';
import { type LogAdvanced, ownerId, taskQueues } from '../../../src/lake/messages.ts';
import {
  type OwnerState,
  type SilverBuilt,
  type SilverState,
  newOwner,
} from '../../../src/lake/owner-state.ts';
import type { lakehouse } from '../../../src/workflows/lakehouse.ts';
import { eventually } from './eventually.ts';
import type { WorkflowBed } from './workflow-bed.ts';

/*
 * An owner under test. Its time is that of the frontiers it is told, not of the clock: the first
 * hour that it closes is `firstHour`, long ago.
 */

export const firstHour = '2026-01-01T05';
export const nextHour = '2026-01-01T06';
export const log = 'orders-0';
/** Frontiers inside the first hour, and past its end. */
export const during = '2026-01-01T05:30:00.000Z';
export const afterwards = '2026-01-01T06:00:01.000Z';

export type TestOwner = {
  readonly handle: WorkflowHandle<typeof lakehouse>;
  readonly advance: (sealedTo: number, frontier: string) => Promise<void>;
  readonly status: () => Promise<OwnerState>;
  /** The state as soon as it is as wanted. */
  readonly until: (what: string, isWanted: (state: OwnerState) => boolean) => Promise<OwnerState>;
};

export async function startOwner(
  bed: WorkflowBed,
  dataset: string,
  state: Partial<OwnerState> = {},
): Promise<TestOwner> {
  const begin = { ...newOwner(dataset), nextToClose: firstHour, ...state };
  await bed.client.workflow.start('lakehouse', {
    workflowId: ownerId(dataset),
    taskQueue: taskQueues.workflows,
    // Where a query comes between all the same, the task is not waited for in vain for long.
    workflowTaskTimeout: '3 seconds',
    args: [{ dataset, state: begin }],
  });
  return ownerOf(bed, dataset);
}

/** The owner of a dataset, whichever run is the current one. */
export function ownerOf(bed: WorkflowBed, dataset: string): TestOwner {
  const handle = bed.client.workflow.getHandle<typeof lakehouse>(ownerId(dataset));
  const status = (): Promise<OwnerState> => handle.query<OwnerState, []>('status');
  return {
    handle,
    advance: (sealedTo, frontier) => handle.signal('logAdvanced', advanced(sealedTo, frontier)),
    status,
    until: (what, isWanted) => {
      let seen = 0;
      const probe = async (): Promise<OwnerState | false> => {
        const { raw, historyLength } = await handle.describe();
        // A worker that keeps no workflows drops the task when a query comes between; and where
        // nothing has happened there is nothing new to be asked for.
        if (raw.pendingWorkflowTask || historyLength === seen) return false;
        seen = historyLength;
        const found = await status();
        return isWanted(found) && found;
      };
      return eventually(what, probe, { everyMs: 50 });
    },
  };
}

export function advanced(sealedTo: number, frontier: string): LogAdvanced {
  return { logs: [{ log, sealedTo, frontier }] };
}

/** A door that activities wait at until it is opened. */
export type Gate = { readonly opened: Promise<void>; readonly open: () => void };

export function closedGate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** A window that waits for nothing, with the given differences. */
export function silverState(differences: Partial<SilverState> = {}): SilverState {
  return {
    pending: {},
    pendingRows: 0,
    pendingSinceMs: null,
    touchedMs: 0,
    building: null,
    parked: null,
    heldBack: null,
    sealed: false,
    abandoned: false,
    asked: null,
    waiver: null,
    late: false,
    builtAtMs: null,
    buildMs: 0,
    ...differences,
  };
}

/** The report of a fold of the first hour, with the given differences. */
export function silverReport(differences: Partial<SilverBuilt> = {}): SilverBuilt {
  return {
    layer: 'silver',
    window: firstHour,
    mode: 'fold',
    outcome: 'published',
    through: {},
    rows: 1,
    version: '000001-stub',
    durationMs: 1,
    reason: null,
    checks: [],
    cause: null,
    ...differences,
  };
}
