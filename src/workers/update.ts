import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ServiceError, type WorkflowHandle } from '@temporalio/client';

/* Updates of a workflow that may be about to begin a new run. */

const failedPrecondition = 9;
const notReady = 'unexpected workflow task failure';
const pausesMs = [50, 100, 200, 400, 800, 1_600, 3_200];

/** What this asks of a workflow handle. */
export type UpdatedHandle = Pick<WorkflowHandle, 'executeUpdate'>;

/**
 * The answer of an update. When a message reaches a workflow while it continues as new, the server
 * discards that workflow task, and answers an update the task had seen but not kept with
 * WorkflowNotReady, which neither it nor its client repeats (Temporal server 1.29,
 * `AbortReasonWorkflowTaskFailed`). The workflow has not taken it up, so it is asked again, under
 * the same id: a run that has taken it up after all answers what it has decided.
 */
export async function executeUpdate(
  handle: UpdatedHandle,
  name: string,
  request: object,
  waitsMs: readonly number[] = pausesMs,
): Promise<unknown> {
  const updateId = randomUUID();
  const ask = (): Promise<unknown> =>
    handle.executeUpdate<unknown, [object]>(name, { updateId, args: [request] });
  for (const ms of waitsMs) {
    try {
      return await ask();
    } catch (error) {
      if (!isNotReady(error)) throw error;
      await pause(ms);
    }
  }
  return ask();
}

function isNotReady(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return false;
  const { code, details } = (error.cause ?? {}) as { code?: unknown; details?: unknown };
  return code === failedPrecondition && String(details).includes(notReady);
}
