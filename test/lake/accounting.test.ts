import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Accounting,
  addAccounting,
  noRows,
  unexplainedRecords,
  unexplainedRows,
} from '../../src/lake/accounting.ts';

const counts = fc.nat(1_000_000);
const accountings: fc.Arbitrary<Accounting> = fc.record({
  bronze: counts,
  silver: counts,
  duplicates: counts,
  rejected: counts,
});

describe('unexplainedRows', () => {
  it('is 0 when bronze = silver + duplicates + rejected', () => {
    assert.equal(unexplainedRows({ bronze: 10, silver: 6, duplicates: 3, rejected: 1 }), 0);
    assert.equal(unexplainedRows(noRows), 0);
  });

  it('is positive for rows that were lost and negative for rows that came from nowhere', () => {
    assert.equal(unexplainedRows({ bronze: 10, silver: 5, duplicates: 3, rejected: 1 }), 1);
    assert.equal(unexplainedRows({ bronze: 10, silver: 7, duplicates: 3, rejected: 1 }), -1);
  });

  it('property: what is unexplained of two windows adds up', () => {
    fc.assert(
      fc.property(accountings, accountings, (a, b) => {
        const sum = unexplainedRows(addAccounting(a, b));
        assert.equal(sum, unexplainedRows(a) + unexplainedRows(b));
      }),
    );
  });
});

describe('unexplainedRecords', () => {
  it('is 0 when consumed = bronze + dead letters', () => {
    assert.equal(unexplainedRecords({ consumed: 10, bronze: 9, deadLetters: 1 }), 0);
    assert.equal(unexplainedRecords({ consumed: 10, bronze: 9, deadLetters: 0 }), 1);
  });
});
