import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { executeUpdate } from '../../src/workers/update.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import {
  afterwards,
  closedGate,
  during,
  firstHour,
  log,
  nextHour,
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
const hourBefore = '2026-01-01T04';

describeScenarios('lakehouse-builds', (scenario) => {
  scenario('parks a window whose gate is blocked while others go on', async (bed) => {
    const lake = stubLake({
      windows: [hourBefore, firstHour],
      checkStaged: async ({ ref }) =>
        ref.window === hourBefore
          ? { ...passed, kind: 'blocked', failures: ['totals: 3 rows do not add up'] }
          : passed,
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    await owner.until(
      'both builds',
      ({ counters }) => counters.gatesBlocked === 1 && counters.silverBuilt === 1,
    );
    await owner.advance(1, afterwards);
    const state = await owner.until('the next build', ({ counters }) => counters.silverBuilt === 2);

    assert.equal(state.silver[hourBefore]?.parked?.reason, 'totals: 3 rows do not add up');
    assert.deepEqual(
      lake
        .calls('stageSilver')
        .map(({ window }) => window)
        .sort(),
      [hourBefore, firstHour, firstHour],
    );
    assert.deepEqual(
      lake.calls('publishVersion').map(({ ref }) => ref.window),
      [firstHour, firstHour],
    );
    await bed.record('blocked-gate', owner.handle);
  });

  scenario('parks a window whose build met a fault that no retry mends', async (bed) => {
    const lake = stubLake({
      windows: [firstHour],
      stageSilver: async () => {
        throw ApplicationFailure.nonRetryable('column x is missing [file=a.sql]', 'SQL_FAILED');
      },
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    const state = await owner.until(
      'the failure',
      ({ silver }) => silver[firstHour]?.parked != null,
    );

    assert.equal(
      state.silver[firstHour]?.parked?.reason,
      'SQL_FAILED: column x is missing [file=a.sql]',
    );
    assert.deepEqual(state.silver[firstHour]?.pending, { [log]: { first: 0, through: 0 } });
    await bed.record('failed-build', owner.handle);
  });

  scenario('parks a window whose build was terminated before it could report', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      windows: [firstHour],
      checkStaged: async () => {
        await gate.opened;
        return passed;
      },
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    await lake.called('checkStaged', 1);
    await bed.client.workflow.getHandle(`silver/${dataset}/${firstHour}`).terminate('by hand');
    const state = await owner.until('the end', ({ silver }) => silver[firstHour]?.parked != null);
    gate.open();

    assert.match(
      state.silver[firstHour]?.parked?.reason ?? '',
      /^the build was broken off: .*terminated/i,
    );
    assert.equal(state.silver[firstHour]?.building, null);
    await bed.record('terminated-build', owner.handle);
  });

  scenario(
    'carries its state into a new run, and hears builds that the run before began',
    async (bed) => {
      const gate = closedGate();
      const lake = stubLake({
        windows: [firstHour],
        checkStaged: async () => {
          await gate.opened;
          return passed;
        },
      });
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset);

      await owner.advance(0, afterwards);
      await lake.called('checkStaged', 1);
      const first = await owner.handle.describe();
      await owner.handle.signal('renew');
      await lake.called('describeLakehouse', 2);
      await owner.advance(1, afterwards);
      await lake.called('routeBatches', 2);
      gate.open();
      const state = await owner.until('both builds', ({ counters }) => counters.silverBuilt === 2);

      assert.notEqual((await owner.handle.describe()).runId, first.runId);
      assert.equal(state.logs[log]?.routedTo, 1);
      assert.equal(state.counters.batchesRouted, 2);
      assert.deepEqual(
        lake
          .calls('stageSilver')
          .map(({ mode, pending }) => `${mode} ${JSON.stringify(pending[log])}`),
        ['seal {"first":0,"through":0}', 'seal {"first":1,"through":1}'],
      );
      await bed.record('new-run-with-a-build-in-flight', owner.handle);
      await bed.record(
        'run-before-with-a-build-in-flight',
        bed.client.workflow.getHandle(owner.handle.workflowId, first.runId),
      );
    },
  );

  scenario(
    'knows gold as stale that was touched while a build of the run before read it',
    async (bed) => {
      const gate = closedGate();
      const gold = [{ name: 'touched', grain: 'hour' }] as const;
      const lake = stubLake({
        windows: [firstHour],
        settings: { gold },
        checkStaged: async ({ ref }) => {
          if (ref.layer === 'gold') await gate.opened;
          return passed;
        },
      });
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset, { nextToClose: nextHour });

      await owner.advance(0, afterwards);
      await owner.until('the gold', ({ gold }) => gold[`touched/${firstHour}`]?.building != null);
      await lake.called('stageGold', 1);
      await owner.advance(1, afterwards);
      await owner.until('the silver', ({ counters }) => counters.silverBuilt === 2);
      await owner.handle.signal('renew');
      await lake.called('describeLakehouse', 2);
      gate.open();
      const state = await owner.until('the first', ({ counters }) => counters.goldBuilt === 1);

      assert.equal(state.gold[`touched/${firstHour}`]?.stale, true);
      await bed.record('new-run-with-gold-in-flight', owner.handle);
    },
  );

  scenario('loses no message that comes while it begins a new run', async (bed) => {
    const lake = stubLake();
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    for (let round = 0; round < 4; round += 1) {
      const paused = round % 2 === 0;
      await Promise.all([
        owner.handle.signal('renew'),
        owner.advance(3 * round, during),
        executeUpdate(owner.handle, paused ? 'pause' : 'resume', { reason: 'test' }),
        owner.advance(3 * round + 1, during),
        owner.advance(3 * round + 2, during),
      ]);
      assert.equal((await owner.status()).paused, paused);
    }
    const state = await owner.until('all routes', ({ logs }) => logs[log]?.routedTo === 11);

    assert.equal(state.counters.batchesRouted, 12);
    assert.ok(lake.calls('describeLakehouse').length > 1);
  });

  scenario('closes hours in portions after a long sleep', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      settings: { buildsMax: 1 },
      checkStaged: async () => {
        await gate.opened;
        return passed;
      },
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset, { nextToClose: '2020-01-01T00' });

    await owner.advance(-1, during);
    await lake.called('checkStaged', 1);
    const { silver } = await owner.status();
    await owner.handle.terminate();
    gate.open();

    const waiting = Object.keys(silver).length;
    assert.ok(waiting >= 100 && waiting < 200, `${waiting} windows wait`);
  });

  scenario('never puts the next fold off because one met a busy machine', async (bed) => {
    const lake = stubLake({ windows: [], settings: { foldMs: 30_000 } });
    const dataset = bed.dataset(lake);
    const now = Date.now();
    const owner = await startOwner(bed, dataset, {
      logs: { [log]: { sealedTo: 4, routedTo: 4, frontier: during, promised: [] } },
      silver: {
        [firstHour]: silverState({
          pending: { [log]: { first: 4, through: 4 } },
          pendingSinceMs: now - 10_000,
          // Begun a minute ago: by what it took itself the next one would be due in 40 s.
          ...{ builtAtMs: now - 35_000, buildMs: 25_000, usualMs: 10_000 },
        }),
      },
    });

    const state = await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    assert.equal(lake.calls('stageSilver')[0]?.mode, 'fold');
    assert.ok(Date.now() - now < 40_000);
    assert.ok(state.silver[firstHour]!.usualMs! < 10_000);
    await bed.record('fold-after-a-slow-one', owner.handle);
  });

  scenario('takes over a window that its last run had believed to be building', async (bed) => {
    const lake = stubLake({ windows: [] });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset, {
      logs: { [log]: { sealedTo: 4, routedTo: 4, frontier: during, promised: [] } },
      silver: {
        [firstHour]: silverState({
          pending: { [log]: { first: 3, through: 4 } },
          building: { mode: 'fold', sinceMs: 1 },
        }),
      },
    });

    await owner.until('the build', ({ counters }) => counters.silverBuilt === 1);
    const [build] = lake.calls('stageSilver');
    assert.deepEqual(build?.pending, { [log]: { first: 3, through: 4 } });
  });
});
