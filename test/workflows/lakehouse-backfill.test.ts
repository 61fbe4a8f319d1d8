import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { executeUpdate } from '../../src/workers/update.ts';
import { type StubLake, stubLake } from '../support/temporal/stub-lake.ts';
import {
  type TestOwner,
  closedGate,
  during,
  firstHour,
  silverState,
  startOwner,
} from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const passed = {
  kind: 'passed',
  score: 100,
  failures: [],
  warnings: [],
  failedChecks: [],
  waived: null,
} as const;

/** As it is written in the documentation, for the CLI of Temporal and its Web UI. */
const written =
  '{"from":"2025-12-30T23","to":"2025-12-31T00","layers":["silver","gold"],"reason":"new prices"}';

function ended(owner: TestOwner, kind: 'done' | 'cancelled' = 'done') {
  return owner.until('the end of the backfill', ({ backfills }) =>
    backfills.some((each) => each.ended?.kind === kind),
  );
}

function hours(lake: StubLake): readonly string[] {
  return lake.calls('stageSilver').map(({ window }) => window);
}

describeScenarios('lakehouse-backfill', (scenario) => {
  scenario('is asked for by a signal as it stands, and builds its range', async (bed) => {
    const gold = [{ name: 'asked_days', grain: 'day' }] as const;
    const lake = stubLake({ settings: { gold, goldRefresh: 'schedule' } });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.handle.signal('backfill', JSON.parse(written));
    const { backfills } = await ended(owner);

    assert.deepEqual(hours(lake), ['2025-12-30T23', '2025-12-31T00']);
    assert.deepEqual(
      lake.calls('stageGold').map(({ window }) => window),
      ['2025-12-30', '2025-12-31'],
    );
    assert.equal(backfills[0]?.counts.done, 4);
    assert.equal(backfills[0]?.total, 4);
    const causes = lake.calls('publishVersion').map(({ cause }) => cause);
    const { id } = backfills[0];
    const cause = { kind: 'backfill', id, author: 'unknown', reason: 'new prices' };
    assert.deepEqual(causes, Array(4).fill(cause));
    const build = bed.client.workflow.getHandle(`silver/${dataset}/2025-12-30T23`);
    const { events } = await build.fetchHistory();
    const queues = (events ?? []).flatMap((event) => {
      const scheduled = event.activityTaskScheduledEventAttributes;
      return scheduled?.activityType?.name === 'stageSilver' ? [scheduled.taskQueue?.name] : [];
    });
    assert.deepEqual(queues, ['ingot-backfill']);
    await bed.record('backfill-by-signal', owner.handle);
  });

  scenario('is paused, carried into a new run, and resumed', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      checkStaged: async () => {
        await gate.opened;
        return passed;
      },
    });
    const owner = await startOwner(bed, bed.dataset(lake));
    const request = { from: '2025-12-30T00', to: '2025-12-30T05', layers: ['silver'], reason: 'a' };
    const answer = await executeUpdate(owner.handle, 'requestBackfill', { ...request, id: 'mine' });
    assert.deepEqual(answer, { id: 'mine' });
    await lake.called('stageSilver', 2);

    const said = { id: 'mine', author: 'ops', reason: 'the day is busy' };
    await executeUpdate(owner.handle, 'controlBackfill', { ...said, action: 'pause' });
    await owner.handle.signal('renew');
    await lake.called('describeLakehouse', 2);
    gate.open();
    const paused = await owner.until(
      'what was running',
      ({ backfills }) => backfills[0]?.counts.done === 2,
    );
    assert.equal(paused.backfills[0]?.said?.reason, 'the day is busy');
    assert.equal(hours(lake).length, 2);

    await executeUpdate(owner.handle, 'controlBackfill', { ...said, action: 'resume' });
    const { backfills } = await ended(owner);
    assert.equal(backfills[0]?.counts.done, 6);
    assert.equal(new Set(hours(lake)).size, 6);
    assert.equal(hours(lake).length, 6);
    await bed.record('backfill-paused-and-resumed', owner.handle);
  });

  scenario('is cancelled: what runs comes to its end, and nothing more is built', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      checkStaged: async () => {
        await gate.opened;
        return passed;
      },
    });
    const owner = await startOwner(bed, bed.dataset(lake));
    const request = { from: '2025-12-30', to: '2025-12-31', reason: 'a test', order: 'newest' };
    await executeUpdate(owner.handle, 'requestBackfill', { ...request, id: 'mine' });
    await lake.called('stageSilver', 2);
    await executeUpdate(owner.handle, 'controlBackfill', {
      ...{ id: 'mine', action: 'cancel', author: 'ops', reason: 'wrong range' },
    });
    gate.open();
    const state = await owner.until('the builds', ({ counters }) => counters.silverBuilt === 2);

    assert.equal(state.backfills[0]?.ended?.kind, 'cancelled');
    assert.deepEqual(hours(lake).toSorted(), ['2025-12-31T22', '2025-12-31T23']);
    assert.deepEqual(Object.keys(state.silver), []);
    const kept = lake.calls('keepEvents').flatMap(({ note }) => note.events);
    assert.deepEqual(
      kept.map(({ kind }) => kind),
      ['backfillEnded'],
    );
    await bed.record('backfill-cancelled', owner.handle);
  });

  scenario('holds no regular build up', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      windows: [firstHour],
      settings: { buildsMax: 1, backfillBuildsMax: 1 },
      checkStaged: async ({ ref }) => {
        if (ref.window !== firstHour) await gate.opened;
        return passed;
      },
    });
    const owner = await startOwner(bed, bed.dataset(lake));
    await owner.handle.signal('backfill', {
      from: '2025-12-30T01',
      to: '2025-12-30T02',
      reason: 'x',
    });
    await lake.called('checkStaged', 1);

    await owner.advance(0, during);
    await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    assert.deepEqual(hours(lake), ['2025-12-30T01', firstHour]);
    gate.open();
    await ended(owner);
    await bed.record('backfill-beside-a-fold', owner.handle);
  });

  scenario('builds a parked window anew, and only that where it is asked to', async (bed) => {
    const lake = stubLake();
    const parked = { reason: 'totals', sinceMs: 1, checks: ['totals'] };
    const owner = await startOwner(bed, bed.dataset(lake), {
      silver: { '2025-12-30T05': silverState({ parked, sealed: false }) },
    });
    const request = { from: '2025-12-01', to: '2025-12-31', only: 'failed', reason: 'mended' };
    await executeUpdate(owner.handle, 'requestBackfill', request);
    const { backfills, silver } = await ended(owner);

    assert.deepEqual(hours(lake), ['2025-12-30T05']);
    assert.deepEqual(silver, {});
    assert.equal(backfills[0]?.counts.skipped, 31 * 24 - 1);
    assert.deepEqual(lake.calls('planBackfill'), []);
  });

  scenario('is refused with the reason, and as a signal it is ignored', async (bed) => {
    const owner = await startOwner(bed, bed.dataset(stubLake()));
    const good = { from: '2025-12-30', to: '2025-12-31', reason: 'a test' };
    const cases = [
      [undefined, /the request is not an object/],
      [{ ...good, from: '2025-12-31', to: '2025-12-30' }, /from is after to/],
      [{ ...good, to: '9999-12-30' }, /reaches into the future/],
      [{ ...good, from: '2025-12-30T05:30:00Z' }, /from is not an hour or a day/],
      [{ ...good, from: undefined }, /from is missing/],
      [{ ...good, from: '1980-01-01' }, /the range is too long/],
      [{ ...good, layers: [] }, /layers is empty/],
      [{ ...good, layers: 'silver' }, /layers is not a list/],
      [{ ...good, layers: ['bronze'] }, /not one of silver, gold: bronze/],
      [{ ...good, layer: ['gold'] }, /there is no layer in a backfill/],
      [{ ...good, only: 'some' }, /not one of all, missing, failed: some/],
      [{ ...good, reason: ' ' }, /say why/],
    ] as const;
    for (const [request, reason] of cases) {
      await assert.rejects(
        owner.handle.executeUpdate<unknown, [unknown]>('requestBackfill', { args: [request] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && reason.test(String(error.cause)),
      );
      await owner.handle.signal('backfill', request);
      const { ignored, backfills } = await owner.status();
      assert.deepEqual(backfills, []);
      assert.match(`${ignored.at(-1)?.message}: ${ignored.at(-1)?.reason}`, reason);
    }
    for (const [action, reason] of [
      ['pause', /there is no backfill nobody; there is none/],
      ['stop', /not one of pause, resume, cancel: stop/],
    ] as const) {
      const request = { id: 'nobody', action, author: 'ops', reason: 'x' };
      await assert.rejects(
        owner.handle.executeUpdate<unknown, [unknown]>('controlBackfill', { args: [request] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && reason.test(String(error.cause)),
      );
    }
    await bed.record('backfill-nonsense', owner.handle);
  });
});
