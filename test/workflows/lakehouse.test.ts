import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { Input } from '../support/temporal/stub-lake.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import {
  afterwards,
  closedGate,
  during,
  firstHour,
  log,
  nextHour,
  silverReport,
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

function modes(inputs: readonly Input<'stageSilver'>[]): readonly string[] {
  return inputs.map(({ mode, pending }) => `${mode} ${JSON.stringify(pending[log])}`);
}

describeScenarios('lakehouse', (scenario) => {
  scenario(
    'folds an open hour, seals it when every frontier has passed its end, and builds its gold',
    async (bed) => {
      const gold = [
        { name: 'fold_hours', grain: 'hour' },
        { name: 'fold_days', grain: 'day' },
      ] as const;
      const lake = stubLake({ windows: [firstHour], settings: { gold } });
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset);

      await owner.advance(0, during);
      await lake.called('registerWindow', 3);
      await owner.advance(1, afterwards);
      const state = await owner.until('all builds', ({ counters }) => counters.goldBuilt === 4);

      assert.deepEqual(modes(lake.calls('stageSilver')), [
        'fold {"first":0,"through":0}',
        'seal {"first":1,"through":1}',
      ]);
      assert.deepEqual(
        lake
          .calls('stageGold')
          .map(({ table, window }) => `${table} ${window}`)
          .sort(),
        [
          'fold_days 2026-01-01',
          'fold_days 2026-01-01',
          'fold_hours 2026-01-01T05',
          'fold_hours 2026-01-01T05',
        ],
      );
      assert.deepEqual(state.silver, {});
      assert.equal(state.nextToClose, nextHour);
      await bed.record('fold-seal-gold', owner.handle);
    },
  );

  scenario('rebuilds a sealed hour when rows come late', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, afterwards);
    await lake.called('registerWindow', 1);
    await owner.until('the seal build', ({ counters }) => counters.silverBuilt === 1);
    await owner.advance(1, afterwards);
    await owner.until('the rebuild', ({ counters }) => counters.silverBuilt === 2);

    assert.deepEqual(modes(lake.calls('stageSilver')), [
      'seal {"first":0,"through":0}',
      'rebuild {"first":1,"through":1}',
    ]);
    await bed.record('late-rows', owner.handle);
  });

  scenario('builds again at once what changed while a build ran', async (bed) => {
    const gate = closedGate();
    const lake = stubLake({
      windows: [firstHour],
      checkStaged: async () => {
        await gate.opened;
        return passed;
      },
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset, { nextToClose: nextHour });

    await owner.advance(0, afterwards);
    await lake.called('checkStaged', 1);
    await owner.advance(4, afterwards);
    await lake.called('routeBatches', 2);
    gate.open();
    await owner.until('both builds', ({ counters }) => counters.silverBuilt === 2);

    assert.deepEqual(modes(lake.calls('stageSilver')), [
      'rebuild {"first":0,"through":0}',
      'rebuild {"first":1,"through":4}',
    ]);
  });

  scenario('publishes an empty version of an hour that brought nothing', async (bed) => {
    const lake = stubLake();
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, afterwards);
    await owner.until('the empty version', ({ counters }) => counters.silverBuilt === 1);

    const [build] = lake.calls('stageSilver');
    assert.deepEqual([build?.window, build?.mode, build?.pending], [firstHour, 'seal', {}]);
  });

  scenario('starts no more builds at once than it may', async (bed) => {
    const hours = Array.from({ length: 5 }, (_, hour) => `2025-12-31T0${hour}`);
    const gate = closedGate();
    let running = 0;
    let most = 0;
    const lake = stubLake({
      windows: hours,
      settings: { buildsMax: 2, foldHorizonMs: 48 * 3_600_000 },
      checkStaged: async () => {
        running += 1;
        most = Math.max(most, running);
        await gate.opened;
        running -= 1;
        return passed;
      },
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    await lake.called('checkStaged', 2);
    gate.open();
    await owner.until('all builds', ({ counters }) => counters.silverBuilt === 5);

    assert.equal(most, 2);
  });

  scenario(
    'keeps a report that comes before its settings until it knows the gold tables',
    async (bed) => {
      const gate = closedGate();
      const gold = [{ name: 'early', grain: 'hour' }] as const;
      const lake = stubLake({
        describeLakehouse: async (input) => {
          await gate.opened;
          return stubLake({ settings: { gold } }).activities.describeLakehouse(input);
        },
      });
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset, {
        silver: { [firstHour]: silverState() },
      });

      await lake.called('describeLakehouse', 1);
      await owner.handle.signal('windowBuilt', silverReport());
      gate.open();
      const state = await owner.until('the gold', ({ counters }) => counters.goldBuilt === 1);

      assert.equal(state.counters.silverBuilt, 1);
      assert.deepEqual(lake.calls('stageSilver'), []);
      await bed.record('report-before-settings', owner.handle);
    },
  );

  scenario('goes on when batches cannot be routed, and tries again', async (bed) => {
    let faults = 0;
    const lake = stubLake({
      windows: [firstHour],
      registerBronzeHours: async () => {
        faults += 1;
        if (faults === 1) throw ApplicationFailure.nonRetryable('no JSON [key=a]', 'LOG_CORRUPT');
      },
      routeBatches: async (input) => ({
        ...(await stubLake({ windows: [firstHour] }).activities.routeBatches(input)),
        ingestHours: [firstHour],
      }),
    });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    await owner.until('the build', ({ counters }) => counters.silverBuilt === 1);

    const warnings = bed
      .warnings(dataset)
      .map(({ message, facts }) => `${message}: ${String(facts['reason'])}`);
    // A workflow task that the server did not take is done again, and says again what it said.
    assert.deepEqual(
      [...new Set(warnings)],
      ['batches cannot be routed: LOG_CORRUPT: no JSON [key=a]'],
    );
    await bed.record('route-fault', owner.handle);
  });
});
