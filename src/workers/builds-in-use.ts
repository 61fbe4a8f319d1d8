import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { ownerId } from '../lake/messages.ts';
import { parkedBuilds } from '../lake/owner-parked.ts';
import type { OwnerState } from '../lake/owner-state.ts';

const asksAtOnce = 16;

/** Which of these builds run now, or are of a window that the owner has parked. */
export async function buildsInUse(
  client: Client,
  dataset: string,
  buildIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (buildIds.length === 0) return new Set();
  const used = new Set(await parked(client, dataset));
  for (let at = 0; at < buildIds.length; at += asksAtOnce) {
    const some = buildIds.slice(at, at + asksAtOnce);
    const running = await Promise.all(some.map((id) => isRunning(client, id)));
    for (const [index, id] of some.entries()) if (running[index] === true) used.add(id);
  }
  return used;
}

/** Asked by id, not by visibility, which tells of a start some time after it. */
async function isRunning(client: Client, id: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** An owner that never ran has parked nothing. */
async function parked(client: Client, dataset: string): Promise<readonly string[]> {
  try {
    return parkedBuilds(
      await client.workflow.getHandle(ownerId(dataset)).query<OwnerState>('status'),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}
