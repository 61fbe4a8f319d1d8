import assert from 'node:assert/strict';
import fc from 'fast-check';
import { foldFilesMax, planFold } from '../../src/lake/fold.ts';
import type { PointerFile } from '../../src/lake/pointer.ts';

const fileOf = (bytes: number, index: number): PointerFile => ({
  key: `f${index}`,
  partition: {},
  rows: 1,
  bytes,
});
const files = fc.array(fc.nat(1_000), { maxLength: 30 }).map((sizes) => sizes.map(fileOf));

describe('planFold', () => {
  it('keeps all files while one more fits', () => {
    const seven = [7, 6, 5, 4, 3, 2, 1].map(fileOf);
    assert.deepEqual(planFold(seven), { keep: seven, merge: [] });
  });

  it('merges the smaller half once there are eight', () => {
    const eight = [80, 10, 70, 20, 60, 30, 50, 40].map(fileOf);
    const { keep, merge } = planFold(eight);
    assert.deepEqual(
      merge.map(({ bytes }) => bytes),
      [10, 20, 30, 40],
    );
    assert.deepEqual(
      keep.map(({ bytes }) => bytes),
      [50, 60, 70, 80],
    );
  });

  it('decides by key among files of one size, so that a repeated fold decides the same', () => {
    const same = Array.from({ length: 8 }, (_, index) => fileOf(5, index));
    assert.deepEqual(planFold([...same].reverse()), planFold(same));
  });

  it('property: every file is kept or merged, once, and none that is merged is larger than a kept one', () => {
    fc.assert(
      fc.property(files, (current) => {
        const { keep, merge } = planFold(current);
        const keys = [...keep, ...merge].map(({ key }) => key).sort();
        assert.deepEqual(keys, current.map(({ key }) => key).sort());
        const largest = Math.max(0, ...merge.map(({ bytes }) => bytes));
        assert.ok(keep.every(({ bytes }) => bytes >= largest) || merge.length === 0);
      }),
    );
  });

  it(`property: any number of folds leaves at most ${foldFilesMax} files`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), (sizes) => {
        let current: readonly PointerFile[] = [];
        for (const [index, size] of sizes.entries()) {
          const { keep, merge } = planFold(current);
          const bytes = merge.reduce((sum, file) => sum + file.bytes, size);
          current = [...keep, fileOf(bytes, index)];
          assert.ok(current.length <= foldFilesMax);
        }
      }),
    );
  });
});
