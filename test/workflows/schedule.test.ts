import assert from 'node:assert/strict';
import type { ScheduleHandle } from '@temporalio/client';
import { shownSchedule, type ShownSchedule } from '../../src/cli/schedule-text.ts';
import { scheduleId } from '../../src/lake/messages.ts';
import type { OwnerState } from '../../src/lake/owner-state.ts';
import { goldSchedule, setPaused, triggerHour } from '../../src/workers/schedule-requests.ts';
import { ensureSchedule } from '../../src/workers/schedules.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import { startOwner } from '../support/temporal/test-owner.ts';
import { describeScenarios, type WorkflowBed } from '../support/temporal/workflow-bed.ts';

const said = { author: 'ops', reason: ' an outage ', atMs: Date.UTC(2026, 0, 1, 9, 30) };

describeScenarios('the Schedule of hourly gold', (scenario) => {
  scenario('calls every hour due that passes while no owner runs, once', async (bed) => {
    const dataset = bed.dataset(stubLake());
    await ensureSchedule(bed.client, dataset);
    const schedule = goldSchedule(bed.client, dataset);
    // Its own policies, and hours of a second.
    await schedule.update((now) => ({ ...now, spec: { intervals: [{ every: '1 second' }] } }));
    await until(schedule, 'hours that wait', ({ waiting }) => waiting >= 2);
    // A worker that comes back meanwhile makes the Schedule anew; what waits stays.
    await ensureSchedule(bed.client, dataset);

    const owner = await startOwner(bed, dataset);
    const end = await until(schedule, 'the last of them', isIdle);

    const { info } = await schedule.describe();
    const nominal = await nominalTimes(bed, dataset, info.numActionsTaken);
    const [first = 0] = nominal;
    assert.ok(nominal.length >= 3, String(nominal));
    assert.deepEqual(
      nominal,
      nominal.map((_, index) => first + index * 1_000),
    );
    assert.equal(end.missed, 0);
    assert.ok(hoursOf(await owner.status()).length >= 1);
    await schedule.delete();
  });

  scenario('takes every hour that it is told at once, also while it is paused', async (bed) => {
    const dataset = bed.dataset(stubLake({ settings: { maxWaitMs: 3_600_000 } }));
    const owner = await startOwner(bed, dataset);
    await ensureSchedule(bed.client, dataset);
    const hours = [5, 6, 7, 8, 9].map((hour) => `2026-01-01T0${hour}`);

    const [paused, ...told] = await Promise.all([
      setPaused(bed.client, { dataset, verb: 'pause', said }),
      ...hours.map((hour) => triggerHour(bed.client, dataset, hour)),
    ]);
    const state = await owner.until('the hours', (found) => hoursOf(found).length === 5);
    const again = await triggerHour(bed.client, dataset, hours[0]!);
    const schedule = goldSchedule(bed.client, dataset);
    const shown = shownSchedule(await schedule.describe());
    await schedule.delete();

    assert.deepEqual(hoursOf(state), hours);
    assert.deepEqual(
      told.map(({ hour, started }) => started && hour),
      hours,
    );
    assert.equal(again.started, true);
    assert.deepEqual(hoursOf(await owner.status()), hours);
    assert.equal(paused.note, 'paused by ops at 2026-01-01T09:30:00.000Z: an outage');
    assert.deepEqual([shown.paused, shown.note, shown.next], [true, paused.note, []]);
    // Six runs at least, of which it shows five; an hour that was asked for again may have more.
    assert.equal(shown.last.length, 5);
    assert.ok(
      shown.last.every(({ hour }) => hours.includes(hour)),
      JSON.stringify(shown.last),
    );
  });

  scenario('starts no second run of an hour that waits for the owner', async (bed) => {
    const dataset = bed.dataset(stubLake());
    await ensureSchedule(bed.client, dataset);
    const first = await triggerHour(bed.client, dataset, '2026-01-01T06');
    const other = await triggerHour(bed.client, dataset, '2026-01-01T07');
    const second = await triggerHour(bed.client, dataset, '2026-01-01T06');
    const owner = await startOwner(bed, dataset);
    const state = await owner.until('both hours', (found) => hoursOf(found).length === 2);
    await goldSchedule(bed.client, dataset).delete();

    assert.deepEqual([first.started, other.started, second.started], [true, true, false]);
    assert.equal(second.workflowId, first.workflowId);
    assert.deepEqual(hoursOf(state), ['2026-01-01T06', '2026-01-01T07']);
  });

  scenario('goes on when it is resumed, and says by whom', async (bed) => {
    const dataset = bed.dataset(stubLake());
    await ensureSchedule(bed.client, dataset);
    await setPaused(bed.client, { dataset, verb: 'pause', said });
    await setPaused(bed.client, { dataset, verb: 'resume', said: { ...said, reason: 'over' } });
    const schedule = goldSchedule(bed.client, dataset);
    const shown = shownSchedule(await schedule.describe());
    await schedule.delete();

    assert.equal(shown.paused, false);
    assert.equal(shown.note, 'resumed by ops at 2026-01-01T09:30:00.000Z: over');
    assert.equal(shown.next.length, 3);
    assert.deepEqual([shown.overlap, shown.catchUpHours], ['BUFFER_ALL', 26]);
  });
});

const hoursOf = ({ dues }: OwnerState): readonly string[] =>
  dues.map(({ hour }) => hour).toSorted();

const isIdle = ({ running, waiting }: ShownSchedule): boolean => running + waiting === 0;

function until(
  schedule: ScheduleHandle,
  what: string,
  isWanted: (shown: ShownSchedule) => boolean,
): Promise<ShownSchedule> {
  const probe = async (): Promise<ShownSchedule | false> => {
    const shown = shownSchedule(await schedule.describe());
    return isWanted(shown) && shown;
  };
  return eventually(what, probe, { limitMs: 120_000, everyMs: 100 });
}

/** The nominal times of all runs, in order; one that ran twice is there twice. */
async function nominalTimes(
  { client }: WorkflowBed,
  dataset: string,
  runs: number,
): Promise<readonly number[]> {
  const prefix = `${scheduleId(dataset)}-`;
  return eventually(`${runs} runs in the list`, async () => {
    const times: number[] = [];
    for await (const { workflowId } of client.workflow.list({
      query: `WorkflowType = 'goldHourly'`,
    })) {
      if (workflowId.startsWith(prefix)) times.push(Date.parse(workflowId.slice(prefix.length)));
    }
    return times.length === runs && times.toSorted((a, b) => a - b);
  });
}
