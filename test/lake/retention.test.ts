import assert from 'node:assert/strict';
import {
  type Retention,
  type RetentionDays,
  announce,
  decideWholeBuild,
  goneBefore,
  isExpired,
  nothingAnnounced,
  removableBefore,
} from '../../src/lake/retention.ts';
import { dayMs, hourMs } from '../../src/lake/time.ts';

const forEver: RetentionDays = { silver: 0, gold: 0, bronze: 0, raw: 0, deadLetters: 0 };
const graceMs = dayMs;
const start = Date.UTC(2026, 7, 21, 3);

function announced(days: Partial<RetentionDays>, nowMs: number, known = nothingAnnounced) {
  return announce(known, { days: { ...forEver, ...days }, nowMs, graceMs });
}

describe('announce', () => {
  it('announces nothing for what is kept for ever', () => {
    assert.deepEqual(announced({}, start), nothingAnnounced);
  });

  it('counts everything before whole days as gone at once, and removes it after the grace', () => {
    const retention = announced({ bronze: 30 }, start);
    assert.equal(goneBefore(retention, 'bronze'), '2026-07-22T00:00:00.000Z');
    const removable = (nowMs: number) => removableBefore(retention, 'bronze', { nowMs, graceMs });
    assert.equal(removable(start + graceMs - 1), null);
    assert.equal(removable(start + graceMs), '2026-07-22T00:00:00.000Z');
  });

  it('removes day after day what was announced the day before, and keeps no long list', () => {
    let retention = nothingAnnounced;
    for (let day = 0; day < 10; day += 1) {
      retention = announced({ silver: 7 }, start + day * dayMs, retention);
    }
    const nowMs = start + 9 * dayMs;
    assert.equal(goneBefore(retention, 'silver'), '2026-08-23T00:00:00.000Z');
    assert.equal(
      removableBefore(retention, 'silver', { nowMs, graceMs }),
      '2026-08-22T00:00:00.000Z',
    );
    assert.equal(retention.announced.silver?.length, 2);
  });

  it('never moves a bound back: what is gone is gone, whatever the setting says now', () => {
    const short = announced({ gold: 10 }, start);
    assert.deepEqual(announced({ gold: 400 }, start + hourMs, short), short);
    assert.deepEqual(announced({}, start + hourMs, short), short);
  });
});

describe('isExpired', () => {
  it('gives windows up by whole days', () => {
    const retention = announced({ silver: 1 }, start);
    assert.equal(isExpired(retention, 'silver', '2026-08-19T23'), true);
    assert.equal(isExpired(retention, 'silver', '2026-08-20T00'), false);
    assert.equal(isExpired(retention, 'silver', '2026-08-20'), false);
    assert.equal(isExpired(retention, 'gold', '2020-01-01'), false);
  });
});

describe('decideWholeBuild', () => {
  const retention: Retention = announced({ bronze: 30 }, start);
  const gone = '2026-07-01T10:00:00.000Z';
  const there = '2026-08-01T10:00:00.000Z';
  const asked = { mode: 'rebuild', batchesAdded: 0, askedForBatches: false, retention } as const;

  it('lets a build be as it was asked for while all its batches are there', () => {
    const decided = decideWholeBuild({ ...asked, ingestTimesBefore: [there, there] });
    assert.deepEqual(decided, { kind: 'asAsked', gone: 0 });
  });

  it('refuses a rebuild that would lose the rows of batches that are gone', () => {
    const decided = decideWholeBuild({ ...asked, ingestTimesBefore: [gone, there] });
    assert.deepEqual(decided, { kind: 'refused', gone: 1 });
  });

  it('adds late batches to the version that is there instead', () => {
    const late = { ...asked, batchesAdded: 1, askedForBatches: true };
    const decided = decideWholeBuild({ ...late, ingestTimesBefore: [gone] });
    assert.deepEqual(decided, { kind: 'foldInstead', gone: 1 });
  });

  it('leaves a version as it is that has read all that the build was asked for', () => {
    const again = { ...asked, askedForBatches: true };
    const decided = decideWholeBuild({ ...again, ingestTimesBefore: [gone] });
    assert.deepEqual(decided, { kind: 'unchanged', gone: 1 });
  });

  it('never stands in the way of a fold, which reads no batch twice', () => {
    const fold = { ...asked, mode: 'fold' } as const;
    assert.equal(decideWholeBuild({ ...fold, ingestTimesBefore: [gone] }).kind, 'asAsked');
  });
});
