import assert from 'node:assert/strict';
import fc from 'fast-check';
import { statusOf } from '../../src/lake/backfill.ts';
import { alertOf } from '../../src/lake/owner-events.ts';
import { parkedWindows } from '../../src/lake/owner-gates.ts';
import { randomCases } from '../support/random-cases.ts';
import { BackfillWorld, type Outcome } from './support/backfill-world.ts';
import { settings } from './support/owner-states.ts';

const day = { from: '2026-08-19T00', to: '2026-08-19T23' };
/** Silver hours, hours of one gold table, the day of the other. */
const windowsOfDay = 24 + 24 + 1;

function isGold(key: string): boolean {
  return !key.startsWith('silver/');
}

describe('a backfill', () => {
  it('builds every window of its range once, silver of a day before its gold, in its order', () => {
    const world = new BackfillWorld();
    world.ask({ from: '2026-08-18T22', to: '2026-08-19T23', order: 'newest' });
    world.quiesce(200);

    const [ended] = world.state.backfills;
    assert.equal(ended?.ended?.kind, 'done');
    assert.equal(ended.counts.done, windowsOfDay + 2 + 2 + 1);
    assert.equal(new Set(world.started).size, world.started.length);
    assert.equal(world.started[0], 'silver/2026-08-19T23');
    assert.equal(world.started.findIndex(isGold), 24);
    assert.equal(world.started.at(windowsOfDay), 'silver/2026-08-18T23');
    world.checkCounts();
  });

  it('lets regular builds go on beside it', () => {
    const world = new BackfillWorld();
    world.ask(day);
    world.round();
    world.planEnds();
    world.round();
    assert.equal(world.flights.size, settings.backfillBuildsMax);
    for (const hour of ['13', '12', '11', '10', '09']) world.rows(`2026-08-21T${hour}`);
    for (let round = 0; round < 80; round += 1) world.round();

    const causes = [...world.flights.values()].map(({ cause }) => cause.kind);
    assert.equal(causes.filter((kind) => kind !== 'backfill').length, settings.buildsMax);
  });

  it('counts a window that fails its gate, parks it, and goes on', () => {
    const world = new BackfillWorld();
    world.ask(day);
    world.round();
    world.planEnds();
    world.round();
    world.finish(0, 'blocked');
    world.finish(0, 'failed');
    world.quiesce(200);

    assert.equal(world.state.backfills[0]?.counts.failed, 2);
    assert.equal(parkedWindows(world.state).length, 2);
    world.checkCounts();
  });

  it('builds what is parked anew where only failed windows are wanted', () => {
    const world = new BackfillWorld();
    world.ask(day);
    world.round();
    world.planEnds();
    world.round();
    world.finish(0, 'blocked');
    world.quiesce(200);
    const before = world.started.length;
    world.ask({ ...day, only: 'failed' });
    world.quiesce(200);

    // The hour, and the gold that is made from it.
    assert.deepEqual(world.started.slice(before), [
      'silver/2026-08-19T01',
      'top_products/2026-08-19',
      'hourly_revenue/2026-08-19T01',
    ]);
    assert.deepEqual(parkedWindows(world.state), []);
    world.checkCounts();
  });

  it('pauses itself with an alert when nearly everything fails', () => {
    const world = new BackfillWorld();
    world.ask(day);
    for (let round = 0; round < 60; round += 1) {
      world.planEnds();
      world.finish(0, 'failed');
      world.finish(0, 'failed');
      world.round();
    }

    const [backfill] = world.state.backfills;
    assert.equal(backfill?.paused, true);
    assert.match(backfill.said?.reason ?? '', /^20 of its last 20 windows have failed/);
    assert.ok(backfill.counts.failed <= 22, `${backfill.counts.failed} failed`);
    const alerts = world.state.events.map((event) => alertOf('events', event)?.kind);
    assert.ok(alerts.includes('backfillPaused'));
  });

  it('leaves the version alone whose rows are past their retention, and parks nothing', () => {
    const world = new BackfillWorld();
    world.ask({ from: day.from, to: day.from });
    world.round();
    world.planEnds();
    world.round();
    world.finishPastRetention();
    world.quiesce(50);

    assert.equal(world.state.backfills[0]?.counts.skipped, 1);
    assert.deepEqual(parkedWindows(world.state), []);
    assert.deepEqual(world.state.silver, {});
  });

  it('hands the gold of what it has published to regular work when it is stopped', () => {
    for (const action of ['pause', 'cancel'] as const) {
      const world = new BackfillWorld();
      world.ask(day);
      world.round();
      world.planEnds();
      world.round();
      world.finish(0, 'published');
      assert.deepEqual(world.state.gold, {});
      world.control(0, action);

      assert.deepEqual(Object.keys(world.state.gold), [
        'hourly_revenue/2026-08-19T01',
        'top_products/2026-08-19',
      ]);
      world.finish(0, 'published');
      assert.equal(world.state.gold['hourly_revenue/2026-08-19T00']?.stale, true);
      const started = world.started.length;
      for (let round = 0; round < 20; round += 1) world.round();
      assert.equal(world.started.length, started, `${action}: nothing more is built for it`);
    }
  });

  it('waits behind the ones that were asked for before, but for those that are paused', () => {
    const world = new BackfillWorld();
    world.ask(day);
    world.ask(day);
    const statuses = () =>
      world.state.backfills.map((each) => statusOf(each, world.state.backfills));
    assert.deepEqual(statuses(), ['running', 'waiting']);
    world.control(0, 'pause');
    assert.deepEqual(statuses(), ['paused', 'running']);
    world.control(1, 'cancel');
    world.control(0, 'resume');
    world.quiesce(200);
    assert.deepEqual(statuses(), ['done', 'cancelled']);
  });

  it('regression 05687c6: does not wait for ever for a window that is parked again after somebody asked for its retry', () => {
    const world = new BackfillWorld();
    const hour = { from: day.from, to: day.from };
    const parkIt = (): void => world.finish(0, 'blocked');
    const startIt = (): void => {
      world.ask(hour);
      world.round();
      world.planEnds();
      world.round();
    };
    startIt();
    parkIt();
    world.quiesce(50);
    startIt();
    // Its build runs on unknown to the new run, so a person may decide, and then it ends badly.
    world.continueAsNew();
    world.retry(0);
    parkIt();
    const { parked, asked } = world.state.silver[day.from]!;
    assert.deepEqual([parked?.checks, asked?.kind], [['totals'], 'gate']);

    world.ask(hour);
    world.quiesce(50);

    assert.equal(world.state.backfills.at(-1)?.counts.done, 3);
    assert.deepEqual(parkedWindows(world.state), []);
    world.checkCounts();
  });

  type Step = (world: BackfillWorld) => void;
  const step = (text: string, run: Step): Step => Object.assign(run, { toString: () => text });
  const outcomes = fc.constantFrom<Outcome>(
    ...(['published', 'published', 'unchanged', 'blocked', 'failed', 'superseded'] as const),
  );
  const hours = fc.integer({ min: 0, max: 30 }).map((back) => {
    const ms = Date.UTC(2026, 7, 20, 6) - back * 3_600_000;
    return new Date(ms).toISOString().slice(0, 13);
  });
  const steps = fc.oneof(
    { weight: 8, arbitrary: fc.constant(step('round', (world) => world.round())) },
    { weight: 4, arbitrary: fc.constant(step('planEnds', (world) => world.planEnds())) },
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.nat(9), outcomes)
        .map(([index, outcome]) =>
          step(`finish(${index}, ${outcome})`, (world) => world.finish(index, outcome)),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(hours, hours, fc.constantFrom('all', 'failed'), fc.constantFrom('oldest', 'newest'))
        .map(([a, b, only, order]) => {
          const [from, to] = a < b ? [a, b] : [b, a];
          return step(`ask(${from}, ${to}, ${only})`, (world) =>
            world.ask({ from, to, only, order }),
          );
        }),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(3), fc.constantFrom('pause', 'resume', 'cancel'))
        .map(([index, action]) =>
          step(`${action}(${index})`, (world) => world.control(index, action)),
        ),
    },
    {
      weight: 2,
      arbitrary: hours.map((hour) => step(`rows(${hour})`, (world) => world.rows(hour))),
    },
    { weight: 1, arbitrary: fc.nat(5).map((n) => step(`retry(${n})`, (world) => world.retry(n))) },
    { weight: 1, arbitrary: fc.constant(step('new run', (world) => world.continueAsNew())) },
  );

  it('property: whatever comes between, no window is built twice at once, every window is counted once, and it ends', function () {
    this.timeout(180_000);
    fc.assert(
      fc.property(fc.array(steps, { minLength: 10, maxLength: 150, size: 'max' }), (life) => {
        const world = new BackfillWorld();
        world.ask({ from: '2026-08-19T20', to: '2026-08-20T06' });
        for (const next of life) next(world);
        for (let index = 0; index < 30; index += 1) world.control(index, 'resume');
        world.quiesce(3_000);
        assert.ok(world.state.backfills.every(({ ended }) => ended !== null));
        assert.ok(world.bytesMax < 64 * 1_024);
        world.checkCounts();
      }),
      { numRuns: randomCases(100) },
    );
  });
});
