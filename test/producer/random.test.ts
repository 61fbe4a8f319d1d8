import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMinHeap } from '../../src/producer/min-heap.ts';
import { createRandom, createWeighted, createZipf } from '../../src/producer/random.ts';

const draws = 20_000;
const drawMany = <T>(draw: () => T): T[] => Array.from({ length: draws }, draw);

describe('createRandom', () => {
  it('draws the same for one key and something else for another', () => {
    const some = (key: string) => Array.from({ length: 5 }, createRandom(key).next);
    assert.deepEqual(some('a'), some('a'));
    assert.notDeepEqual(some('a'), some('b'));
  });

  it('draws evenly from 0 to below 1', () => {
    const drawn = drawMany(createRandom('even').next);
    assert.ok(drawn.every((value) => value >= 0 && value < 1));
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const count = drawn.filter((value) => Math.floor(value * 10) === tenth).length;
      assert.ok(Math.abs(count - draws / 10) < 200, `${count} in tenth ${tenth}`);
    }
  });

  it('draws normally with mean 0 and deviation 1', () => {
    const drawn = drawMany(createRandom('normal').normal);
    const mean = drawn.reduce((sum, value) => sum + value, 0) / draws;
    const variance = drawn.reduce((sum, value) => sum + value * value, 0) / draws;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean} ${variance}`);
  });

  it('picks every item, and each hexadecimal digit in its length', () => {
    const random = createRandom('pick');
    assert.deepEqual(new Set(drawMany(() => random.pick(['a', 'b', 'c']))), new Set('abc'));
    for (const digits of [1, 8, 13, 32]) {
      assert.match(random.hex(digits), new RegExp(`^[0-9a-f]{${digits}}$`));
    }
  });
});

describe('createWeighted', () => {
  it('draws as the weights say, and never what weighs nothing', () => {
    const random = createRandom('weights');
    const draw = createWeighted([3, 0, 1]);
    const drawn = drawMany(() => draw(random));
    assert.equal(drawn.filter((index) => index === 1).length, 0);
    const first = drawn.filter((index) => index === 0).length / draws;
    assert.ok(Math.abs(first - 0.75) < 0.02, String(first));
  });
});

describe('createZipf', () => {
  it('draws the first rank twice as often as the second, and every rank is within bounds', () => {
    const random = createRandom('zipf');
    const draw = createZipf(50, 1);
    const drawn = drawMany(() => draw(random));
    const count = (rank: number) => drawn.filter((each) => each === rank).length;
    assert.ok(Math.abs(count(0) / count(1) - 2) < 0.2, `${count(0)} and ${count(1)}`);
    assert.ok(drawn.every((rank) => rank >= 0 && rank < 50));
  });
});

describe('createMinHeap', () => {
  it('gives back what was put in, least first, whatever comes between', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant('pop' as const)));
    fc.assert(
      fc.property(steps, (all) => {
        const heap = createMinHeap<number>((left, right) => left < right);
        const model: number[] = [];
        for (const step of all) {
          if (step === 'pop') assert.equal(heap.pop(), model.shift());
          else {
            heap.push(step);
            model.push(step);
            model.sort((left, right) => left - right);
          }
          assert.equal(heap.peek(), model[0]);
          assert.equal(heap.size(), model.length);
        }
      }),
    );
  });
});
