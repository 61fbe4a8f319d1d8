import assert from 'node:assert/strict';
import {
  describeOwner,
  frontierOf,
  isClosed,
  newOwner,
  settledTo,
} from '../../src/lake/owner-state.ts';
import { closedHour, gold, hour, log, owner, pending, silver } from './support/owner-states.ts';

describe('settledTo', () => {
  it('is the bookmark of a log of which nothing waits', () => {
    assert.deepEqual(settledTo(owner()), { 'a-0': 9 });
  });

  it('ends before the first batch that waits in any window', () => {
    const state = owner({
      logs: { 'a-0': log, 'a-1': log },
      silver: {
        [closedHour]: { ...silver, pending: { 'a-0': { first: 4, through: 9 } } },
        [hour]: { ...silver, ...pending },
      },
    });
    assert.deepEqual(settledTo(state), { 'a-0': 3, 'a-1': 9 });
  });

  it('counts what is held back as waiting', () => {
    const held = { ...silver, ...pending, heldBack: 'r' };
    assert.deepEqual(settledTo(owner({ silver: { [hour]: held } })), { 'a-0': 7 });
  });
});

describe('frontierOf', () => {
  it('is the least of all logs, and none without logs', () => {
    const behind = { ...log, frontier: '2026-08-21T13:10:00.000Z' };
    assert.equal(frontierOf(owner({ logs: { 'a-0': log, 'a-1': behind } })), behind.frontier);
    assert.equal(frontierOf(newOwner('events')), null);
  });
});

describe('isClosed', () => {
  it('needs the frontier to pass the end by the lateness', () => {
    const at = (frontier: string) =>
      isClosed(owner({ logs: { 'a-0': { ...log, frontier } } }), hour, 120_000);
    assert.equal(at('2026-08-21T14:01:59.999Z'), false);
    assert.equal(at('2026-08-21T14:02:00.000Z'), true);
    assert.equal(isClosed(newOwner('events'), hour, 0), false);
  });
});

describe('describeOwner', () => {
  it('says in a sentence what runs, what waits, and what needs a person', () => {
    const state = owner({
      paused: true,
      silver: {
        [closedHour]: { ...silver, parked: { reason: 'r', sinceMs: 0, checks: [] } },
        [hour]: { ...silver, ...pending, heldBack: 'r' },
      },
      gold: { [`hourly_revenue/${hour}`]: { ...gold, stale: true, building: { sinceMs: 0 } } },
    });
    assert.equal(
      describeOwner(state),
      'Paused. Complete up to 2026-08-21T13:30:00.000Z. 1 builds running, 10 rows wait for silver, ' +
        '1 gold windows are stale, 1 parked, 1 held back until their hour is over. ' +
        '0 silver and 0 gold versions published since the start.',
    );
  });

  it('says so when no log has reported', () => {
    assert.match(describeOwner(newOwner('events')), /^No source log has reported yet\./);
  });
});
