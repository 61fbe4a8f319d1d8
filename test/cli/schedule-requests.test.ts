import assert from 'node:assert/strict';
import { checkedHour, noteOf } from '../../src/workers/schedule-requests.ts';

const nowMs = Date.UTC(2026, 7, 21, 13, 30);

describe('checkedHour', () => {
  it('takes an hour that is over, by default the last one', () => {
    assert.equal(checkedHour(undefined, nowMs), '2026-08-21T12');
    assert.equal(checkedHour(undefined, Date.UTC(2026, 7, 21, 13)), '2026-08-21T12');
    assert.equal(checkedHour('2026-08-21T12', nowMs), '2026-08-21T12');
    assert.equal(checkedHour('1969-12-31T23', nowMs), '1969-12-31T23');
  });

  it('refuses an hour that is not over, and says when it is', () => {
    assert.throws(() => checkedHour('2026-08-21T13', nowMs), {
      code: 'INPUT_INVALID',
      message: /2026-08-21T13 is not over before 2026-08-21T14:00:00.000Z/,
    });
  });

  for (const nonsense of ['', '2026-08-21', '2026-08-21T24', '2026-02-30T01', '13', 'noon']) {
    it(`refuses "${nonsense}", and says how an hour is written`, () => {
      assert.throws(() => checkedHour(nonsense, nowMs), {
        code: 'INPUT_INVALID',
        message: /is no hour; one is written in UTC, as 2026-08-21T13/,
      });
    });
  }
});

describe('noteOf', () => {
  const said = { author: 'ops', reason: 'moved', atMs: nowMs };

  it('says who, when and why', () => {
    assert.equal(noteOf('resume', said), 'resumed by ops at 2026-08-21T13:30:00.000Z: moved');
  });

  it('refuses a reason that is empty or longer than 300 bytes', () => {
    assert.throws(() => noteOf('pause', { ...said, reason: ' \n' }), /--reason is empty/);
    assert.throws(() => noteOf('pause', { ...said, reason: 'ö'.repeat(151) }), /has 302 bytes/);
    assert.ok(noteOf('pause', { ...said, reason: 'ö'.repeat(150) }));
  });
});
