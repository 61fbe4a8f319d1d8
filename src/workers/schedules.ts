import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleDescription } from '@temporalio/client';
import { janitorId, scheduleId, taskQueues } from '../lake/messages.ts';
import { canonicalJson } from '../lake/pointer.ts';
import { hourMs, minuteMs } from '../lake/time.ts';
import { datasetAttributes } from '../workflows/search-attributes.ts';

/* The Schedules, as they should be; whether one is paused stays a person's decision. */

type Planned = {
  /** Milliseconds; intervals count from the epoch, so whole hours are on the hour, UTC. */
  readonly every: number;
  readonly offset?: number;
  readonly overlap: ScheduleOverlapPolicy;
  /** Milliseconds. */
  readonly catchupWindow: number;
  readonly workflowType: string;
  readonly input: object;
};

/** Hourly gold: each start only names its hour, so that nothing is skipped and nothing runs twice. */
export async function ensureSchedule(client: Client, dataset: string): Promise<void> {
  await ensure(client, scheduleId(dataset), dataset, {
    every: hourMs,
    overlap: ScheduleOverlapPolicy.BUFFER_ALL,
    catchupWindow: 26 * hourMs,
    workflowType: 'goldHourly',
    input: { dataset },
  });
}

/** The janitor, daily at 03:17. A day that was missed is no loss: the next run does its work. */
export async function ensureJanitorSchedule(client: Client, dataset: string): Promise<void> {
  await ensure(client, janitorId(dataset), dataset, {
    every: 24 * hourMs,
    offset: 3 * hourMs + 17 * minuteMs,
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: hourMs,
    workflowType: 'janitor',
    input: { dataset, dryRun: false },
  });
}

/** The Schedule and the workflow that it starts have the same id. */
async function ensure(
  client: Client,
  id: string,
  dataset: string,
  { every, offset, overlap, catchupWindow, workflowType, input }: Planned,
): Promise<void> {
  const options = {
    spec: { intervals: [{ every, ...(offset === undefined ? {} : { offset }) }] },
    policies: { overlap, catchupWindow, pauseOnFailure: false },
    action: {
      type: 'startWorkflow' as const,
      workflowType,
      workflowId: id,
      taskQueue: taskQueues.workflows,
      typedSearchAttributes: datasetAttributes(dataset),
      args: [input],
    },
  };
  try {
    await client.schedule.create({ scheduleId: id, ...options });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(id);
    // An update carries the state that it has seen with it, so it undoes a pause that comes meanwhile.
    if (isAsPlanned(await handle.describe(), options)) return;
    await handle.update((previous) => ({ ...options, state: previous.state }));
  }
}

/** Whether the server would describe a Schedule so that was made with these options. */
function isAsPlanned(
  { spec, policies, action }: ScheduleDescription,
  planned: Pick<ScheduleDescription, 'policies'> & { spec: object; action: object },
): boolean {
  // The same attributes once more, in an older form.
  const { searchAttributes: _, ...told } = action;
  const wanted = {
    spec: { calendars: [], skip: [], timezone: '', ...planned.spec },
    policies: planned.policies,
    action: { priority: {}, ...planned.action },
  };
  return asText({ spec, policies, action: told }) === asText(wanted);
}

/** Without what is undefined, and lists of the library as lists. */
function asText(value: unknown): string {
  return canonicalJson(JSON.parse(JSON.stringify(value)));
}
