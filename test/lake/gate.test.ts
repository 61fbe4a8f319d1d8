import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CheckResult, decideVerdict } from '../../src/lake/gate.ts';

const passed: CheckResult = {
  check: 'silver_nulls',
  severity: 'gate',
  scored: 'null_detection',
  rows: 0,
  samples: [],
};

const results: fc.Arbitrary<CheckResult> = fc.record({
  check: fc.constantFrom('a', 'b', 'c'),
  severity: fc.constantFrom('warn', 'reject', 'gate'),
  scored: fc.option(fc.constantFrom('nulls', 'types', 'prices')),
  rows: fc.nat(3),
  samples: fc.array(fc.string(), { maxLength: 3 }),
});

describe('decideVerdict', () => {
  it('passes a build without checks, unscored', () => {
    assert.deepEqual(decideVerdict([]), {
      kind: 'passed',
      score: null,
      warnings: [],
      failures: [],
      failedChecks: [],
      waived: null,
    });
  });

  it('blocks on one row of a gate check and says which, how many, and the first reason', () => {
    const failed = { ...passed, rows: 1, samples: ['event_id is null', 'another'] };
    assert.deepEqual(decideVerdict([passed, failed]), {
      kind: 'blocked',
      score: 0,
      warnings: [],
      failures: ['silver_nulls (1 row): event_id is null'],
      failedChecks: ['silver_nulls'],
      waived: null,
    });
  });

  it('passes what a person has waived, says so, and blocks on anything else', () => {
    const waiver = {
      checks: ['nulls'],
      author: 'ops',
      reason: 'known',
      at: '2026-08-21T13:00:00.000Z',
    };
    const nulls: CheckResult = { ...passed, check: 'nulls', rows: 2 };
    const waived = decideVerdict([nulls], waiver);
    assert.deepEqual(
      [waived.kind, waived.waived, waived.warnings, waived.failedChecks],
      ['passed', waiver, ['nulls (2 rows)'], ['nulls']],
    );
    const other = decideVerdict([nulls, { ...passed, check: 'totals', rows: 1 }], waiver);
    assert.deepEqual(
      [other.kind, other.waived, other.failures, other.failedChecks],
      ['blocked', null, ['totals (1 row)'], ['nulls', 'totals']],
    );
    assert.equal(decideVerdict([passed], waiver).waived, null);
  });

  it('lets a warn check pass and keeps its note', () => {
    const warned: CheckResult = { ...passed, check: 'drift', severity: 'warn', rows: 2 };
    const verdict = decideVerdict([{ ...warned, scored: null }]);
    assert.equal(verdict.kind, 'passed');
    assert.deepEqual(verdict.warnings, ['drift (2 rows)']);
  });

  it('scores passed ÷ scored × 100, a name once, to one decimal', () => {
    const verdict = decideVerdict([
      { ...passed, scored: 'a' },
      { ...passed, scored: 'a', severity: 'warn', rows: 1 },
      { ...passed, scored: 'b' },
      { ...passed, scored: 'c' },
      { ...passed, scored: null, severity: 'warn', rows: 9 },
    ]);
    assert.equal(verdict.score, 66.7);
  });

  it('cuts a failure to 300 characters', () => {
    const [failure] = decideVerdict([{ ...passed, rows: 2, samples: ['x'.repeat(999)] }]).failures;
    assert.equal(failure?.length, 300);
  });

  it('property: blocked exactly when a gate check found a row; the score lies in 0 to 100', () => {
    fc.assert(
      fc.property(fc.array(results), (list) => {
        const verdict = decideVerdict(list);
        const found = list.some(({ severity, rows }) => severity === 'gate' && rows > 0);
        assert.equal(verdict.kind, found ? 'blocked' : 'passed');
        assert.equal(verdict.failures.length > 0, found);
        assert.equal(
          verdict.score === null,
          list.every(({ scored }) => scored === null),
        );
        assert.ok(verdict.score === null || (verdict.score >= 0 && verdict.score <= 100));
      }),
    );
  });
});
