import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

export type Recorded = {
  readonly scenario: string;
  readonly handle: WorkflowHandle;
  readonly namespace: string;
};

/** Set by `npm run record-histories`; without it scenarios leave nothing behind. */
export const recordingVariable = 'INGOT_RECORD_HISTORIES';

export const historiesFolder = new URL('../../replay/histories/', import.meta.url);

/** Writes the history of a run for the replay tests: `<workflow type>/<scenario>.json`. */
export async function recordHistory({ scenario, handle, namespace }: Recorded): Promise<void> {
  if (process.env[recordingVariable] === undefined) return;
  const history = await handle.fetchHistory();
  const type =
    history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? 'unknown';
  const parsed: unknown = JSON.parse(historyToJSON(history));
  // Stack traces name folders of the machine, and no replay looks at them.
  const text = JSON.stringify(
    parsed,
    (key, value: unknown) => (key === 'stackTrace' ? '' : value),
    1,
  );
  const folder = new URL(`${type}/`, historiesFolder);
  await mkdir(folder, { recursive: true });
  // The namespace is random; a fixed name keeps recordings comparable.
  const file = fileURLToPath(new URL(`${scenario}.json`, folder));
  await writeFile(file, `${text.replaceAll(namespace, 'ingot-recorded')}\n`);
}
