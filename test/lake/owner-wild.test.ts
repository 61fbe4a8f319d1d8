import assert from 'node:assert/strict';
import { explain } from '../../src/lake/explain.ts';
import { decideBuilds } from '../../src/lake/owner-decisions.ts';
import { alertOf } from '../../src/lake/owner-events.ts';
import { gateRefusal, gateResolved, parkedWindows } from '../../src/lake/owner-gates.ts';
import type { WildFound } from '../../src/lake/owner-parts.ts';
import { isSettled, progressOf } from '../../src/lake/owner-progress.ts';
import { type OwnerState, describeOwner, settledTo } from '../../src/lake/owner-state.ts';
import { wildTakenUp, wildToLook } from '../../src/lake/owner-wild-builds.ts';
import { wildGate } from '../../src/lake/owner-wild.ts';
import { routed } from '../../src/lake/owner.ts';
import { rewound } from '../../src/lake/owner-rewind.ts';
import { wildTimesId } from '../../src/lake/wild-times.ts';
import { hour, log, nowMs, owner, settings, silver } from './support/owner-states.ts';

const far = '2003-05-05T05';
const found: WildFound = {
  ...{ log: 'a-0', first: 7, last: 8, windows: 9_900, rows: 12_345, windowsMax: 100 },
  hours: { from: far, to: '2026-01-01T00' },
};

function withWild(state: OwnerState, ...wild: readonly WildFound[]): OwnerState {
  return routed(state, { through: { 'a-0': 9 }, windows: [], batches: 3, wild }, nowMs);
}

const held = withWild(owner(), found);
const said = { ...wildGate, author: 'ops', reason: 'the clock of the producer was wrong' } as const;

function decided(decision: 'retry' | 'waive' | 'abandon', state = held): OwnerState {
  assert.equal(gateRefusal(state, { ...said, decision }), null);
  return gateResolved(state, { ...said, decision }, nowMs);
}

describe('rows of wild event times', () => {
  it('wait as one gate, with one alert, however many batches bring them', () => {
    const state = withWild(held, { ...found, first: 20, last: 20, windows: 1, rows: 2 });
    const [gate, ...others] = parkedWindows(state);
    assert.deepEqual(others, []);
    assert.equal(gate?.window, wildTimesId);
    assert.equal(
      gate.reason,
      '12347 rows of 9901 hours from 2003-05-05T05 to 2026-01-01T00 are held: their batches touch ' +
        'more than 100 windows each (a-0 7–20)',
    );
    const alerts = state.events.map((event) => alertOf('events', event)?.text);
    assert.equal(alerts.length, 1);
    assert.match(alerts[0]!, /^rows of wild event times wait for a decision, all else goes on: /);
    assert.match(describeOwner(state), /12347 rows of wild event times are held/);
  });

  it('hold nothing up: no window is touched, the bookmark goes on, all is settled', () => {
    assert.deepEqual(held.silver, {});
    assert.deepEqual(settledTo(held), { 'a-0': 9 });
    assert.equal(wildToLook(held), null);
    const progress = progressOf(held, settings.allowedLatenessMs);
    assert.equal(isSettled(progress), true);
    assert.equal(progress.parked.length, 1);
  });

  it('count once when their batches are routed once more', () => {
    const back = rewound(held, { to: { 'a-0': 2 }, author: 'ops', reason: 'r' }, nowMs);
    assert.deepEqual(withWild(back, found).wild, held.wild);
  });

  it('are mentioned where an hour is explained that may be one of theirs', () => {
    const facts = {
      ...({ layer: 'silver', table: 'events_cleaned', nowMs, settings, pointer: null } as const),
      ...{ owner: { kind: 'answered', state: held } as const, silverNow: {} },
    };
    const now = explain({ ...facts, window: '2020-01-01T00' }).now.join(' ');
    assert.match(now, /Rows of wild event times wait for a decision, and some may be of this hour/);
    assert.match(now, /abandon` events_cleaned wild-event-times decides/);
    assert.doesNotMatch(explain({ ...facts, window: hour }).now.join(' '), /wild/);
  });
});

describe('a decision about wild event times', () => {
  it('is refused without a gate, without a reason, and while rows let go before are worked off', () => {
    const refusal = (state: OwnerState, more: object) =>
      gateRefusal(state, { ...said, decision: 'waive', ...more });
    assert.match(refusal(owner(), {}) ?? '', /no rows of wild event times are held/);
    assert.match(refusal(held, { reason: ' ' }) ?? '', /to waive a gate needs a reason/);
    assert.match(refusal(held, { decision: 'abandon', reason: '' }) ?? '', /needs a reason/);
    const again = withWild(decided('waive'), { ...found, first: 30, last: 30 });
    assert.match(refusal(again, {}) ?? '', /are worked off just now, about 9900 windows are left/);
    assert.equal(refusal(again, { decision: 'abandon' }), null);
  });

  it('is kept with who has made it, why, and what it was about', () => {
    const event = decided('abandon').events.at(-1)!;
    assert.ok(event.kind === 'gateResolved');
    const { decision, author, reason } = event;
    assert.deepEqual(
      { decision, author, reason },
      { decision: 'abandon', author: 'ops', reason: said.reason },
    );
    assert.match(event.held ?? '', /^12345 rows of 9900 hours/);
    assert.deepEqual(decided('abandon').wild, { parked: null, going: null });
  });
});

describe('wildToLook', () => {
  const going = decided('waive');
  const look = wildToLook(going)!;

  it('looks for the held windows of the batches, a bounded number of them at a time', () => {
    const wanted = { log: 'a-0', first: 7, through: 8, after: null };
    assert.deepEqual(look, { ...wanted, heldFrom: 100, decision: 'waive' });
    const long = withWild(owner(), { ...found, first: 0, last: 1_999 });
    const many = decided('waive', long);
    const first = wildToLook(many)!;
    assert.deepEqual([first.first, first.through], [0, 499]);
    const next = wildTakenUp(many, first, { windows: [], after: null, wild: [] }, nowMs);
    assert.deepEqual(next.wild.going?.batches, { 'a-0': { first: 500, through: 1_999 } });
  });

  it('waits while the owner is paused, has much to hold, or much is parked', () => {
    const some = (count: number, differences: object) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `20${String(10 + Math.floor(index / 24))}-01-01T${String(index % 24).padStart(2, '0')}`,
          { ...silver, ...differences },
        ]),
      );
    const asked = going.wild.going!.asked;
    const parked = { reason: 'r', sinceMs: 0, checks: [] };
    assert.equal(wildToLook({ ...going, paused: true }), null);
    assert.equal(wildToLook({ ...going, silver: some(13, { asked }) }), null);
    assert.equal(wildToLook({ ...going, silver: some(121, {}) }), null);
    assert.equal(wildToLook({ ...going, silver: some(100, { parked }) }), null);
    assert.deepEqual(wildToLook({ ...going, silver: some(12, { asked }) }), look);
  });

  it('has what it finds rebuilt from all batches, in the places of backfills', () => {
    const late = { ...silver, pending: { 'a-0': { first: 9, through: 9 } }, late: true };
    const regular = Object.fromEntries(
      ['01', '02', '03', '04'].map((day) => [`2026-08-${day}T00`, late] as const),
    );
    const hours = ['00', '01', '02', '03'].map((each) => `2003-05-05T${each}`);
    const windows = hours.map((window) => ({ window, rows: 1 }));
    const state = wildTakenUp(
      { ...going, silver: regular },
      look,
      { windows, after: hours.at(-1)!, wild: [] },
      nowMs,
    );
    assert.deepEqual(settledTo(state), { 'a-0': 8 }, 'only what came late holds the tail back');
    const builds = decideBuilds(state, settings, nowMs);
    const ofCause = (kind: string) => builds.filter(({ cause }) => cause.kind === kind);
    assert.equal(ofCause('late').length, settings.buildsMax - 1, 'as many as without it');
    assert.equal(ofCause('wildTimes').length, settings.backfillBuildsMax);
    const [first] = ofCause('wildTimes');
    assert.ok(first?.kind === 'buildSilver');
    assert.equal(first.mode, 'rebuild');
    assert.deepEqual(first.pending, { 'a-0': { first: 0, through: log.routedTo } });
  });

  it('gives the rows to a window that waits for a person with the build that is decided on', () => {
    const parked = { reason: 'r', sinceMs: 0, checks: [] };
    const before = { ...going, silver: { [far]: { ...silver, parked } } };
    const after = wildTakenUp(
      before,
      look,
      { windows: [{ window: far, rows: 5 }], after: null, wild: [] },
      nowMs,
    );
    assert.deepEqual(after.silver[far]?.pending, { 'a-0': { first: 7, through: 8 } });
    assert.equal(after.silver[far].parked, parked);
    assert.equal(after.wild.going, null);
  });

  it('takes nothing up twice', () => {
    const answer = { windows: [{ window: far, rows: 5 }], after: far, wild: [] };
    const once = wildTakenUp(going, look, answer, nowMs);
    assert.equal(wildTakenUp(once, look, answer, nowMs), once);
  });

  it('holds again what a retry finds beyond the limit', () => {
    const retried = decided('retry');
    const again = { ...found, windows: 5, rows: 6, windowsMax: 400 };
    const state = wildTakenUp(
      retried,
      wildToLook(retried)!,
      { windows: [], after: null, wild: [again] },
      nowMs,
    );
    assert.equal(state.wild.going, null);
    assert.deepEqual([state.wild.parked?.windows, state.wild.parked?.windowsMax], [5, 400]);
  });
});
