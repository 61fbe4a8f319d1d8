import assert from 'node:assert/strict';
import { createMarkerBook, percentiles } from '../../bench/support/freshness-markers.ts';

describe('createMarkerBook', () => {
  const both = { fromMs: 0, untilMs: 1_000 };

  it('counts from the moment of producing to the first sight of each stage', () => {
    const book = createMarkerBook();
    book.add([{ id: 'a', producedMs: 100 }]);
    book.saw('silver', ['a'], 350);
    book.saw('silver', ['a'], 900);
    assert.equal(book.result('silver', both, 5_000)?.p99Ms, 250);
    assert.deepEqual(book.waiting('catalog'), [{ id: 'a', producedMs: 100 }]);
    assert.deepEqual(book.waiting('silver'), []);
  });

  it('counts one that was never seen with the time that it has waited', () => {
    const book = createMarkerBook();
    book.add([
      { id: 'a', producedMs: 0 },
      { id: 'b', producedMs: 10 },
    ]);
    book.saw('gold', ['a'], 40);
    const result = book.result('gold', both, 5_010);
    assert.deepEqual(result, {
      p50Ms: 40,
      p95Ms: 5_000,
      p99Ms: 5_000,
      maxMs: 5_000,
      markers: 2,
      unseen: 1,
    });
  });

  it('leaves out what was produced before or after the range', () => {
    const book = createMarkerBook();
    book.add([
      { id: 'warm', producedMs: 99 },
      { id: 'in', producedMs: 100 },
      { id: 'after', producedMs: 200 },
    ]);
    book.saw('silver', ['warm', 'in', 'after', 'of somebody else'], 300);
    assert.equal(book.result('silver', { fromMs: 100, untilMs: 200 }, 400)?.markers, 1);
    assert.equal(book.result('silver', { fromMs: 300, untilMs: 400 }, 400), null);
  });
});

describe('percentiles', () => {
  it('answers times that were measured, by nearest rank', () => {
    const times = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.deepEqual(percentiles(times), { p50Ms: 100, p95Ms: 190, p99Ms: 198 });
    assert.deepEqual(percentiles([7]), { p50Ms: 7, p95Ms: 7, p99Ms: 7 });
  });
});
