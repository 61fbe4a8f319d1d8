import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BatchFacts } from '../../src/lake/checkpoint.ts';
import {
  batchId,
  decideParts,
  liveTail,
  partsToMerge,
  withinReach,
} from '../../src/lake/live-tail.ts';
import type { Pointer } from '../../src/lake/pointer.ts';

const sealOf = (
  log: string,
  number: number,
  rowsPerEventHour: Record<string, number>,
): BatchFacts => ({ log, number, ingestHour: '2026-08-21T14', rowsPerEventHour });
const pointerThrough = (logs: Record<string, number>): Pick<Pointer, 'logs'> => ({
  logs: Object.fromEntries(
    Object.entries(logs).map(([log, through]) => [log, { through, batches: [] }]),
  ),
});

const hours = ['2026-08-21T12', '2026-08-21T13'];
const seals = fc.uniqueArray(
  fc.record({
    log: fc.constantFrom('a-0', 'a-1'),
    number: fc.nat(9),
    rows: fc.dictionary(fc.constantFrom(...hours), fc.nat(3)),
  }),
  { selector: ({ log, number }) => `${log}/${number}` },
);
const pointers = fc.dictionary(
  fc.constantFrom(...hours),
  fc.dictionary(fc.constantFrom('a-0', 'a-1'), fc.nat(9)),
);

describe('liveTail', () => {
  it('is every batch of a window that no version has', () => {
    const seal = sealOf('a-0', 3, { '2026-08-21T13': 4 });
    assert.deepEqual(liveTail([seal], new Map()), [
      { window: '2026-08-21T13', batches: [seal], rows: 4 },
    ]);
  });

  it('leaves out what the current version of the window has looked at', () => {
    const [old, fresh] = [2, 3].map((number) => sealOf('a-0', number, { '2026-08-21T13': 1 }));
    const known = new Map([['2026-08-21T13', pointerThrough({ 'a-0': 2 })]]);
    assert.deepEqual(liveTail([old!, fresh!], known), [
      { window: '2026-08-21T13', batches: [fresh], rows: 1 },
    ]);
  });

  it('has no window for a batch without rows of it', () => {
    assert.deepEqual(liveTail([sealOf('a-0', 1, { '2026-08-21T13': 0 })], new Map()), []);
  });

  it('property: every row of a seal is in a version or in the tail, and never in both', () => {
    fc.assert(
      fc.property(seals, pointers, (list, known) => {
        const all = list.map(({ log, number, rows }) => sealOf(log, number, rows));
        const current = new Map(
          Object.entries(known).map(([window, logs]) => [window, pointerThrough(logs)]),
        );
        const tail = liveTail(all, current);
        for (const window of hours) {
          const wanted = all
            .filter(({ log, number }) => number > (known[window]?.[log] ?? -1))
            .reduce((sum, seal) => sum + (seal.rowsPerEventHour[window] ?? 0), 0);
          const found = tail.filter((part) => part.window === window);
          assert.equal(
            found.reduce((sum, { rows }) => sum + rows, 0),
            wanted,
          );
          assert.equal(found.length, wanted > 0 ? 1 : 0);
        }
      }),
    );
  });
});

describe('withinReach', () => {
  it('shows the newest windows and says how many rows the others have', () => {
    const tails = ['2026-08-21T12', '2026-08-21T13', '2026-08-21T11'].map((window, index) => ({
      window,
      batches: [],
      rows: (index + 1) * 10,
    }));
    const { shown, rowsLeftOut } = withinReach(tails, 45);
    assert.deepEqual(
      shown.map(({ window }) => window),
      ['2026-08-21T13', '2026-08-21T12'],
    );
    assert.equal(rowsLeftOut, 30);
  });
});

describe('decideParts', () => {
  const batches = [0, 1, 2, 3].map((number) => sealOf('a-0', number, { '2026-08-21T13': 1 }));
  const partOf = (...numbers: readonly number[]) => ({
    batches: numbers.map((number) => batchId(batches[number]!)),
  });

  it('cleans what no part has', () => {
    const parts = [partOf(0), partOf(1, 2)];
    assert.deepEqual(decideParts(parts, batches), { keep: parts, drop: [], clean: [batches[3]] });
  });

  it('lets go of a part of which one batch is in a version, and cleans the others anew', () => {
    const parts = [partOf(0, 1), partOf(2)];
    assert.deepEqual(decideParts(parts, batches.slice(1)), {
      keep: [parts[1]],
      drop: [parts[0]],
      clean: [batches[1], batches[3]],
    });
  });

  it('takes a batch of the same number in a lake that was made anew for another one', () => {
    const renewed = [{ ...batches[0]!, ingestHour: '2026-08-22T01' }];
    const parts = [partOf(0)];
    assert.deepEqual(decideParts(parts, renewed), { keep: [], drop: parts, clean: renewed });
  });
});

describe('partsToMerge', () => {
  it('is nothing until there are many small parts, and leaves large ones alone', () => {
    const small = Array.from({ length: 9 }, (_, at) => ({ batches: [`a/${at}`] }));
    const large = { batches: Array.from({ length: 8 }, (_, at) => `b/${at}`) };
    assert.deepEqual(partsToMerge([large, ...small.slice(1)]), []);
    assert.deepEqual(partsToMerge([large, ...small]), small);
  });
});
