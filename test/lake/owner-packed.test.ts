import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Backfill,
  backfillsEndedMax,
  backfillsOpenMax,
  boundedSaid,
} from '../../src/lake/backfill.ts';
import { clipped, jsonTextBytes, utf8Length } from '../../src/lake/clip.ts';
import { windowBuilt } from '../../src/lake/owner-built.ts';
import { noted } from '../../src/lake/owner-noted.ts';
import {
  packOwner,
  packedBytes,
  packedBytesMax,
  unpackOwner,
} from '../../src/lake/owner-packed.ts';
import {
  decideQueue,
  decideTake,
  queueLimits,
  queued,
  takenUp,
  windowsIn,
} from '../../src/lake/owner-queue.ts';
import { type OwnerState, newOwner } from '../../src/lake/owner-state.ts';
import { gateResolved } from '../../src/lake/owner-gates.ts';
import { wildGate, wildParked } from '../../src/lake/owner-wild.ts';
import { hourDue, ignored, logAdvanced, routed } from '../../src/lake/owner.ts';
import { formatInstant, hourMs } from '../../src/lake/time.ts';
import { type WindowId, windowAt } from '../../src/lake/window.ts';
import { codePoint } from '../support/code-points.ts';
import { gold, nowMs, owner, settings, silver } from './support/owner-states.ts';

const hourBefore = (hours: number): WindowId => windowAt(nowMs - hours * hourMs, 'hour').id;
const topic = 'a'.repeat(100);
const logNames = [0, 1, 2].map((partition) => `${topic}-${partition}`);

/** Everything that can wait at once, in a state that messages have made. */
function worstCase(): OwnerState {
  const frontier = formatInstant(nowMs);
  const logs = logNames.map((log) => ({ log, sealedTo: 900_000_000, frontier }));
  let state = logAdvanced(newOwner('events'), { logs }, nowMs);
  const through = Object.fromEntries(logNames.map((log) => [log, 900_000_000]));
  const windows = logNames.flatMap((log) =>
    Array.from({ length: 300 }, (_, age) => ({
      window: hourBefore(10 + age * 31),
      log,
      first: 899_000_000 - age * 1_717,
      last: 900_000_000 - age,
      rows: 123_456_789,
    })),
  );
  state = routed(state, { through, windows, batches: 1_500 }, nowMs + 987_654_321);
  for (let age = 0; age < 100; age += 1) {
    state = windowBuilt(
      state,
      {
        layer: 'silver',
        window: hourBefore(10 + age * 31),
        mode: 'rebuild',
        outcome: 'blocked',
        through: {},
        rows: 0,
        version: null,
        durationMs: 999_999,
        reason: `"${age}" \u0007 äöü `.repeat(100),
        checks: Array.from({ length: 100 }, (_, check) => `a_check_with_a_long_name_${check}`),
        cause: { kind: 'late' },
      },
      settings.gold,
      nowMs,
    );
  }
  for (let age = 0; age < 48; age += 1) state = hourDue(state, hourBefore(age), nowMs);
  for (let count = 0; count < 9; count += 1) {
    state = ignored(state, { message: 'logAdvanced', reason: '\\"'.repeat(999) }, nowMs);
  }
  const pauseSaid = { author: 'x'.repeat(98), reason: 'y'.repeat(298), at: frontier };
  return withWild({ ...state, pauseSaid });
}

/** Rows of wild event times of every log are worked off, and more of them are held already. */
function withWild(state: OwnerState): OwnerState {
  const hours = { from: '2000-01-01T00', to: '2026-08-21T12' };
  const counts = { windows: 99_999_999, rows: 999_999_999, windowsMax: 100 };
  const wild = logNames.map((log) => ({ log, first: 1, last: 900_000_000, hours, ...counts }));
  const said = { author: '"'.repeat(40), reason: 'z'.repeat(298), decision: 'waive' } as const;
  const going = gateResolved(wildParked(state, wild, nowMs), { ...wildGate, ...said }, nowMs);
  return wildParked(going, wild, nowMs);
}

/** With texts as long as they may be, in the middle of a day of all windows. */
function aBackfill(index: number): Backfill {
  const said = boundedSaid({ author: '"'.repeat(500), reason: '"'.repeat(500) });
  const day = '2026-08-21';
  return {
    ...{ id: `backfill-2026-08-21-${index}`, from: '2024-08-22T00', to: '2026-08-21T23', ...said },
    ...{ layers: ['silver', 'gold'], only: 'all', order: 'newest', next: '2026-08-20' },
    ...{ askedAt: formatInstant(nowMs), startedAt: formatInstant(nowMs), ended: null },
    ...{ paused: true, said: { ...said, at: formatInstant(nowMs) }, total: 123_456 },
    chunk: {
      day,
      silver: 0xffffff,
      gold: Object.fromEntries(['conversion_funnel', 'hourly_revenue'].map((t) => [t, 0xffffff])),
      asked: [0, 1, 2, 3].map((hour) => `category_performance/${day}T0${hour}`),
      published: 0xffffff,
    },
    counts: { done: 99_999, unchanged: 99_999, failed: 99_999, skipped: 99_999, empty: 99_999 },
    recent: 'x'.repeat(24),
  };
}

/** As the workflow does, without a lake. */
function withRoom(state: OwnerState): OwnerState {
  for (let now = state; ;) {
    const leaving = decideQueue(now, settings.foldHorizonMs);
    if (leaving === null) return now;
    now = queued(now, leaving);
  }
}

describe('packOwner', () => {
  it('gives the very state again, with fields that it does not know', () => {
    const state = owner({
      silver: {
        '2026-08-21T13': { ...silver, heldBack: 'a, b', ...{ unknown: { a: [1, 'x,y'] } } },
        '1969-12-31T23': { ...silver, parked: { reason: 'r', sinceMs: 5, checks: ['a', 'b'] } },
      },
      gold: { 'a_b/2026-08-21': { ...gold, ...{ unknown: 1 } } },
      backfills: [aBackfill(1)],
    });
    assert.deepEqual(unpackOwner(JSON.parse(JSON.stringify(packOwner(state))) as never), state);
  });

  it('takes a state that was never packed, also of a run before there was all that is now', () => {
    const { queue, wild, rewinds, ledger, ...before } = owner();
    assert.deepEqual(unpackOwner(before as OwnerState), {
      ...before,
      queue,
      wild,
      rewinds,
      ledger,
    });
  });

  it('takes less than a quarter of what the state takes as JSON', () => {
    const state = worstCase();
    const plain = utf8Length(JSON.stringify(state.silver));
    const packed = utf8Length(
      JSON.stringify(packOwner({ ...newOwner('events'), silver: state.silver })),
    );
    assert.ok(packed < plain / 4, `${packed} of ${plain}`);
  });

  it(`stays under ${packedBytesMax} bytes with everything that can wait at once`, () => {
    const state = withRoom(worstCase());
    const count = backfillsOpenMax + backfillsEndedMax;
    const backfills = Array.from({ length: count }, (_, index) => aBackfill(index));
    const bytes = packedBytes({ ...state, backfills });
    assert.ok(windowsIn(state) <= queueLimits.windowsMax);
    assert.ok(bytes < packedBytesMax, `${bytes}`);
    assert.deepEqual(unpackOwner(packOwner(state)), state);
  });
});

describe('decideQueue', () => {
  it('lets every window be taken up again, the oldest first, and queues none of them anew', () => {
    const full = { ...worstCase(), gold: {} };
    const objects = new Map<number, ReturnType<typeof decideQueue>>();
    let state = full;
    for (let leaving = decideQueue(state, 0); leaving !== null; leaving = decideQueue(state, 0)) {
      objects.set(state.queue.next, leaving);
      state = queued(state, leaving);
    }
    const oldest = Object.keys(objects.get(0)!.silver).sort()[0];
    assert.equal(oldest, Object.keys(full.silver).sort()[0]);
    const seen = new Set(Object.keys(state.silver));
    for (;;) {
      state = { ...state, silver: {}, gold: {}, events: [] };
      const number = decideTake(state);
      if (number === null) break;
      state = takenUp(state, number, objects.get(number)!);
      assert.equal(decideQueue(state, 0), null, 'what was taken up stays');
      for (const id of Object.keys(state.silver)) seen.add(id);
    }
    assert.deepEqual([...seen].sort(), Object.keys(full.silver).sort());
    assert.equal(state.queue.windows, 0);
    assert.deepEqual(state.queue.batches, {});
  });

  it('leaves alone what is built, parked, or near now', () => {
    const many = Array.from({ length: 150 }, (_, age) => [hourBefore(age), silver] as const);
    const parked = { reason: 'r', sinceMs: 0, checks: [] };
    const state = owner({
      silver: {
        ...Object.fromEntries(many),
        [hourBefore(300)]: { ...silver, parked },
        [hourBefore(301)]: { ...silver, building: { mode: 'rebuild', sinceMs: 1 } },
      },
    });
    const limits = { ...queueLimits, windowsMax: 2, objectWindowsMax: 1_000 };
    const leaving = decideQueue(state, settings.foldHorizonMs, limits)!;
    assert.equal(Object.keys(leaving.silver).length, 150 - 4);
    assert.equal(Object.keys(leaving.silver).sort().at(-1), hourBefore(4));
  });
});

describe('takenUp', () => {
  it('is as good twice as once, also for a window that has new rows', () => {
    const id = hourBefore(99);
    const found = {
      silver: { [id]: { ...silver, pending: { 'a-0': { first: 2, through: 3 } } } },
      gold: {},
    };
    const known = { ...silver, pending: { 'a-0': { first: 7, through: 9 } } };
    const state = owner({
      silver: { [id]: known },
      queue: { ...owner().queue, next: 1, windows: 1 },
    });
    const once = takenUp(state, 0, found);
    assert.deepEqual(once.silver[id]?.pending, { 'a-0': { first: 2, through: 9 } });
    assert.equal(takenUp(once, 0, found), once);
    const again = takenUp({ ...once, queue: state.queue }, 0, found);
    assert.deepEqual(again.silver, once.silver);
  });
});

describe('noted', () => {
  it('keeps the newest events, in a bounded number of bytes', () => {
    let state = newOwner('events');
    for (let count = 0; count < 99; count += 1) {
      state = noted(state, { kind: 'paused', author: 'ops', reason: 'x'.repeat(count * 9) }, nowMs);
    }
    assert.ok(utf8Length(JSON.stringify(state.events)) < 5_100);
    assert.equal(state.events.at(-1)?.kind, 'paused');
  });
});

describe('clipped', () => {
  it('property: never takes more bytes than it may, and leaves a short text alone', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: codePoint, maxLength: 99 }),
        fc.integer({ min: 12, max: 99 }),
        (text, max) => {
          const short = clipped(text, max);
          assert.ok(jsonTextBytes(short) <= max);
          assert.equal(short === text, jsonTextBytes(text) <= max);
        },
      ),
    );
  });
});
