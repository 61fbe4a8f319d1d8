import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OwnerSettings } from '../../src/lake/owner-decisions.ts';
import { nothingWild } from '../../src/lake/owner-parts.ts';
import { queueLimits } from '../../src/lake/owner-queue.ts';
import { isClosed } from '../../src/lake/owner-state.ts';
import { formatInstant, hourMs, minuteMs } from '../../src/lake/time.ts';
import { nextWindow, overlapping, windowAt, windowOf } from '../../src/lake/window.ts';
import { randomCases } from '../support/random-cases.ts';
import { type Outcome, OwnerWorld, hourId, startMs } from './support/owner-world.ts';

/*
 * Whole lives of the owner, against a model: any order of messages, delays, repetitions, builds
 * that fail, continue-as-new at any time. INGOT_TEST_CASES=100 tries more of them.
 */

const lives = randomCases(50);
/** So many lives hardly ever miss what only some of them come to. */
const livesEnough = 50;

const settings: OwnerSettings = {
  allowedLatenessMs: 2 * minuteMs,
  foldMs: minuteMs,
  foldHorizonMs: 3 * hourMs,
  maxWaitMs: 30 * minuteMs,
  goldRefresh: 'follow',
  backfillBuildsMax: 2,
  buildsMax: 2,
  gold: [
    { name: 'hourly', grain: 'hour' },
    { name: 'daily', grain: 'day' },
  ],
};

type Step = (world: OwnerWorld) => void;

const step = (name: string, work: Step): Step =>
  // fast-check prints a counterexample by this.
  Object.assign(work, { toString: () => name, [fc.toStringMethod]: () => name });

const logs = fc.constantFrom('a-0', 'a-1');
/** Event time of a batch, in hours before the clock: mostly now, sometimes late, once very late. */
const ages = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 1) },
  { weight: 1, arbitrary: fc.constantFrom(2, 5, 30) },
);
const waits = fc.constantFrom(1_000, 20_000, 5 * minuteMs, 20 * minuteMs, hourMs);
const outcomes = fc.constantFrom<Outcome>('good', 'good', 'good', 'superseded', 'failed');

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(logs, fc.array(ages, { maxLength: 2 })).map(([log, hours]) =>
      step(`seal(${log}, ${hours.join('/')})`, (world) => {
        const rows = hours.map((age) => [windowAt(world.nowMs - age * hourMs, 'hour').id, 1]);
        world.seal(log, Object.fromEntries(rows) as Record<string, number>);
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(logs, fc.integer({ min: 1, max: 40 })).map(([log, stride]) =>
      step(`sealWild(${log}, ${stride})`, (world) => {
        const ages = Array.from({ length: 5 }, (_, index) => index * stride);
        const rows = ages.map((age) => [windowAt(world.nowMs - age * hourMs, 'hour').id, 1]);
        world.seal(log, Object.fromEntries(rows) as Record<string, number>);
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(logs, fc.constantFrom(0, 0, 0, 10 * minuteMs))
      .map(([log, behindMs]) =>
        step(`report(${log}, ${behindMs})`, (world) => world.report(log, behindMs)),
      ),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.nat(5), fc.boolean())
      .map(([index, again]) =>
        step(`deliver(${index}, ${again})`, (world) => world.deliver(index, again)),
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(3), outcomes)
      .map(([index, outcome]) =>
        step(`finish(${index}, ${outcome})`, (world) => world.finish(index, outcome)),
      ),
  },
  { weight: 16, arbitrary: fc.constant(step('round()', (world) => world.round())) },
  {
    weight: 8,
    arbitrary: waits.map((ms) =>
      step(`wait(${ms})`, (world) => {
        world.nowMs += ms;
      }),
    ),
  },
  { weight: 2, arbitrary: fc.constant(step('keepLedger()', (world) => world.keepLedger())) },
  { weight: 1, arbitrary: fc.constant(step('loseOwner()', (world) => world.loseOwner())) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(logs, fc.nat(5))
      .map(([log, back]) => step(`rewind(${log}, ${back})`, (world) => world.rewind(log, back))),
  },
  { weight: 2, arbitrary: fc.constant(step('continueAsNew()', (world) => world.continueAsNew())) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(3), fc.constantFrom('retry', 'waive', 'abandon'))
      .map(([index, decision]) =>
        step(`resolve(${index}, ${decision})`, (world) => world.resolve(index, decision)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((paused) => step(`pause(${paused})`, (world) => world.setPaused(paused))),
  },
  {
    weight: 3,
    arbitrary: fc
      .nat(2)
      .map((age) =>
        step(`due(${age})`, (world) => world.due(windowAt(world.nowMs - age * hourMs, 'hour').id)),
      ),
  },
);

/** Hardly any room for windows: those of the parked ones and two more. */
const crowded = {
  ...queueLimits,
  windowsMax: 9,
  windowsRoom: 7,
  objectWindowsMax: 2,
  bytesMax: 8_000,
};

type Life = {
  readonly isCrowded: boolean;
  readonly steps: readonly Step[];
  readonly bad: Readonly<Record<string, 'always' | 'folds'>>;
};

const someLife: fc.Arbitrary<Life> = fc.record({
  isCrowded: fc.boolean(),
  steps: fc.array(steps, { minLength: 10, maxLength: 120, size: 'max' }),
  bad: fc.dictionary(fc.constantFrom(hourId(0), hourId(1)), fc.constantFrom('always', 'folds'), {
    noNullPrototype: true,
  }),
});

/** Lives it, then lets the lanes catch up and everything come to rest. */
function live(
  { steps: life, bad, isCrowded }: Life,
  goldRefresh: OwnerSettings['goldRefresh'],
): OwnerWorld {
  const world = new OwnerWorld({
    settings: { ...settings, goldRefresh },
    bad,
    ...(isCrowded ? { queueLimits: crowded } : {}),
  });
  for (const next of life) next(world);
  world.setPaused(false);
  world.nowMs += 3 * hourMs;
  for (const log of ['a-0', 'a-1']) world.report(log, 0);
  world.quiesce(400);
  // What somebody has let go before is worked off by now.
  world.letWildIn();
  world.quiesce(400);
  // In the end the Schedule has called every hour due.
  for (let ms = startMs; ms < world.nowMs - hourMs; ms += hourMs) {
    world.due(windowAt(ms, 'hour').id);
  }
  world.quiesce(400);
  return world;
}

const anyRefresh = fc.constantFrom<OwnerSettings['goldRefresh']>('follow', 'schedule');

/** One run of lives serves all claims about how a life ends. */
function holdsForEveryLife(claim: (world: OwnerWorld, life: Life) => void): void {
  fc.assert(
    fc.property(someLife, anyRefresh, (life, goldRefresh) => claim(live(life, goldRefresh), life)),
    { numRuns: lives },
  );
}

const isStuck = (world: OwnerWorld, { bad }: Life, window: string) =>
  bad[window] === 'always' || world.failed.has(window);

function everyBatchIsBuilt(world: OwnerWorld, life: Life): void {
  for (const [log, { batches }] of world.logs) {
    assert.equal(world.state.logs[log]?.routedTo, batches.length - 1, `${log} is routed`);
    for (const [number, { rows }] of batches.entries()) {
      const windows = Object.keys(rows).filter((id) => !isStuck(world, life, id));
      for (const window of windows) {
        if (world.wasAbandoned(log, number, window)) continue;
        const version = world.silver.get(window);
        assert.ok(version?.batches.has(`${log}/${number}`), `${window} has ${log}/${number}`);
      }
    }
  }
}

function closedWindowsAreSealed(world: OwnerWorld, life: Life): void {
  const { nextToClose } = world.state;
  assert.ok(world.firstHour !== null && nextToClose !== null);
  const ids = new Set(world.silver.keys());
  for (let hour = windowOf(world.firstHour); hour.id < nextToClose; hour = nextWindow(hour)) {
    ids.add(hour.id);
  }
  for (const id of ids) {
    const closed = isClosed(world.state, id, settings.allowedLatenessMs);
    if (!closed || isStuck(world, life, id)) continue;
    assert.notEqual(world.silver.get(id)?.mode ?? 'none', 'fold', `${id} ends whole`);
    assert.ok(world.silver.has(id), `${id} has a version, if an empty one`);
    assert.equal(world.state.silver[id], undefined, `${id} is pruned`);
  }
}

function stuckWindowsStayParked(world: OwnerWorld): void {
  for (const [id, window] of Object.entries(world.state.silver)) {
    const isOpen = !isClosed(world.state, id, settings.allowedLatenessMs);
    const waits = window.parked !== null || window.abandoned;
    assert.ok(waits || isOpen, `${id} is parked or abandoned`);
    assert.equal(window.building, null);
  }
}

function goldIsNewerThanItsSilver(world: OwnerWorld, life: Life): void {
  for (const hour of world.silver.keys()) {
    // Of a version whose report was lost with the owner, gold hears when its window is built again.
    if (isStuck(world, life, hour)) continue;
    for (const { name, grain } of settings.gold) {
      for (const { id, endMs } of overlapping(windowOf(hour), grain)) {
        // On the Schedule, a window that was never due waits for it.
        const isDue = formatInstant(endMs) <= (world.state.goldDueBefore ?? '');
        if (world.options.settings.goldRefresh === 'schedule' && !isDue) continue;
        const key = `${name}/${id}`;
        const silver = world.silverVersionsOf(id);
        const seen = world.goldVerdicts.get(key);
        assert.equal(seen, silver, `${key} was built after its silver`);
      }
    }
  }
}

function duesAreReleased(world: OwnerWorld): void {
  assert.deepEqual(world.state.dues, []);
  const released = world.released.map(({ hour }) => hour);
  assert.deepEqual([...released].sort(), [...world.accepted].sort(), 'each once');
}

describe('the life of an owner', () => {
  it('property: no two builds of a window at once, nothing while paused, no lost wake-up, and in the end everything is built', function () {
    this.timeout(180_000);
    let queuedOnce = 0;
    let heldOnce = 0;
    holdsForEveryLife((world, life) => {
      queuedOnce += world.queuedOnce;
      heldOnce += world.heldOnce;
      assert.deepEqual(world.state.wild, nothingWild);
      everyBatchIsBuilt(world, life);
      closedWindowsAreSealed(world, life);
      stuckWindowsStayParked(world);
      goldIsNewerThanItsSilver(world, life);
      duesAreReleased(world);
    });
    if (lives < livesEnough) return;
    assert.ok(queuedOnce > 0, 'some windows went through the queue');
    assert.ok(heldOnce > 0, 'some rows of wild event times were held');
  });
});
