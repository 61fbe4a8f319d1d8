import assert from 'node:assert/strict';
import {
  type BackfillRequest,
  backfillHoursMax,
  backfillRefusal,
  backfillsOpenMax,
  dayAfter,
  estimateMs,
  newBackfill,
  rangeOf,
  totalOf,
} from '../../src/lake/backfill.ts';
import { bitOf, countOf, daysBetween, maskOf, windowsOf } from '../../src/lake/backfill-days.ts';
import { type DayFacts, type LakeBounds, planDay } from '../../src/lake/backfill-plan.ts';
import type { WindowId } from '../../src/lake/window.ts';

const nowMs = Date.UTC(2026, 7, 21, 13, 30);
const request: BackfillRequest = {
  from: '2026-08-20T10',
  to: '2026-08-21T02',
  layers: ['silver', 'gold'],
  only: 'all',
  order: 'oldest',
  id: null,
  author: 'ops',
  reason: 'the price was wrong',
};
const gold = [
  { name: 'hourly_revenue', grain: 'hour' },
  { name: 'top_products', grain: 'day' },
] as const;

describe('rangeOf', () => {
  it('takes windows at both ends, and instants as where the range begins and ends', () => {
    assert.deepEqual(rangeOf('2026-08-20', '2026-08-20'), {
      from: '2026-08-20T00',
      to: '2026-08-20T23',
    });
    assert.deepEqual(rangeOf('2026-08-20T05', '2026-08-20T05'), {
      from: '2026-08-20T05',
      to: '2026-08-20T05',
    });
    assert.deepEqual(rangeOf('2026-08-20T00:00:00Z', '2026-08-21T00:00:00.000Z'), {
      from: '2026-08-20T00',
      to: '2026-08-20T23',
    });
  });

  it('says what is wrong with an end', () => {
    assert.throws(() => rangeOf('2026-08-20T05:30:00Z', '2026-08-21'), /from is not an hour or a/);
    assert.throws(() => rangeOf('2026-08-20', 'yesterday'), /to is not an hour or a day of UTC: y/);
    assert.throws(() => rangeOf('2026-08-21', '2026-08-20'), /from is after to: 2026-08-21 … 2026/);
    assert.throws(
      () => rangeOf('2026-08-21T05:00:00Z', '2026-08-21T05:00:00Z'),
      /from is after to/,
    );
    assert.throws(() => rangeOf('2026-02-30', '2026-03-01'), /from is not/);
  });
});

describe('backfillRefusal', () => {
  it('refuses what is not over, what is too long, a known id, and more than can wait', () => {
    assert.equal(backfillRefusal([], request, nowMs), null);
    const open = { ...request, to: '2026-08-21T13' };
    assert.match(backfillRefusal([], open, nowMs)!, /2026-08-21T13 is not over/);
    const long = { ...request, from: '1990-01-01T00' };
    assert.match(backfillRefusal([], long, nowMs)!, new RegExp(`${backfillHoursMax} are allowed`));
    const known = newBackfill([], { ...request, id: 'again' }, nowMs);
    assert.match(backfillRefusal([known], { ...request, id: 'again' }, nowMs)!, /already/);
    const many = Array.from({ length: backfillsOpenMax }, () => known);
    assert.match(backfillRefusal(many, request, nowMs)!, /3 backfills wait already/);
    const over = many.map((each) => ({ ...each, ended: { kind: 'done', at: '' } as const }));
    assert.equal(backfillRefusal(over, request, nowMs), null);
  });

  it('takes two years of hours', () => {
    const years = { ...request, from: '2024-08-21T00', to: '2026-08-20T23' };
    assert.equal(backfillRefusal([], years, nowMs), null);
    assert.equal(totalOf({ ...years, layers: ['silver'] }, gold), 17_520);
  });
});

describe('newBackfill', () => {
  it('is named by when it was asked, and never as another one', () => {
    const first = newBackfill([], request, nowMs);
    assert.equal(first.id, '20260821-133000');
    assert.equal(newBackfill([first], request, nowMs).id, '20260821-133000-2');
  });

  it('begins at the end that was asked for', () => {
    assert.equal(newBackfill([], request, nowMs).next, '2026-08-20');
    const newest = newBackfill([], { ...request, order: 'newest' }, nowMs);
    assert.equal(newest.next, '2026-08-21');
    assert.equal(dayAfter(newest, '2026-08-21'), '2026-08-20');
    assert.equal(dayAfter(newest, '2026-08-20'), null);
  });

  it('goes through every day of its range once, in its order', () => {
    for (const order of ['oldest', 'newest'] as const) {
      const range = { ...request, from: '2024-02-27T23', to: '2024-03-02T00', order };
      const days: WindowId[] = [];
      let day = newBackfill([], range, nowMs).next;
      for (; day !== null; day = dayAfter(range, day)) days.push(day);
      const wanted = ['2024-02-27', '2024-02-28', '2024-02-29', '2024-03-01', '2024-03-02'];
      assert.deepEqual(days, order === 'oldest' ? wanted : wanted.toReversed());
    }
  });
});

describe('estimateMs', () => {
  it('goes on at the pace so far, and says nothing before the first window', () => {
    const begun = {
      ...newBackfill([], request, nowMs),
      startedAt: new Date(nowMs).toISOString(),
      total: 100,
    };
    assert.equal(estimateMs(begun, nowMs + 1_000), null);
    const counts = { ...begun.counts, done: 10, failed: 10 };
    assert.equal(estimateMs({ ...begun, counts }, nowMs + 20_000), 80_000);
  });
});

describe('windowsOf', () => {
  it('names the windows of the bits of a day', () => {
    const hours = ['2026-08-20T00', '2026-08-20T23'];
    assert.deepEqual(windowsOf('2026-08-20', 'hour', maskOf(hours)), hours);
    assert.equal(countOf(maskOf(hours)), 2);
    assert.deepEqual(windowsOf('2026-08-20', 'day', bitOf('2026-08-20')), ['2026-08-20']);
    assert.deepEqual(daysBetween('2026-02-28T23', '2026-03-01T00'), ['2026-02-28', '2026-03-01']);
  });
});

describe('planDay', () => {
  const day = '2026-08-20';
  const bounds: LakeBounds = {
    firstHour: `${day}T12`,
    openFrom: '2026-08-21T13',
    silverKeptFrom: null,
    goldKeptFrom: null,
  };
  const facts: DayFacts = { day, silver: 0, rows: 0, gold: {} };
  const hours = (...numbers: number[]) => numbers.reduce((mask, each) => mask | (1 << each), 0);
  const from10 = { ...request, to: `${day}T13` };

  it('leaves hours out before the first record, and builds empty ones after it', () => {
    const rows = hours(12);
    const plan = planDay({ ...from10, layers: ['silver'] }, { ...facts, rows }, { bounds, gold });
    assert.deepEqual(plan, { day, silver: hours(12, 13), gold: {}, skipped: 0, empty: 2 });
    const empty = planDay(from10, facts, { bounds: { ...bounds, firstHour: null }, gold });
    assert.deepEqual(empty, { day, silver: 0, gold: {}, skipped: 0, empty: 4 + 4 + 1 });
  });

  it('leaves windows out that exist, where only missing ones are wanted', () => {
    const known = { ...facts, silver: hours(12), rows: hours(12, 13), gold: { top_products: 1 } };
    const plan = planDay({ ...from10, only: 'missing' }, known, { bounds, gold });
    assert.deepEqual(plan, {
      day,
      silver: hours(13),
      gold: { hourly_revenue: hours(12, 13) },
      skipped: 2,
      empty: 4,
    });
  });

  it('leaves windows out that are open or past their retention', () => {
    const rows = hours(10, 11, 12, 13);
    const open = { ...bounds, openFrom: `${day}T12` };
    const plan = planDay(from10, { ...facts, rows }, { bounds: open, gold });
    assert.deepEqual(plan, {
      day,
      silver: hours(10, 11),
      gold: { hourly_revenue: hours(10, 11) },
      skipped: 5,
      empty: 0,
    });
    const gone = { ...bounds, silverKeptFrom: '2026-08-20T12:00:00.000Z' };
    const kept = planDay(from10, { ...facts, rows }, { bounds: gone, gold });
    assert.equal(kept.silver, hours(12, 13));
    assert.deepEqual(kept.gold, { hourly_revenue: hours(12, 13) });
    assert.equal(kept.skipped, 5);
  });
});
