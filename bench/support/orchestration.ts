import { loadConfig, type Environment } from '../../src/config.ts';
import { taskQueues } from '../../src/lake/messages.ts';
import { startWorkerProcess, stopWorkerProcesses } from '../../src/stack/worker-processes.ts';
import { connectClient } from '../../src/workers/temporal.ts';
import type { Filled } from './lake-fill.ts';

/*
 * What Temporal adds to a build: from the start of its workflow to its report, less the time that
 * its activities ran, told by the history of the workflow itself.
 */

export type Orchestrated = { readonly totalMs: number; readonly overheadMs: number };

export async function measureOrchestration(
  env: Environment,
  builds: readonly { readonly window: string; readonly pending: Filled['pending'] }[],
): Promise<readonly Orchestrated[]> {
  const config = loadConfig(env);
  await startWorkerProcess({ config, env, kind: 'transform' });
  const { client, connection } = await connectClient(config);
  try {
    const measured: Orchestrated[] = [];
    for (const { window, pending } of builds) {
      const handle = await client.workflow.start('buildSilverWindow', {
        workflowId: `bench/${window}`,
        taskQueue: taskQueues.workflows,
        args: [{ dataset: 'events', window, mode: 'rebuild', pending, owner: 'bench/nobody' }],
      });
      await handle.result();
      measured.push(timesOf(await handle.fetchHistory()));
    }
    return measured;
  } finally {
    await connection.close();
    await stopWorkerProcesses(config, config.INGOT_ID);
  }
}

type History = Awaited<
  ReturnType<
    ReturnType<
      Awaited<ReturnType<typeof connectClient>>['client']['workflow']['getHandle']
    >['fetchHistory']
  >
>;
type Event = NonNullable<History['events']>[number];

function timesOf({ events }: History): Orchestrated {
  const all = events ?? [];
  const totalMs = msOf(all.at(-1)!) - msOf(all[0]!);
  let activityMs = 0;
  for (const event of all) {
    const startedId = event.activityTaskCompletedEventAttributes?.startedEventId;
    const started = all.find(({ eventId }) => String(eventId) === String(startedId));
    if (startedId != null && started !== undefined) activityMs += msOf(event) - msOf(started);
  }
  return { totalMs, overheadMs: totalMs - activityMs };
}

function msOf({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
}
