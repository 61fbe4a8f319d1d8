import { getExternalWorkflowHandle, log } from '@temporalio/workflow';
import { ApplicationFailure, ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { WindowBuilt } from '../lake/owner-state.ts';
import { windowBuiltSignal } from './messages.ts';

/**
 * Tells the owner how a build ended. An owner that is gone is no fault of the build: on its next
 * start it reads the pointers anyway.
 */
export async function reportTo(owner: string, built: WindowBuilt): Promise<void> {
  try {
    await getExternalWorkflowHandle(owner).signal(windowBuiltSignal, built);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the owner of the windows was not reached', { owner, window: built.window });
  }
}

/** The code and sentence of a fault that no retry can mend; anything else is thrown on. */
export function permanentFault(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (isCancellation(error) || !(cause instanceof ApplicationFailure)) throw error;
  return `${cause.type ?? 'FAILED'}: ${cause.message}`;
}
