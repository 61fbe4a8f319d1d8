import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadConfig } from '../../src/config.ts';
import type { BatchFacts } from '../../src/lake/checkpoint.ts';
import { routeOf, touchesMax, wildPortionMax, wildPortionOf } from '../../src/lake/route.ts';
import { hourMs } from '../../src/lake/time.ts';
import {
  batchWindowsMaxDefault,
  wildRowsLeft,
  wildWindows,
  withoutWild,
} from '../../src/lake/wild-times.ts';
import { type WindowId, windowAt } from '../../src/lake/window.ts';
import { hour, nowMs } from './support/owner-states.ts';

const hourBefore = (hours: number): WindowId => windowAt(nowMs - hours * hourMs, 'hour').id;

/** A batch with one row of each of the hours that lie so far before the one of its ingest. */
function batch(log: string, number: number, ages: readonly number[]): BatchFacts {
  const rows = ages.map((age) => [hourBefore(age), 1] as const);
  return { log, number, ingestHour: hour, rowsPerEventHour: Object.fromEntries(rows) };
}

const upTo = (count: number, step = 1): readonly number[] =>
  Array.from({ length: count }, (_, index) => index * step);

describe('wildWindows', () => {
  it('are those beyond the configured number also where nobody says which that is', () => {
    assert.equal(loadConfig({}).BATCH_WINDOWS_MAX, batchWindowsMaxDefault);
  });

  it('are those farthest from the ingest of a batch, and none where it touches few', () => {
    assert.deepEqual(wildWindows(batch('a-0', 0, upTo(100)), 100), []);
    assert.deepEqual(wildWindows(batch('a-0', 0, [0, 1, 500, -2, 400]), 3), [
      hourBefore(400),
      hourBefore(500),
    ]);
  });

  it('property: with what is left they are the batch, and what is left is the nearest', () => {
    const ages = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 40 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 1, max: 30 }), (touched, windowsMax) => {
        const facts = batch('a-0', 0, touched);
        const wild = wildWindows(facts, windowsMax);
        const left = Object.keys(withoutWild(facts, windowsMax).rowsPerEventHour);
        assert.equal(left.length, Math.min(windowsMax, touched.length));
        assert.deepEqual([...left, ...wild].sort(), touched.map(hourBefore).sort());
        const away = (ids: readonly string[]) =>
          ids.map((id) => Math.abs(Date.parse(`${id}:00:00.000Z`) - Date.parse(`${hour}:00:00Z`)));
        assert.ok(Math.max(0, ...away(left)) <= Math.min(Infinity, ...away(wild)));
      }),
    );
  });
});

describe('routeOf', () => {
  it('tells how much of a batch with ten thousand hours is held, in a few bytes', () => {
    const { routed } = routeOf(
      [batch('a-0', 7, upTo(10_000))],
      [{ log: 'a-0', first: 7, through: 7 }],
      100,
    );
    assert.equal(routed.windows.length, 100);
    assert.deepEqual(routed.wild, [
      {
        ...{ log: 'a-0', first: 7, last: 7, windows: 9_900, rows: 9_900, windowsMax: 100 },
        hours: { from: hourBefore(9_999), to: hourBefore(100) },
      },
    ]);
    assert.ok(JSON.stringify(routed).length < 12_000);
  });

  it('says nothing of wild event times where there are none', () => {
    const { routed } = routeOf([batch('a-0', 0, [0])], [{ log: 'a-0', first: 0, through: 3 }], 100);
    assert.equal('wild' in routed, false);
    assert.deepEqual(routed.through, { 'a-0': 3 });
  });

  it('property: look after look, every batch is routed once, and no answer is long', () => {
    const some = fc.array(
      fc.tuple(fc.constantFrom('a-0', 'a-1', 'a-2'), fc.nat(250), fc.integer({ min: 1, max: 9 })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, (list) => {
        const batches = ['a-0', 'a-1', 'a-2'].flatMap((log) =>
          list
            .filter(([of]) => of === log)
            .map(([, count, step], number) => batch(log, number, upTo(count, step))),
        );
        const end = (log: string) => batches.filter((each) => each.log === log).length - 1;
        const at: Record<string, number> = { 'a-0': -1, 'a-1': -1, 'a-2': -1 };
        const seen: string[] = [];
        let rows = 0;
        for (let looks = 0; looks < 30; looks += 1) {
          const ranges = Object.entries(at)
            .filter(([log, through]) => through < end(log))
            .map(([log, through]) => ({ log, first: through + 1, through: end(log) }));
          if (ranges.length === 0) break;
          const wanted = batches.filter(({ log, number }) => number > at[log]!);
          const { routed, taken } = routeOf(wanted, ranges, 150);
          assert.ok(routed.windows.length <= touchesMax, `${routed.windows.length} windows`);
          seen.push(...taken.map(({ log, number }) => `${log}/${number}`));
          rows += routed.windows.reduce((sum, each) => sum + each.rows, 0);
          rows += (routed.wild ?? []).reduce((sum, each) => sum + each.rows, 0);
          Object.assign(at, routed.through);
        }
        assert.deepEqual(seen.sort(), batches.map((each) => `${each.log}/${each.number}`).sort());
        const all = batches.flatMap(({ rowsPerEventHour }) => Object.values(rowsPerEventHour));
        assert.equal(
          rows,
          all.reduce((sum, each) => sum + each, 0),
        );
      }),
    );
  });
});

describe('wildPortionOf', () => {
  const batches = [batch('a-0', 0, upTo(60, 3)), batch('a-0', 1, upTo(60, 5))];
  const all = { heldFrom: 10, windowsMax: Infinity };

  it('comes to every held window once, portion after portion', () => {
    const found: string[] = [];
    for (let after: string | null | undefined; after !== null;) {
      const portion = wildPortionOf(batches, { ...all, after: after ?? null });
      assert.ok(portion.windows.length <= wildPortionMax);
      found.push(...portion.windows.map(({ window }) => window));
      after = portion.after;
    }
    const held = batches.flatMap((each) => wildWindows(each, 10));
    assert.deepEqual(found, [...new Set(held)].sort());
  });

  it('lets go up to a limit that was raised, and tells what is beyond it', () => {
    const portion = wildPortionOf(batches, { heldFrom: 10, windowsMax: 15, after: null });
    const within = batches.flatMap((each) => wildWindows(each, 10).slice(0, 5));
    assert.deepEqual(
      portion.windows.map(({ window }) => window),
      [...new Set(within)].sort(),
    );
    assert.equal(portion.wild[0]?.windows, 2 * (60 - 15));
    assert.equal(portion.wild[0].windowsMax, 15);
  });
});

describe('wildRowsLeft', () => {
  it('counts the held rows that no version has', () => {
    const facts = [batch('a-0', 0, upTo(12))];
    const isIn = (window: string) => window === hourBefore(11);
    assert.equal(wildRowsLeft(facts, 10, isIn), 1);
    assert.equal(wildRowsLeft(facts, 12, isIn), 0);
  });
});
