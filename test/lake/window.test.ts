import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseInstant } from '../../src/lake/time.ts';
import {
  nextWindow,
  isWithinDates,
  overlapping,
  parseWindowId,
  windowAt,
  windowDateAndHour,
  windowOf,
  windowParameters,
} from '../../src/lake/window.ts';

const instants = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2200, 0, 1) });
const grains = fc.constantFrom('hour' as const, 'day' as const);

describe('windowAt', () => {
  it('property: the window holds the instant', () => {
    fc.assert(
      fc.property(instants, grains, (ms, grain) => {
        const window = windowAt(ms, grain);
        assert.ok(window.startMs <= ms && ms < window.endMs);
        assert.equal(window.grain, grain);
      }),
    );
  });

  it('property: windows tile a range without gap or overlap', () => {
    fc.assert(
      fc.property(instants, grains, fc.integer({ min: 1, max: 100 }), (ms, grain, count) => {
        let window = windowAt(ms, grain);
        for (let step = 0; step < count; step += 1) {
          const next = nextWindow(window);
          assert.equal(next.startMs, window.endMs);
          assert.ok(next.id > window.id, 'ids are in the order of time');
          window = next;
        }
      }),
    );
  });

  it('gives the last millisecond of an hour to it and the next one to the next', () => {
    assert.equal(windowAt(Date.UTC(2026, 7, 21, 13, 59, 59, 999), 'hour').id, '2026-08-21T13');
    assert.equal(windowAt(Date.UTC(2026, 7, 21, 14), 'hour').id, '2026-08-21T14');
  });
});

describe('parseWindowId', () => {
  it('property: parse ∘ format = id', () => {
    fc.assert(
      fc.property(instants, grains, (ms, grain) => {
        const window = windowAt(ms, grain);
        assert.deepEqual(parseWindowId(window.id), window);
      }),
    );
  });

  const refused = [
    '2026-02-30',
    '2026-02-29T10',
    '2026-13-01',
    '2026-00-10',
    '2026-08-21T24',
    '2026-08-21T1',
    '2026-08-21T13:00',
    '2026-8-21',
    '26-08-21',
    ' 2026-08-21',
    '2026-08-21\n',
    'hour',
    '',
  ];
  for (const id of refused) {
    it(`refuses ${JSON.stringify(id)}`, () => assert.equal(parseWindowId(id), null));
  }
});

describe('windowOf', () => {
  it('stops at an id that Ingot did not make', () => {
    assert.throws(() => windowOf('2026-02-30T00'), /not a window id: 2026-02-30T00/);
  });
});

describe('isWithinDates', () => {
  it('takes both dates in, and no bound for a date that is not given', () => {
    const ids = ['2026-08-20T23', '2026-08-21', '2026-08-21T00', '2026-08-21T23', '2026-08-22T00'];
    const within = (dateFrom: string | null, dateTo: string | null) =>
      ids.filter((id) => isWithinDates(id, { dateFrom, dateTo }));
    assert.deepEqual(within('2026-08-21', '2026-08-21'), ids.slice(1, 4));
    assert.deepEqual(within('2026-08-21', null), ids.slice(1));
    assert.deepEqual(within(null, '2026-08-21'), ids.slice(0, 4));
    assert.deepEqual(within(null, null), ids);
  });
});

describe('overlapping', () => {
  it('is the window itself for its own grain', () => {
    const hour = windowOf('2026-08-21T13');
    assert.deepEqual(overlapping(hour, 'hour'), [hour]);
  });

  it('is the day of an hour', () => {
    assert.deepEqual(
      overlapping(windowOf('2026-08-21T23'), 'day').map(({ id }) => id),
      ['2026-08-21'],
    );
  });

  it('property: the hours of a day tile it', () => {
    fc.assert(
      fc.property(instants, (ms) => {
        const day = windowAt(ms, 'day');
        const hours = overlapping(day, 'hour');
        assert.equal(hours.length, 24);
        assert.equal(hours[0]?.startMs, day.startMs);
        assert.equal(hours.at(-1)?.endMs, day.endMs);
        for (const hour of hours) assert.deepEqual(overlapping(hour, 'day'), [day]);
      }),
    );
  });
});

describe('windowParameters', () => {
  it('bounds an hour as SQL reads it', () => {
    assert.deepEqual(windowParameters(windowOf('2026-08-21T23')), {
      window_start: '2026-08-21 23:00:00',
      window_end: '2026-08-22 00:00:00',
    });
  });

  it('property: the end of a window is the start of the next', () => {
    fc.assert(
      fc.property(instants, grains, (ms, grain) => {
        const window = windowAt(ms, grain);
        const { window_start, window_end } = windowParameters(window);
        assert.equal(window_end, windowParameters(nextWindow(window)).window_start);
        assert.equal(parseInstant(`${window_start.replace(' ', 'T')}Z`), window.startMs);
      }),
    );
  });
});

describe('windowDateAndHour', () => {
  it('has an hour only for an hour', () => {
    assert.deepEqual(windowDateAndHour(windowOf('2026-08-21T05')), {
      date: '2026-08-21',
      hour: '05',
    });
    assert.deepEqual(windowDateAndHour(windowOf('2026-08-21')), { date: '2026-08-21', hour: null });
  });
});
