import assert from 'node:assert/strict';
import {
  decideBuilds,
  decideRoute,
  nextLookMs,
  releasedDues,
} from '../../src/lake/owner-decisions.ts';
import { markGoldStale } from '../../src/lake/owner-gold.ts';
import { dueReleased } from '../../src/lake/owner.ts';
import type { GoldState, OwnerState, SilverState } from '../../src/lake/owner-state.ts';
import { minuteMs } from '../../src/lake/time.ts';
import {
  closedHour,
  day,
  gold,
  hour,
  log,
  nowMs,
  owner,
  pending,
  settings,
  silver,
} from './support/owner-states.ts';

const withSilver = (id: string, differences: Partial<SilverState>) =>
  owner({ silver: { [id]: { ...silver, ...differences } } });
const withGold = (differences: Partial<GoldState>, rest: Partial<OwnerState> = {}) =>
  owner({
    gold: { [`hourly_revenue/${hour}`]: { ...gold, stale: true, ...differences } },
    ...rest,
  });
const modesOf = (state: OwnerState) =>
  decideBuilds(state, settings, nowMs).map((build) =>
    build.kind === 'buildSilver' ? `${build.mode} ${build.window}` : `gold ${build.window}`,
  );
const building = { mode: 'fold', sinceMs: nowMs } as const;

describe('decideBuilds', () => {
  it('folds an open hour that has rows, with what waits', () => {
    assert.deepEqual(decideBuilds(withSilver(hour, pending), settings, nowMs), [
      {
        kind: 'buildSilver',
        window: hour,
        mode: 'fold',
        pending: pending.pending,
        cause: { kind: 'rows' },
        waiver: null,
      },
    ]);
  });

  it('seals an hour that is over, and rebuilds one that got late rows', () => {
    assert.deepEqual(modesOf(withSilver(closedHour, {})), [`seal ${closedHour}`]);
    const late = withSilver(closedHour, { ...pending, late: true });
    assert.deepEqual(modesOf(late), [`rebuild ${closedHour}`]);
  });

  it('rebuilds an open hour that lies behind the fold horizon', () => {
    const behind = owner({
      logs: { 'a-0': { ...log, frontier: '2026-08-21T09:30:00.000Z' } },
      silver: { '2026-08-21T09': { ...silver, ...pending } },
    });
    assert.deepEqual(modesOf(behind), ['rebuild 2026-08-21T09']);
  });

  it('leaves alone what is sealed, in flight, parked, or without rows', () => {
    const idle: readonly (readonly [string, Partial<SilverState>])[] = [
      [hour, {}],
      [closedHour, { sealed: true }],
      [hour, { ...pending, building }],
      [closedHour, { ...pending, parked: { reason: 'r', sinceMs: 0, checks: [] } }],
    ];
    for (const [id, differences] of idle)
      assert.deepEqual(modesOf(withSilver(id, differences)), []);
  });

  it('leaves rows that were held back to the seal build', () => {
    const held = { ...pending, heldBack: 'nulls' };
    assert.deepEqual(modesOf(withSilver(hour, held)), []);
    assert.deepEqual(modesOf(withSilver(closedHour, held)), [`seal ${closedHour}`]);
  });

  it('goes on with other hours beside a parked one', () => {
    const state = owner({
      silver: {
        [closedHour]: { ...silver, ...pending, parked: { reason: 'r', sinceMs: 0, checks: [] } },
        [hour]: { ...silver, ...pending },
      },
    });
    assert.deepEqual(modesOf(state), [`fold ${hour}`]);
  });

  it('starts nothing while paused', () => {
    assert.deepEqual(modesOf({ ...withSilver(hour, pending), paused: true }), []);
  });

  it('folds again only when the interval is over, and rows have rested', () => {
    const folded = (builtAtMs: number, buildMs: number) =>
      modesOf(withSilver(hour, { ...pending, builtAtMs, buildMs }));
    assert.deepEqual(folded(nowMs - minuteMs + 1_000, 1_000), [`fold ${hour}`]);
    assert.deepEqual(folded(nowMs - minuteMs + 1_001, 1_000), []);
    // A fold of half a minute is begun every two minutes.
    assert.deepEqual(folded(nowMs - minuteMs, 30_000), []);
    assert.deepEqual(folded(nowMs - 1.5 * minuteMs + 1, 30_000), []);
    assert.deepEqual(folded(nowMs - 1.5 * minuteMs, 30_000), [`fold ${hour}`]);
    assert.deepEqual(modesOf(withSilver(hour, { ...pending, touchedMs: nowMs - 999 })), []);
  });

  it('does not put the next fold off because of one slow one, in runs that know what is usual', () => {
    const slow = { ...pending, builtAtMs: nowMs - 35_000, buildMs: 25_000, usualMs: 10_000 };
    const due = (usualFolds: boolean) =>
      decideBuilds(withSilver(hour, slow), { ...settings, usualFolds }, nowMs).length;
    assert.deepEqual([due(true), due(false)], [1, 0]);
  });

  it('does not wait for rest longer than a fold takes to come round', () => {
    const restless = { ...pending, touchedMs: nowMs, pendingSinceMs: nowMs - minuteMs };
    assert.deepEqual(modesOf(withSilver(hour, restless)), [`fold ${hour}`]);
  });

  it('starts no more than are allowed, open and newest hours first', () => {
    const state = owner({
      silver: Object.fromEntries(
        ['2026-08-21T10', '2026-08-21T11', closedHour, hour].map((id) => [
          id,
          { ...silver, ...pending },
        ]),
      ),
    });
    const two = { ...settings, buildsMax: 2 };
    const windows = (of: OwnerState) => decideBuilds(of, two, nowMs).map(({ window }) => window);
    assert.deepEqual(windows(state), [hour, closedHour]);
    const busy = { ...state.silver, [hour]: { ...silver, building } };
    assert.deepEqual(windows({ ...state, silver: busy }), [closedHour]);
  });

  describe('of gold', () => {
    it('follows silver where that is wanted, and else waits until it is due', () => {
      const schedule = { ...settings, goldRefresh: 'schedule' } as const;
      assert.equal(decideBuilds(withGold({}), settings, nowMs).length, 1);
      assert.equal(decideBuilds(withGold({}), schedule, nowMs).length, 0);
      assert.equal(decideBuilds(withGold({ due: true }), schedule, nowMs).length, 1);
    });

    it('is due on the Schedule when it ends before the last due hour, whenever it became stale', () => {
      const schedule = { ...settings, goldRefresh: 'schedule' } as const;
      const at = (goldDueBefore: string) =>
        decideBuilds(withGold({}, { goldDueBefore }), schedule, nowMs).length;
      assert.equal(at('2026-08-21T14:00:00.000Z'), 1);
      assert.equal(at('2026-08-21T13:00:00.000Z'), 0);
    });

    it('is due also for hours before the first one that the Schedule called, once that is released', () => {
      const schedule = { ...settings, goldRefresh: 'schedule' } as const;
      const tables = [{ name: 'hourly_revenue', grain: 'hour' }] as const;
      const before = markGoldStale(owner(), '2026-08-21T09', tables, nowMs);
      assert.deepEqual(decideBuilds(before, schedule, nowMs), []);
      const first = { hour: closedHour, complete: true };
      const released = dueReleased(before, first, tables, nowMs);
      const windows = decideBuilds(released, schedule, nowMs).map(({ window }) => window);
      assert.deepEqual(windows.sort(), ['2026-08-21T09', closedHour]);
    });

    it('rests three times its last build', () => {
      const built = (buildMs: number) =>
        decideBuilds(withGold({ buildMs }), settings, nowMs).length;
      assert.deepEqual([built(30_000), built(30_001)], [1, 0]);
    });

    it('waits while its silver moves, but no longer than two folds', () => {
      const moving = { silver: { [hour]: { ...silver, building } } };
      const since = (staleSinceMs: number) => modesOf(withGold({ staleSinceMs }, moving));
      assert.deepEqual(since(nowMs - 2 * minuteMs + 1), []);
      assert.deepEqual(since(nowMs - 2 * minuteMs), [`gold ${hour}`]);
    });

    it('is marked incomplete while an hour of it that was due is not built whole', () => {
      const complete = (silverOfHour: Partial<SilverState>) => {
        const state = owner({
          gold: { [`top_products/${day}`]: { ...gold, stale: true } },
          silver: { [closedHour]: { ...silver, ...silverOfHour } },
          goldDueBefore: '2026-08-21T13:00:00.000Z',
        });
        const [build] = decideBuilds(state, settings, nowMs).filter(
          ({ kind }) => kind === 'buildGold',
        );
        return build?.kind === 'buildGold' && build.complete;
      };
      const parked = { parked: { reason: 'r', sinceMs: 0, checks: [] } };
      assert.equal(complete({ ...parked }), false);
      assert.equal(complete({ ...parked, sealed: true }), true);
    });
  });
});

describe('nextLookMs', () => {
  it('is null when only a message can change anything', () => {
    assert.equal(nextLookMs(owner(), settings, nowMs), null);
    assert.equal(
      nextLookMs(withSilver(hour, { ...pending, heldBack: 'r' }), settings, nowMs),
      null,
    );
    assert.equal(nextLookMs({ ...withSilver(hour, pending), paused: true }, settings, nowMs), null);
  });

  it('is when rows have rested, or the fold comes round', () => {
    const touched = withSilver(hour, { ...pending, touchedMs: nowMs - 400 });
    assert.equal(nextLookMs(touched, settings, nowMs), nowMs + 600);
    const folded = withSilver(hour, { ...pending, builtAtMs: nowMs - 10_000 });
    assert.equal(nextLookMs(folded, settings, nowMs), nowMs + 49_000);
  });

  it('is when a due has waited long enough', () => {
    const state = owner({ dues: [{ hour, sinceMs: nowMs - minuteMs }] });
    assert.equal(nextLookMs(state, settings, nowMs), nowMs + 29 * minuteMs);
  });
});

describe('releasedDues', () => {
  const due = (id: string, sinceMs: number, rest: Partial<OwnerState> = {}) =>
    releasedDues(owner({ dues: [{ hour: id, sinceMs }], ...rest }), settings, nowMs);

  it('releases an hour that is over and built whole', () => {
    assert.deepEqual(due(closedHour, nowMs), [{ hour: closedHour, complete: true }]);
    const sealed = { [closedHour]: { ...silver, sealed: true } };
    assert.deepEqual(due(closedHour, nowMs, { silver: sealed }), [
      { hour: closedHour, complete: true },
    ]);
  });

  it('waits for an hour that is open or not built whole', () => {
    assert.deepEqual(due(hour, nowMs), []);
    assert.deepEqual(due(closedHour, nowMs, { silver: { [closedHour]: silver } }), []);
    const late = { ...silver, ...pending };
    assert.deepEqual(due(closedHour, nowMs, { silver: { [closedHour]: late } }), []);
  });

  it('goes on incomplete after the longest wait, and not before', () => {
    assert.deepEqual(due(hour, nowMs - 30 * minuteMs + 1), []);
    assert.deepEqual(due(hour, nowMs - 30 * minuteMs), [{ hour, complete: false }]);
  });
});

describe('decideRoute', () => {
  it('goes on behind the bookmark, a bounded number of each log', () => {
    const logs = {
      'a-0': { ...log, sealedTo: 30, routedTo: 9 },
      'a-1': { ...log, sealedTo: 11, routedTo: 9 },
      'a-2': log,
    };
    assert.deepEqual(decideRoute(owner({ logs }), 5), [
      { log: 'a-0', first: 10, through: 14 },
      { log: 'a-1', first: 10, through: 11 },
    ]);
  });
});
