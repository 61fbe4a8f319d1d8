import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  AcceptedGap,
  HourDue,
  IngestResult,
  LogRequest,
  LogsStopped,
  JanitorReport,
} from '../lake/messages.ts';
import type { BackfillRequest } from '../lake/backfill.ts';
import type { ControlBackfill } from '../lake/backfill-control.ts';
import type { ResolveGate } from '../lake/owner-gates.ts';
import type { RetireRequest } from '../lake/owner-retired.ts';
import type { RewindRequest } from '../lake/owner-rewind.ts';
import type { LogAdvanced, OwnerState, WindowBuilt } from '../lake/owner-state.ts';

/* The names that other workflows, activities and operators use. */

export const logAdvancedSignal = defineSignal<[LogAdvanced]>('logAdvanced');
export const windowBuiltSignal = defineSignal<[WindowBuilt]>('windowBuilt');
export const hourDueSignal = defineSignal<[HourDue]>('hourDue');
/** Begins a new run as soon as the present step is done: with a short history and fresh settings. */
export const renewSignal = defineSignal('renew');

/** A worker that starts wants the lane to run: it does not end now. */
export const laneWantedSignal = defineSignal('laneWanted');
export const logsStoppedSignal = defineSignal<[LogsStopped]>('logsStopped');

export type PauseRequest = { readonly author: string; readonly reason: string };
export const pauseUpdate = defineUpdate<void, [PauseRequest]>('pause');
export const resumeUpdate = defineUpdate<void, [PauseRequest]>('resume');

/** Answers on acceptance; the build that follows tells its own story. */
export const resolveGateUpdate = defineUpdate<void, [ResolveGate]>('resolveGate');

/** Answers on acceptance; the windows are rebuilt in their turn. */
export const rewindUpdate = defineUpdate<void, [RewindRequest]>('rewind');
/** Windows wait for a source log no more that nothing serves. */
export const retireLogUpdate = defineUpdate<void, [RetireRequest]>('retireLog');
/** Asks for a range to be built again, also by hand in the Web UI; see docs/operations.md. */
export const backfillSignal = defineSignal<[Partial<BackfillRequest>]>('backfill');
/** The same with an answer: the id of the backfill, or why it is refused. */
export const requestBackfillUpdate = defineUpdate<
  { readonly id: string },
  [Partial<BackfillRequest>]
>('requestBackfill');
export const controlBackfillUpdate = defineUpdate<void, [ControlBackfill]>('controlBackfill');

export const acceptOffsetGapUpdate = defineUpdate<AcceptedGap, [LogRequest]>('acceptOffsetGap');
export const pauseLogUpdate = defineUpdate<void, [LogRequest]>('pauseLog');
export const resumeLogUpdate = defineUpdate<void, [LogRequest]>('resumeLog');

export const statusQuery = defineQuery<OwnerState>('status');
export const bookmarkQuery = defineQuery<OwnerState['logs']>('bookmark');
export const positionsQuery = defineQuery<IngestResult['logs']>('positions');
export const janitorProgressQuery = defineQuery<JanitorReport & { readonly at: string }>(
  'progress',
);
