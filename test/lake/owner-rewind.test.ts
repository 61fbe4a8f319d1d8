import assert from 'node:assert/strict';
import { decideBuilds } from '../../src/lake/owner-decisions.ts';
import { rewindRefusal, rewound } from '../../src/lake/owner-rewind.ts';
import { routed } from '../../src/lake/owner.ts';
import { hour, nowMs, owner, settings } from './support/owner-states.ts';

const said = { author: 'ops', reason: 'the SQL has changed' };

describe('rewindRefusal', () => {
  const cases: readonly (readonly [string, Record<string, number>, string, RegExp | null])[] = [
    ['a way back', { 'a-0': 3 }, 'why', null],
    ['the beginning', { 'a-0': -1 }, 'why', null],
    ['no reason', { 'a-0': 3 }, ' ', /needs a reason/],
    ['no log', {}, 'why', /which source log/],
    ['an unknown log', { 'b-0': 3 }, 'why', /no source log b-0; there are: a-0/],
    ['past the log', { 'a-0': 10 }, 'why', /ends at batch 9: 10 is past its end/],
    ['before the beginning', { 'a-0': -2 }, 'why', /-2 is no batch of a-0/],
    ['where it stands', { 'a-0': 9 }, 'why', /is at batch 9: 9 is no way back/],
  ];
  for (const [name, to, reason, wanted] of cases) {
    it(`${wanted === null ? 'has nothing against' : 'refuses'} ${name}`, () => {
      const refused = rewindRefusal(owner(), { to, author: 'ops', reason });
      if (wanted === null) assert.equal(refused, null);
      else assert.match(refused ?? '', wanted);
    });
  }
});

describe('rewound', () => {
  it('rebuilds, and never folds, what is routed once more, until the log is where it was', () => {
    const back = rewound(owner(), { to: { 'a-0': 5 }, ...said }, nowMs);
    assert.equal(back.logs['a-0']?.routedTo, 5);
    const touch = { window: hour, log: 'a-0', rows: 1 };
    const found = {
      through: { 'a-0': 9 },
      windows: [{ ...touch, first: 6, last: 9 }],
      batches: 4,
    };
    const after = routed(back, found, nowMs);
    assert.deepEqual(after.rewinds, {});
    const [build] = decideBuilds(after, settings, nowMs + 120_000);
    assert.equal(build?.kind === 'buildSilver' ? build.mode : null, 'rebuild');
    assert.deepEqual(build?.cause, { kind: 'rewind', ...said });
    const later = routed(
      { ...after, logs: { 'a-0': { ...after.logs['a-0']!, sealedTo: 10 } }, silver: {} },
      { through: { 'a-0': 10 }, windows: [{ ...touch, first: 10, last: 10 }], batches: 1 },
      nowMs,
    );
    assert.equal(later.silver[hour]?.asked, null);
  });

  it('says in the ledger who has rewound what, and why', () => {
    const { events } = rewound(owner(), { to: { 'a-0': 5 }, ...said }, nowMs);
    assert.deepEqual(events, [
      {
        kind: 'rewound',
        moved: { 'a-0': { from: 9, to: 5 } },
        ...said,
        at: '2026-08-21T13:30:00.000Z',
      },
    ]);
  });
});
