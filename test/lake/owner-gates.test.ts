import assert from 'node:assert/strict';
import { windowBuilt } from '../../src/lake/owner-built.ts';
import { decideBuilds } from '../../src/lake/owner-decisions.ts';
import { alertOf } from '../../src/lake/owner-events.ts';
import {
  type ResolveGate,
  gateRefusal,
  gateResolved,
  parkedWindows,
} from '../../src/lake/owner-gates.ts';
import { isSettled, progressOf } from '../../src/lake/owner-progress.ts';
import { settledTo, withheldWindows } from '../../src/lake/owner-state.ts';
import { routed } from '../../src/lake/owner.ts';
import {
  closedHour,
  gold,
  nowMs,
  owner,
  pending,
  settings,
  silver,
} from './support/owner-states.ts';

const parked = { reason: 'totals (1 row)', sinceMs: nowMs - 9_000, checks: ['totals'] };
const stuck = { ...silver, ...pending, parked, late: true };
const state = owner({ silver: { [closedHour]: stuck } });
const waive: ResolveGate = {
  layer: 'silver',
  table: null,
  window: closedHour,
  decision: 'waive',
  author: 'ops',
  reason: 'the source counts twice',
};

describe('gateRefusal', () => {
  const refusals: readonly (readonly [string, Partial<ResolveGate>, typeof state, RegExp])[] = [
    ['a window that nobody knows', { window: '2020-01-01T00' }, state, /nothing is known of/],
    ['one that is not parked', {}, owner({ silver: { [closedHour]: silver } }), /is not parked$/],
    [
      'one that is held back',
      {},
      owner({ silver: { [closedHour]: { ...silver, heldBack: 'nulls' } } }),
      /held back until its hour is over/,
    ],
    ['a waive without a reason', { reason: ' ' }, state, /to waive a gate needs a reason/],
    ['an abandon without one', { decision: 'abandon', reason: '' }, state, /needs a reason/],
    [
      'a waive of a fault',
      {},
      owner({ silver: { [closedHour]: { ...stuck, parked: { ...parked, checks: [] } } } }),
      /no failed check to waive/,
    ],
    ['gold that is not known', { layer: 'gold', table: 'top_products' }, state, /nothing is known/],
  ];
  for (const [what, differences, from, reason] of refusals) {
    it(`names the reason for ${what}`, () => {
      assert.match(gateRefusal(from, { ...waive, ...differences }) ?? 'taken', reason);
    });
  }

  it('has nothing against a retry without a reason', () => {
    assert.equal(gateRefusal(state, { ...waive, decision: 'retry', reason: '' }), null);
  });
});

describe('gateResolved', () => {
  it('builds a waived window again, with the checks that had failed and who waived them', () => {
    const after = gateResolved(state, waive, nowMs);
    const [build] = decideBuilds(after, settings, nowMs + 2_000);
    assert.deepEqual(build?.waiver, {
      checks: ['totals'],
      author: 'ops',
      reason: waive.reason,
      at: '2026-08-21T13:30:00.000Z',
    });
    assert.deepEqual(build.cause, {
      kind: 'gate',
      decision: 'waive',
      author: 'ops',
      reason: waive.reason,
    });
    assert.equal(after.events[0]?.kind, 'gateResolved');
  });

  it('waives for one build: the next failure parks the window again', () => {
    const after = gateResolved(state, waive, nowMs);
    const { cause } = decideBuilds(after, settings, nowMs + 2_000)[0]!;
    const report = {
      layer: 'silver',
      window: closedHour,
      mode: 'rebuild',
      outcome: 'blocked',
      through: {},
      rows: 1,
      version: 'v',
      durationMs: 1,
      reason: 'nulls (1 row)',
      checks: ['nulls', 'totals'],
      cause,
    } as const;
    const again = windowBuilt(after, report, settings.gold, nowMs).silver[closedHour]!;
    assert.deepEqual(
      [again.waiver, again.asked, again.parked?.checks],
      [null, null, ['nulls', 'totals']],
    );
  });

  it('leaves an abandoned window alone until rows come, and then builds all that it lacks', () => {
    const after = gateResolved(state, { ...waive, decision: 'abandon' }, nowMs);
    assert.deepEqual(decideBuilds(after, settings, nowMs + 9e6), []);
    assert.ok(isSettled(progressOf(after, settings.allowedLatenessMs)));
    const touch = { window: closedHour, log: 'a-0', first: 12, last: 12, rows: 1 };
    const more = routed(after, { through: {}, windows: [touch], batches: 1 }, nowMs);
    const [build] = decideBuilds(more, settings, nowMs + 9e6);
    assert.ok(build?.kind === 'buildSilver');
    assert.deepEqual(build.pending, { 'a-0': { first: 8, through: 12 } });
  });

  it('lets gold be tried again, or be left alone', () => {
    const key = `top_products/2026-08-21` as const;
    const of = (decision: ResolveGate['decision']) =>
      gateResolved(
        owner({ gold: { [key]: { ...gold, parked } } }),
        { ...waive, layer: 'gold', table: 'top_products', window: '2026-08-21', decision },
        nowMs,
      ).gold[key]!;
    assert.deepEqual([of('retry').stale, of('retry').parked], [true, null]);
    assert.deepEqual([of('abandon').stale, of('abandon').parked], [false, null]);
  });
});

describe('a parked window', () => {
  it('holds neither the bookmark back nor shows its rows to readers', () => {
    assert.deepEqual(settledTo(state), { 'a-0': 9 });
    assert.deepEqual(withheldWindows(state), [closedHour]);
    assert.deepEqual(settledTo(owner({ silver: { [closedHour]: { ...stuck, parked: null } } })), {
      'a-0': 7,
    });
  });

  it('is listed with the one that waits longest first, and somebody is told', () => {
    const older = { ...parked, sinceMs: 1 };
    const both = owner({
      silver: { [closedHour]: stuck },
      gold: { 'top_products/2026-08-21': { ...gold, parked: older } },
    });
    assert.deepEqual(
      parkedWindows(both).map(({ table, window }) => [table, window]),
      [
        ['top_products', '2026-08-21'],
        [null, closedHour],
      ],
    );
    const gate = { layer: 'silver', table: null, window: closedHour } as const;
    const at = '2026-08-21T13:30:00.000Z';
    const alert = alertOf('events', { kind: 'gateParked', gate, reason: 'x', checks: [], at });
    assert.match(alert?.text ?? '', /^silver 2026-08-21T12 is parked/);
  });
});
