import assert from 'node:assert/strict';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';

/* Pieces of memory that are used again. */

const mebibyte = 1_048_576;

describe('createChunkPool', () => {
  it('hands out what was given back, whole, also when only its beginning was used', () => {
    const pool = createChunkPool(4 * mebibyte);
    const first = pool.take(10);
    pool.giveBack([first.subarray(0, 10)]);
    const second = pool.take(20);

    assert.equal(second.byteLength, mebibyte);
    assert.equal(second.buffer, first.buffer);
  });

  it('never hands out what is in use', () => {
    const pool = createChunkPool(4 * mebibyte);
    const taken = [pool.take(1), pool.take(1), pool.take(1)];
    pool.giveBack(taken.slice(0, 1));

    const next = [pool.take(1), pool.take(1)];
    assert.equal(new Set([...taken.slice(1), ...next].map(({ buffer }) => buffer)).size, 4);
  });

  it('makes a piece for a line that is larger than all, and does not keep it', () => {
    const pool = createChunkPool(4 * mebibyte);
    const large = pool.take(3 * mebibyte);
    pool.giveBack([large]);

    assert.equal(large.byteLength, 3 * mebibyte);
    assert.notEqual(pool.take(3 * mebibyte).buffer, large.buffer);
    assert.equal(pool.take(1).byteLength, mebibyte);
  });

  it('keeps no more than its bound', () => {
    const pool = createChunkPool(2 * mebibyte);
    const taken = [pool.take(1), pool.take(1), pool.take(1)];
    pool.giveBack(taken);

    const known = new Set(taken.map(({ buffer }) => buffer));
    const again = [pool.take(1), pool.take(1), pool.take(1)];
    assert.equal(again.filter(({ buffer }) => known.has(buffer)).length, 2);
  });
});
