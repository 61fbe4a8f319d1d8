// Longer than 300 lines because one message after the other, they share the states that they begin from.
import assert from 'node:assert/strict';
import type { GoldBuilt, SilverBuilt } from '../../src/lake/owner-state.ts';
import {
  buildStarted,
  closeHours,
  dueReleased,
  forgetFlights,
  hourDue,
  logAdvanced,
  prune,
  routed,
} from '../../src/lake/owner.ts';
import { windowBuilt } from '../../src/lake/owner-built.ts';
import { newOwner } from '../../src/lake/owner-state.ts';
import {
  closedHour,
  day,
  gold,
  hour,
  nowMs,
  owner,
  pending,
  settings,
  silver,
} from './support/owner-states.ts';

const touch = { window: hour, log: 'a-0', first: 10, last: 12, rows: 7 };
const reasons = { cause: { kind: 'rows' }, waiver: null } as const;
const building = { mode: 'fold', sinceMs: nowMs - 1_000 } as const;

const published: SilverBuilt = {
  layer: 'silver',
  window: hour,
  mode: 'fold',
  outcome: 'published',
  through: { 'a-0': 9 },
  rows: 10,
  version: '000001-a',
  durationMs: 400,
  reason: null,
  checks: [],
  cause: null,
};
const goldPublished: GoldBuilt = {
  layer: 'gold',
  table: 'hourly_revenue',
  window: hour,
  outcome: 'published',
  rows: 1,
  version: '000001-a',
  durationMs: 300,
  reason: null,
  checks: [],
  cause: null,
};

/** The hour after the report of a build that was in flight. */
function reported(differences: Partial<SilverBuilt>, before = {}) {
  const state = owner({ silver: { [hour]: { ...silver, ...pending, building, ...before } } });
  const after = windowBuilt(state, { ...published, ...differences }, settings.gold, nowMs);
  return { ...after, window: after.silver[hour]! };
}

describe('logAdvanced', () => {
  it('begins to close hours with the one of the first message', () => {
    const frontier = '2026-08-21T13:29:00.000Z';
    const state = logAdvanced(
      newOwner('events'),
      { logs: [{ log: 'a-0', sealedTo: -1, frontier }] },
      nowMs,
    );
    assert.equal(state.nextToClose, hour);
    assert.equal(state.logs['a-0']?.frontier, frontier);
  });

  it('changes nothing when it comes again or is old', () => {
    const message = (sealedTo: number, frontier: string) => ({
      logs: [{ log: 'a-0', sealedTo, frontier }],
    });
    const before = owner();
    const again = logAdvanced(before, message(9, '2026-08-21T13:30:00.000Z'), nowMs);
    const old = logAdvanced(again, message(4, '2026-08-21T13:00:00.000Z'), nowMs + 1);
    assert.deepEqual(old, before);
  });
});

describe('routed', () => {
  it('notes what waits for each window and how far routing is', () => {
    const state = routed(
      owner({ logs: { 'a-0': { ...owner().logs['a-0']!, sealedTo: 12 } } }),
      { through: { 'a-0': 12 }, windows: [touch], batches: 3 },
      nowMs,
    );
    assert.equal(state.logs['a-0']?.routedTo, 12);
    assert.deepEqual(state.silver[hour]?.pending, { 'a-0': { first: 10, through: 12 } });
    assert.equal(state.silver[hour]?.pendingRows, 7);
    assert.equal(state.counters.batchesRouted, 3);
  });

  it('widens the range that waits already, and does not make it younger', () => {
    const before = owner({ silver: { [hour]: { ...silver, ...pending } } });
    const state = routed(before, { through: {}, windows: [touch], batches: 1 }, nowMs);
    assert.deepEqual(state.silver[hour]?.pending, { 'a-0': { first: 8, through: 12 } });
    assert.equal(state.silver[hour]?.pendingSinceMs, pending.pendingSinceMs);
    assert.equal(state.silver[hour]?.touchedMs, nowMs);
  });

  it('takes rows of an hour that has passed for late ones', () => {
    const window = closedHour;
    const found = { through: {}, windows: [{ ...touch, window }], batches: 1 };
    assert.equal(routed(owner(), found, nowMs).silver[window]?.late, true);
    const sealed = owner({ silver: { [window]: { ...silver, sealed: true } } });
    const late = routed(sealed, found, nowMs).silver[window];
    assert.deepEqual([late?.late, late?.sealed], [true, false]);
  });

  it('knows no log that never reported', () => {
    const state = routed(owner(), { through: { 'b-0': 3 }, windows: [], batches: 0 }, nowMs);
    assert.equal(state.logs['b-0'], undefined);
  });
});

describe('windowBuilt of silver', () => {
  it('takes off what the version has, and makes the gold of the hour and its day stale', () => {
    const state = reported({});
    assert.deepEqual(state.window.pending, {});
    assert.deepEqual([state.window.pendingRows, state.window.pendingSinceMs], [0, null]);
    assert.deepEqual([state.window.builtAtMs, state.window.buildMs], [nowMs, 400]);
    assert.deepEqual(
      Object.entries(state.gold).map(([key, { stale }]) => [key, stale]),
      [
        [`hourly_revenue/${hour}`, true],
        [`top_products/${day}`, true],
      ],
    );
    assert.equal(state.counters.silverBuilt, 1);
  });

  it('never believes all of a slow fold, which may have met a busy machine, nor doubts a fast one', () => {
    const usual = (usualMs: number, durationMs: number) =>
      reported({ durationMs }, { usualMs }).window.usualMs;
    assert.deepEqual([usual(8_000, 28_000), usual(8_000, 2_000)], [13_000, 2_000]);
    assert.equal(reported({ durationMs: 8_000 }).window.usualMs, 8_000);
    assert.equal('usualMs' in reported({ mode: 'seal' }, { usualMs: 8_000 }).window, false);
  });

  it('keeps what came while it was built', () => {
    const { window } = reported({ through: { 'a-0': 8 } });
    assert.deepEqual(window.pending, { 'a-0': { first: 9, through: 9 } });
    assert.equal(window.pendingRows, 10);
  });

  it('seals the hour by a whole build that has everything', () => {
    assert.equal(reported({ mode: 'seal' }).window.sealed, true);
    assert.equal(reported({ mode: 'rebuild', outcome: 'unchanged' }).window.sealed, true);
    assert.equal(reported({ mode: 'seal', through: { 'a-0': 8 } }).window.sealed, false);
    assert.equal(reported({ mode: 'fold' }).window.sealed, false);
  });

  it('makes gold stale also when it changed nothing: the publication may have gone unheard', () => {
    assert.equal(reported({ outcome: 'unchanged' }).gold[`hourly_revenue/${hour}`]?.stale, true);
  });

  it('makes gold stale also when the hour is forgotten already', () => {
    const state = windowBuilt(owner(), published, settings.gold, nowMs);
    assert.equal(state.gold[`hourly_revenue/${hour}`]?.stale, true);
    assert.deepEqual(state.silver, {});
  });

  for (const mode of ['seal', 'rebuild'] as const) {
    it(`parks the hour when the gate blocks a ${mode}`, () => {
      const { window, gold: stale } = reported({ mode, outcome: 'blocked', reason: 'nulls' });
      assert.deepEqual(window.parked, { reason: 'nulls', sinceMs: nowMs, checks: [] });
      assert.deepEqual(window.pending, pending.pending);
      assert.deepEqual(stale, {});
    });
  }

  it('holds the rows back, and parks nothing, when the gate blocks a fold', () => {
    const { window, counters } = reported({ outcome: 'blocked', reason: 'nulls' });
    assert.deepEqual([window.parked, window.heldBack], [null, 'nulls']);
    assert.deepEqual(window.pending, pending.pending);
    assert.equal(counters.gatesBlocked, 1);
  });

  it('holds nothing back any more once a build has passed', () => {
    assert.equal(reported({ mode: 'seal' }, { heldBack: 'nulls' }).window.heldBack, null);
  });

  it('parks the hour when a build failed, of whatever mode', () => {
    const { window } = reported({ outcome: 'failed', reason: 'SQL_FAILED: x' });
    assert.equal(window.parked?.reason, 'SQL_FAILED: x');
  });

  it('leaves everything as it was when another build was faster', () => {
    const { window } = reported({ outcome: 'superseded', through: { 'a-0': 9 } });
    assert.deepEqual(window.pending, pending.pending);
    assert.deepEqual([window.building, window.parked], [null, null]);
  });
});

describe('windowBuilt of gold', () => {
  const key = `hourly_revenue/${hour}` as const;
  const flying = { ...gold, building: { sinceMs: nowMs } };
  const after = (differences: Partial<GoldBuilt>, before = {}) => {
    const state = owner({ gold: { [key]: { ...flying, ...before } } });
    return windowBuilt(state, { ...goldPublished, ...differences }, settings.gold, nowMs).gold[key];
  };

  it('lands a build', () => {
    assert.deepEqual(after({}), { ...gold, builtAtMs: nowMs, buildMs: 300 });
  });

  it('parks a window that the gate blocks', () => {
    assert.deepEqual(after({ outcome: 'blocked', reason: 'totals' })?.parked, {
      reason: 'totals',
      checks: [],
      sinceMs: nowMs,
    });
  });

  it('does not park a window whose silver has changed since the build began', () => {
    const window = after({ outcome: 'blocked', reason: 'totals' }, { stale: true });
    assert.deepEqual([window?.parked, window?.stale], [null, true]);
  });

  it('builds again what was superseded', () => {
    const window = after({ outcome: 'superseded' });
    assert.deepEqual([window?.stale, window?.due], [true, true]);
  });

  it('is nothing for a window that is forgotten', () => {
    assert.deepEqual(windowBuilt(owner(), goldPublished, settings.gold, nowMs).gold, {});
  });

  it('takes a parked window up again when its silver changes', () => {
    const parked = { reason: 'totals', sinceMs: nowMs, checks: [] };
    const state = owner({ gold: { [key]: { ...gold, parked } } });
    const changed = windowBuilt(state, published, settings.gold, nowMs).gold[key];
    assert.deepEqual([changed?.parked, changed?.stale], [null, true]);
  });
});

describe('hourDue', () => {
  it('notes an hour once, with the time of the first call', () => {
    const once = hourDue(owner(), hour, nowMs);
    assert.deepEqual(once.dues, [{ hour, sinceMs: nowMs }]);
    assert.equal(hourDue(once, hour, nowMs + 1), once);
  });
});

describe('dueReleased', () => {
  it('makes every gold window of the hour due, also where nothing is known of it', () => {
    const state = dueReleased(
      hourDue(owner(), closedHour, nowMs),
      { hour: closedHour, complete: false },
      settings.gold,
      nowMs,
    );
    assert.deepEqual(state.dues, []);
    assert.equal(state.goldDueBefore, '2026-08-21T13:00:00.000Z');
    for (const key of [`hourly_revenue/${closedHour}`, `top_products/${day}`] as const) {
      const { stale, due, complete } = state.gold[key]!;
      assert.deepEqual({ stale, due, complete }, { stale: true, due: true, complete: false });
    }
  });

  it('never takes back how far gold was due', () => {
    const far = owner({ goldDueBefore: '2026-08-22T00:00:00.000Z' });
    const state = dueReleased(far, { hour: closedHour, complete: true }, settings.gold, nowMs);
    assert.equal(state.goldDueBefore, '2026-08-22T00:00:00.000Z');
  });
});

describe('buildStarted', () => {
  it('marks the window, so that it is not built twice', () => {
    const before = owner({ silver: { [hour]: { ...silver, ...pending } } });
    const build = {
      kind: 'buildSilver',
      window: hour,
      mode: 'fold',
      pending: {},
      ...reasons,
    } as const;
    const state = buildStarted(before, build, nowMs);
    assert.deepEqual(state.silver[hour]?.building, { mode: 'fold', sinceMs: nowMs });
  });

  it('lets a gold window become stale again while it is built', () => {
    const key = `hourly_revenue/${hour}` as const;
    const before = owner({ gold: { [key]: { ...gold, stale: true, due: true } } });
    const table = 'hourly_revenue';
    const window = hour;
    const build = { kind: 'buildGold', key, table, window, complete: true, ...reasons } as const;
    const state = buildStarted(before, build, nowMs);
    assert.deepEqual(state.gold[key], { ...gold, building: { sinceMs: nowMs } });
    assert.equal(windowBuilt(state, published, settings.gold, nowMs).gold[key]?.stale, true);
  });
});

describe('forgetFlights', () => {
  it('builds again whatever was in flight', () => {
    const key = `hourly_revenue/${hour}` as const;
    const state = forgetFlights(
      owner({
        silver: { [hour]: { ...silver, ...pending, building } },
        gold: { [key]: { ...gold, building: { sinceMs: nowMs } } },
      }),
    );
    assert.deepEqual(state.silver[hour], { ...silver, ...pending });
    assert.deepEqual(state.gold[key], { ...gold, stale: true, due: true });
  });
});

describe('closeHours', () => {
  const closed = (frontier: string, differences = {}) =>
    closeHours(
      owner({ logs: { 'a-0': { ...owner().logs['a-0']!, frontier } }, ...differences }),
      settings.allowedLatenessMs,
      nowMs,
    );

  it('takes up no hour before the frontier has passed its end by the lateness', () => {
    assert.deepEqual(closed('2026-08-21T14:01:59.999Z').silver, {});
  });

  it('takes up an hour that brought nothing, on time', () => {
    const state = closed('2026-08-21T14:02:00.000Z');
    assert.deepEqual(Object.keys(state.silver), [hour]);
    assert.equal(state.silver[hour]?.late, false);
    assert.equal(state.nextToClose, '2026-08-21T14');
  });

  it('leaves an hour that it knows as it is', () => {
    const known = { ...silver, ...pending };
    const state = closed('2026-08-21T14:02:00.000Z', { silver: { [hour]: known } });
    assert.equal(state.silver[hour], known);
  });

  it('takes up a day at a time after a long sleep', () => {
    const state = closed('2026-09-21T00:00:00.000Z');
    assert.equal(Object.keys(state.silver).length, 24);
    assert.equal(state.nextToClose, '2026-08-22T13');
  });
});

describe('prune', () => {
  it('forgets a sealed hour about which nothing is left to know', () => {
    const sealed = { ...silver, sealed: true };
    const kept = {
      '2026-08-21T08': silver,
      '2026-08-21T09': { ...sealed, building },
      '2026-08-21T10': { ...sealed, parked: { reason: 'r', sinceMs: 0, checks: [] } },
      '2026-08-21T11': { ...sealed, ...pending },
    };
    assert.deepEqual(prune(owner({ silver: { ...kept, [closedHour]: sealed } })).silver, kept);
  });

  it('forgets gold that is up to date and over', () => {
    const over = `hourly_revenue/${closedHour}` as const;
    const kept = {
      [`hourly_revenue/${hour}`]: gold,
      [`top_products/${day}`]: gold,
      'hourly_revenue/2026-08-21T09': { ...gold, stale: true },
      'hourly_revenue/2026-08-21T10': { ...gold, building: { sinceMs: 0 } },
      'hourly_revenue/2026-08-21T11': { ...gold, parked: { reason: 'r', sinceMs: 0, checks: [] } },
    };
    assert.deepEqual(prune(owner({ gold: { ...kept, [over]: gold } })).gold, kept);
  });
});
