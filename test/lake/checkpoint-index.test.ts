import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type IndexNode,
  type NodeName,
  childrenOf,
  childrenWanted,
  decideVisit,
  indexFanout,
  indexOf,
  indexesDue,
  isIndex,
  nodesOver,
} from '../../src/lake/checkpoint-index.ts';
import type { Checkpoint } from '../../src/lake/checkpoint.ts';

const leaves = ({ level, number }: NodeName): readonly number[] =>
  level === 0 ? [number] : childrenOf({ level, number }).flatMap(leaves);

/** A checkpoint of ten entries, with rows of one event hour. */
function checkpoint(number: number, eventHour: string): Checkpoint {
  return {
    ...{ log: 'clicks-0', number, first: number * 10, through: number * 10 + 9 },
    ingestHours: [{ hour: '2026-08-21T13', batches: [] }],
    eventHours: { [eventHour]: { batches: [], rows: [] } },
  } as unknown as Checkpoint;
}

describe('nodesOver', () => {
  it('property: covers every checkpoint once, newest first', () => {
    fc.assert(
      fc.property(fc.nat(2_000), (count) => {
        const found = nodesOver(count).flatMap((node) => leaves(node).toReversed());
        assert.deepEqual(
          found,
          Array.from({ length: count }, (_, index) => count - 1 - index),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('is a bounded number of objects, however many checkpoints there are', () => {
    // Ten years of one checkpoint each seven minutes.
    assert.ok(nodesOver(750_000).length <= 4 * indexFanout);
  });
});

describe('indexesDue', () => {
  it('property: every node that covers checkpoints has become due before', () => {
    fc.assert(
      fc.property(fc.nat(3_000), (count) => {
        const made = new Set<string>();
        for (let n = 0; n <= count; n += 1) {
          for (const { level, number } of indexesDue(n)) made.add(`${level}/${number}`);
        }
        const wanted = nodesOver(count).filter(({ level }) => level > 0);
        assert.ok(wanted.every(({ level, number }) => made.has(`${level}/${number}`)));
      }),
      { numRuns: 20 },
    );
  });
});

describe('indexOf', () => {
  const children = Array.from({ length: indexFanout }, (_, number) => {
    const node: IndexNode = checkpoint(number, number === 5 ? '2026-01-01T00' : '2026-08-21T13');
    return { node, hash: `hash ${number}` };
  });
  const index = indexOf('clicks-0', { level: 1, number: 0 }, children);

  it('knows what it covers, and which child holds rows of an hour', () => {
    assert.deepEqual([index.first, index.through], [0, 319]);
    assert.equal(index.childHashes[31], 'hash 31');
    assert.deepEqual(index.eventHours['2026-01-01T00'], [5]);
    assert.ok(isIndex(index) && !isIndex(checkpoint(0, '2026-08-21T13')));
  });

  it('leads to the children that hold rows of a window', () => {
    const wanted = { first: 0, through: 400, window: '2026-01-01T00', ingestHourFrom: null };
    assert.deepEqual(childrenWanted(index, wanted), [{ level: 0, number: 5 }]);
    assert.equal(childrenWanted(index, { ...wanted, window: null })[0]?.number, 31);
  });
});

describe('decideVisit', () => {
  const node = checkpoint(3, '2026-08-21T12');
  const wanted = { first: 0, through: 99, window: null, ingestHourFrom: null };

  it('ends the walk where everything is older than what is wanted', () => {
    assert.equal(decideVisit(node, { ...wanted, first: 40 }), 'stop');
    assert.equal(decideVisit(node, { ...wanted, ingestHourFrom: '2026-08-21T14' }), 'stop');
  });

  it('passes over what is newer, and what holds no rows of the window', () => {
    assert.equal(decideVisit(node, { ...wanted, through: 29 }), 'skip');
    assert.equal(decideVisit(node, { ...wanted, window: '2026-08-21T13' }), 'skip');
    assert.equal(decideVisit(node, { ...wanted, window: '2026-08-21T12' }), 'take');
  });
});
