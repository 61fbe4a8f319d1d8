import assert from 'node:assert/strict';
import type { Cause } from '../../src/lake/cause.ts';
import { madeFrom, versionExplained } from '../../src/lake/explain-version.ts';
import { closedHour, hour } from './support/owner-states.ts';
import { goldPointer, silverPointer } from './support/pointers.ts';

const ago = '2026-08-21T13:29:55.000Z';
const backfill = { kind: 'backfill', id: 'b17', author: 'ops', reason: 'new SQL' } as const;

describe('versionExplained', () => {
  const versionOf = (differences: Parameters<typeof silverPointer>[0]): string =>
    versionExplained(silverPointer(differences)).join('\n');

  it('tells size, time, cause, the version before, rows and score', () => {
    assert.deepEqual(versionOf({}).split('\n'), [
      'Readers see version 000003-abc: 90 rows in 1 file, built at 2026-08-21T13:05:00.000Z, by a seal build, which makes the hour whole now that it is over.',
      'It was built because its hour was over.',
      'It is number 3; the version before was 000002-aaa.',
      'Of 100 rows of bronze, 90 are in it, 7 were duplicates and 3 were rejected.',
      'Its checks have scored 98.33 of 100.',
    ]);
  });

  const causes: readonly (readonly [Cause, RegExp])[] = [
    [{ kind: 'rows' }, /because new rows had come/],
    [{ kind: 'late' }, /because rows had come after its hour was over/],
    [{ kind: 'silver' }, /because the silver that it is made from had changed/],
    [{ kind: 'due' }, /because the Schedule had called it due/],
    [backfill, /because ops has asked for it by backfill b17: "new SQL"\./],
    [{ kind: 'rewind', author: 'ops', reason: 'x' }, /because ops has rewound the bookmark: "x"\./],
    [
      { kind: 'gate', decision: 'retry', author: 'ops', reason: '' },
      /because ops has decided to retry it at its gate\./,
    ],
  ];
  for (const [cause, wanted] of causes) {
    it(`says why it was built: ${cause.kind}`, () => assert.match(versionOf({ cause }), wanted));
  }

  it('says nothing of a cause that the pointer does not know', () => {
    const { cause: _, ...old } = silverPointer();
    assert.doesNotMatch(versionExplained(old).join('\n'), /because/);
  });

  it('says who let it pass which checks, when and why', () => {
    const waived = { checks: ['totals'], author: 'ops', reason: 'counts twice', at: ago };
    assert.match(
      versionOf({ waived }),
      new RegExp(`ops let it be published at ${ago} .*\\(totals\\): "counts twice"`),
    );
  });

  it('says that it is not complete, what warns, and what the seal build swaps', () => {
    const text = versionOf({ complete: false, warnings: ['folded'], betterDuplicates: 2 });
    assert.match(text, /not complete: waiting/);
    assert.match(text, /Warning: folded\./);
    assert.match(text, /swaps 2 duplicates/);
  });

  it('says that there is none', () => {
    assert.deepEqual(versionExplained(null), ['It has no version: readers see no row of it.']);
  });
});

describe('madeFrom', () => {
  it('names the batches of each source log, and up to where each was looked at', () => {
    assert.deepEqual(madeFrom(silverPointer(), {}), [
      'a-0: batches 0–3, 7; looked at up to batch 9',
      'b-0: no batch; looked at up to batch 4',
    ]);
  });

  it('cuts a long list of batches, and says so', () => {
    const batches = Array.from({ length: 25 }, (_, index) => [index * 2, index * 2] as const);
    const pointer = silverPointer({ logs: { 'a-0': { through: 50, batches } } });
    assert.match(madeFrom(pointer, {}).join(), /36, 38, and 5 more ranges;/);
  });

  it('names the versions of silver that gold has read, and those that silver has left since', () => {
    const silverNow = { [closedHour]: '000004-def', [hour]: '000001-aaa' };
    assert.deepEqual(madeFrom(goldPointer(), silverNow), [
      'silver 2026-08-21T12: version 000003-abc; silver has 000004-def now',
      'silver 2026-08-21T13: not in it; silver has version 000001-aaa now',
    ]);
  });

  it('has nothing to name without a version', () => assert.deepEqual(madeFrom(null, {}), []));
});
