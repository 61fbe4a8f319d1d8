import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions } from '@temporalio/client';
import { janitorId, scheduleId, taskQueues } from '../lake/messages.ts';
import { datasetAttributes } from '../workflows/search-attributes.ts';

/* The Schedules, as they should be; whether one is paused stays a person's decision. */

type Planned = Pick<ScheduleOptions, 'spec' | 'policies'> & {
  readonly workflowType: string;
  readonly input: object;
};

/** Hourly gold: each start only names its hour, so that nothing is skipped and nothing runs twice. */
export async function ensureSchedule(client: Client, dataset: string): Promise<void> {
  await ensure(client, scheduleId(dataset), dataset, {
    // Every hour on the hour, UTC: intervals count from the epoch.
    spec: { intervals: [{ every: '1 hour' }] },
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: '26 hours' },
    workflowType: 'goldHourly',
    input: { dataset },
  });
}

/** The janitor, daily. A day that was missed is no loss: the next run does its work. */
export async function ensureJanitorSchedule(client: Client, dataset: string): Promise<void> {
  await ensure(client, janitorId(dataset), dataset, {
    spec: { calendars: [{ hour: 3, minute: 17 }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
    workflowType: 'janitor',
    input: { dataset, dryRun: false },
  });
}

/** The Schedule and the workflow that it starts have the same id. */
async function ensure(
  client: Client,
  id: string,
  dataset: string,
  { spec, policies = {}, workflowType, input }: Planned,
): Promise<void> {
  const options = {
    spec,
    policies,
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
    await handle.update((previous) => ({ ...options, state: previous.state }));
  }
}
