import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Client, type Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { loadConfig } from '../../src/config.ts';
import { janitorId, scheduleId } from '../../src/lake/messages.ts';
import { connectTemporal } from '../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../src/stack/temporal-namespace.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { ensureJanitorSchedule, ensureSchedule } from '../../src/workers/schedules.ts';

describe('ensureSchedule', function () {
  this.timeout(180_000);
  const dataset = 'events';
  const hourMs = 3_600_000;
  let connection: Connection;
  let client: Client;
  before(async () => {
    connection = await connectTemporal(loadConfig(process.env), 60_000);
    const namespace = `schedule-${randomBytes(4).toString('hex')}`;
    await ensureTemporalNamespace({ connection, namespace });
    client = new Client({ connection, namespace });
  });
  after(() => connection.close());

  it('starts every hour on the hour, and skips none', async () => {
    await ensureSchedule(client, dataset);
    const { info, policies } = await client.schedule.getHandle(scheduleId(dataset)).describe();

    const [first, second] = info.nextActionTimes;
    assert.equal(first!.getTime() % hourMs, 0);
    assert.equal(second!.getTime() - first!.getTime(), hourMs);
    assert.equal(policies.overlap, ScheduleOverlapPolicy.BUFFER_ALL);
    assert.equal(policies.catchupWindow, 26 * hourMs);
  });

  it('mends a Schedule that somebody has changed, but for whether it is paused', async () => {
    await ensureSchedule(client, dataset);
    const handle = client.schedule.getHandle(scheduleId(dataset));
    await handle.update((previous) => ({
      ...previous,
      spec: { intervals: [{ every: '7 minutes' }] },
    }));
    await handle.pause('a look at the numbers');
    // Temporal takes a pause as a message, so it is there a moment later.
    await eventually('the pause', async () => (await handle.describe()).state.paused);
    await ensureSchedule(client, dataset);
    const { state, info } = await handle.describe();

    assert.equal(state.paused, true);
    assert.equal(state.note, 'a look at the numbers');
    const [first, second] = info.nextActionTimes;
    assert.equal(second!.getTime() - first!.getTime(), hourMs);
  });

  it('does not touch a Schedule that is as it should be, where it could undo a pause', async () => {
    for (const [id, ensure] of [
      [scheduleId(dataset), ensureSchedule],
      [janitorId(dataset), ensureJanitorSchedule],
    ] as const) {
      await ensure(client, dataset);
      const handle = client.schedule.getHandle(id);
      const before = await handle.describe();
      await ensure(client, dataset);
      const { info } = await handle.describe();
      assert.deepEqual(info.lastUpdatedAt, before.info.lastUpdatedAt);
    }
  });

  it('starts the janitor once a day, and never beside itself', async () => {
    await ensureJanitorSchedule(client, dataset);
    await ensureJanitorSchedule(client, dataset);
    const { info, policies, action } = await client.schedule
      .getHandle(janitorId(dataset))
      .describe();

    const [first, second] = info.nextActionTimes;
    assert.equal(first!.toISOString().slice(11), '03:17:00.000Z');
    assert.equal(second!.getTime() - first!.getTime(), 24 * hourMs);
    assert.equal(policies.overlap, ScheduleOverlapPolicy.SKIP);
    assert.equal(action.workflowType, 'janitor');
    assert.deepEqual(action.args, [{ dataset, dryRun: false }]);
  });
});
