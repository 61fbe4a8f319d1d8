import assert from 'node:assert/strict';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ownerId, scheduleId, taskQueues } from '../../src/lake/messages.ts';
import type { OwnerState } from '../../src/lake/owner-state.ts';
import { hourMs } from '../../src/lake/time.ts';
import { windowAt } from '../../src/lake/window.ts';
import { ensureSchedule } from '../../src/workers/schedules.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import { startOwner } from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const dueHours = ({ dues }: OwnerState): readonly string[] => dues.map(({ hour }) => hour);

describeScenarios('gold-hourly', (scenario) => {
  scenario(
    'names the hour before its nominal start: of a trigger, and of hours caught up',
    async (bed) => {
      const dataset = bed.dataset(stubLake());
      const owner = await startOwner(bed, dataset);
      await ensureSchedule(bed.client, dataset);
      await ensureSchedule(bed.client, dataset);
      const schedule = bed.client.schedule.getHandle(scheduleId(dataset));

      const triggered = Date.now();
      await schedule.trigger();
      await owner.until('the triggered hour', (state) => dueHours(state).length === 1);
      await schedule.backfill({
        start: new Date('2026-01-01T06:30:00.000Z'),
        end: new Date('2026-01-01T09:30:00.000Z'),
        overlap: ScheduleOverlapPolicy.BUFFER_ALL,
      });
      const state = await owner.until('all hours', (found) => dueHours(found).length === 4);
      await schedule.delete();

      const [first, ...caughtUp] = dueHours(state);
      const possible = [triggered, Date.now()].map((ms) => windowAt(ms - hourMs, 'hour').id);
      assert.ok(possible.includes(first!), `${first} is none of ${possible.join(', ')}`);
      assert.deepEqual(caughtUp.toSorted(), ['2026-01-01T06', '2026-01-01T07', '2026-01-01T08']);

      const runs = bed.client.workflow.list({ query: `WorkflowType = 'goldHourly'` });
      const ids = await eventually('the runs in the list', async () => {
        const found: string[] = [];
        for await (const { workflowId } of runs) {
          if (workflowId.startsWith(scheduleId(dataset))) found.push(workflowId);
        }
        return found.length === 4 && found;
      });
      const id = ids.find((each) => each.endsWith('2026-01-01T07:00:00Z'));
      assert.ok(id !== undefined, ids.join(', '));
      const handle = bed.client.workflow.getHandle(id);
      assert.deepEqual(await handle.result(), { hour: '2026-01-01T06' });
      await bed.record('scheduled', handle);
    },
  );

  scenario('waits for an owner that does not run yet', async (bed) => {
    const dataset = bed.dataset(stubLake());
    const handle = await bed.client.workflow.start('goldHourly', {
      workflowId: `by-hand/${dataset}`,
      taskQueue: taskQueues.workflows,
      args: [{ dataset }],
    });
    const details = await eventually('that it waits', async () => {
      const { currentDetails } = await handle.query<{ currentDetails: string }, []>(
        '__temporal_workflow_metadata',
      );
      return currentDetails !== '' && currentDetails;
    });
    assert.equal(details, `Waits for ${ownerId(dataset)}, which does not run.`);

    const owner = await startOwner(bed, dataset);
    const { hour } = (await handle.result()) as { hour: string };
    const state = await owner.until('the hour', ({ dues }) => dues.length > 0);

    assert.deepEqual(dueHours(state), [hour]);
    await bed.record('owner-missing', handle);
  });
});
