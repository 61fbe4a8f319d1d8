import assert from 'node:assert/strict';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';

/* Pieces of memory that are used again. */

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;
const pieceMax = 256 * kibibyte;

describe('createChunkPool', () => {
  it('makes a buffer twice as large with each piece, and a first piece small', () => {
    const pool = createChunkPool(0);
    const sizes: number[] = [];
    for (let held = 0; held < 4 * mebibyte; held += sizes.at(-1)!) {
      sizes.push(pool.take(100, held).byteLength);
    }
    const doubled = [16, 16, 32, 64, 128, 256];
    assert.deepEqual(
      sizes.slice(0, 6),
      doubled.map((size) => size * kibibyte),
    );
    assert.deepEqual([...new Set(sizes.slice(5))], [pieceMax]);
  });

  it('hands out what was given back, whole, also when only its beginning was used', () => {
    const pool = createChunkPool(4 * mebibyte);
    const first = pool.take(10, mebibyte);
    pool.giveBack([first.subarray(0, 10)]);
    const second = pool.take(20, mebibyte);

    assert.equal(second.byteLength, pieceMax);
    assert.equal(second.buffer, first.buffer);
  });

  it('never hands out what is in use', () => {
    const pool = createChunkPool(4 * mebibyte);
    const taken = [pool.take(1, 0), pool.take(1, 0), pool.take(1, 0)];
    pool.giveBack(taken.slice(0, 1));

    const next = [pool.take(1, 0), pool.take(1, 0)];
    assert.equal(new Set([...taken.slice(1), ...next].map(({ buffer }) => buffer)).size, 4);
  });

  it('hands out no piece that is too small for a line', () => {
    const pool = createChunkPool(4 * mebibyte);
    pool.giveBack([pool.take(1, 0)]);

    assert.equal(pool.take(16 * kibibyte + 1, 0).byteLength, 32 * kibibyte);
  });

  it('makes a piece for a line that is larger than all, and does not keep it', () => {
    const pool = createChunkPool(4 * mebibyte);
    const large = pool.take(3 * mebibyte, 0);
    pool.giveBack([large]);

    assert.equal(large.byteLength, 3 * mebibyte);
    assert.notEqual(pool.take(3 * mebibyte, 0).buffer, large.buffer);
  });

  it('keeps no more bytes than its bound, whatever the sizes', () => {
    const pool = createChunkPool(pieceMax + 16 * kibibyte);
    const asks = [pieceMax, pieceMax, 0, 0];
    const taken = asks.map((held) => pool.take(1, held));
    pool.giveBack(taken);

    const known = new Set(taken.map(({ buffer }) => buffer));
    const again = asks.map((held) => pool.take(1, held));
    assert.deepEqual(
      again.filter(({ buffer }) => known.has(buffer)).map(({ byteLength }) => byteLength),
      [pieceMax, 16 * kibibyte],
    );
  });
});
