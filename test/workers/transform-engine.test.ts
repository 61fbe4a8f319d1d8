import assert from 'node:assert/strict';
import { transformEngine } from '../../src/workers/wiring.ts';

describe('transformEngine', () => {
  const threads = (all: number, slots: number): number =>
    transformEngine({ DUCKDB_THREADS: all, TRANSFORM_SLOTS: slots - 1, BACKFILL_SLOTS: 1 }).threads;

  it('never has more threads than are there for the process, backfills included, unless there are more slots', () => {
    for (const [all, slots] of [
      [16, 3],
      [16, 4],
      [4, 3],
      [3, 3],
    ] as const) {
      assert.ok(threads(all, slots) * slots <= all, `${slots} slots of ${all}`);
      assert.ok((threads(all, slots) + 1) * slots > all, `${slots} slots of ${all}`);
    }
  });

  it('gives each slot a thread', () => {
    assert.equal(threads(2, 4), 1);
    assert.equal(threads(1, 64), 1);
  });
});
