import { userInfo } from 'node:os';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { Option } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError, messageOf } from '../errors.ts';
import { ownerId } from '../lake/messages.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { executeUpdate, type UpdatedHandle } from '../workers/update.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';

/* How verbs talk to the owner of the windows. */

export type AskedOwner = {
  readonly status: () => Promise<OwnerState>;
  /** Asks for something; `INPUT_INVALID` with the owner's own words when it refuses. */
  readonly update: (name: string, request: object) => Promise<unknown>;
};

export const formatOption = (): Option =>
  new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table');

/** Who decides, as history will name them. */
export function author(): string {
  return userInfo().username;
}

export async function withOwner<T>(
  context: CliContext,
  work: (owner: AskedOwner) => Promise<T>,
): Promise<T> {
  const { config, demo } = await configForAsking(context.env);
  if (demo !== null) context.console.say(`Asking ${demo}, the demo that was left running.`);
  const { connectClient } = await import('../workers/temporal.ts');
  const { client, connection } = await connectClient(config);
  const workflowId = ownerId(events.name);
  try {
    const handle = client.workflow.getHandle(workflowId);
    return await work({
      status: () => handle.query<OwnerState>('status'),
      update: (name, request) => updateOrRefusal(handle, name, request),
    });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const sentence = 'the owner of the windows does not run; `ingot worker ingest` starts it';
    throw new IngotError('INPUT_INVALID', sentence, {
      retryable: false,
      facts: { workflow: workflowId },
      cause: error,
    });
  } finally {
    await connection.close();
  }
}

/** The answer of an update; `INPUT_INVALID` with the words of the workflow when it refuses. */
export async function updateOrRefusal(
  handle: UpdatedHandle,
  name: string,
  request: object,
): Promise<unknown> {
  try {
    return await executeUpdate(handle, name, request);
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new IngotError('INPUT_INVALID', `refused: ${messageOf(error.cause)}`, {
      retryable: false,
      cause: error,
    });
  }
}
