import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eventContract } from '../../src/datasets/events.ts';
import {
  dayMs,
  formatInstant,
  formatSqlTimestamp,
  hasFourDigitYear,
  hourMs,
  parseInstant,
  startOfDay,
  startOfHour,
} from '../../src/lake/time.ts';
import { randomCases } from '../support/random-cases.ts';

/** Every millisecond that four digits of a year can say, but for the first century. */
const instants = fc.integer({
  min: Date.UTC(100, 0, 1),
  max: Date.UTC(9999, 11, 31, 23, 59, 59, 999),
});

const zones = fc
  .record({ sign: fc.constantFrom('+', '-'), hours: fc.nat(23), minutes: fc.nat(59) })
  .map(({ sign, hours, minutes }) => {
    const text = [hours, minutes].map((part) => String(part).padStart(2, '0')).join(':');
    return {
      text: `${sign}${text}`,
      ms: (sign === '-' ? -60_000 : 60_000) * (hours * 60 + minutes),
    };
  });

describe('parseInstant', () => {
  it('property: parse ∘ format = id', () => {
    fc.assert(fc.property(instants, (ms) => parseInstant(formatInstant(ms)) === ms));
  });

  it('property: an offset moves the instant by its hours and minutes', () => {
    fc.assert(
      fc.property(instants, zones, (ms, zone) => {
        const local = formatInstant(ms).replace('Z', zone.text);
        assert.equal(parseInstant(local), ms - zone.ms);
      }),
    );
  });

  it('property: accepts exactly what the contract of a dataset does', () => {
    const two = fc.constantFrom(
      '00',
      '01',
      '02',
      '12',
      '23',
      '24',
      '28',
      '29',
      '30',
      '31',
      '59',
      '60',
    );
    const parts = [
      fc.constantFrom('1999', '2026', '2028', '2100', '9999', '202', '20260'),
      fc.constant('-'),
      two,
      fc.constantFrom('-', '-', '-', ''),
      two,
      fc.constantFrom('T', 'T', 'T', 'T', ' ', 't', ''),
      two,
      fc.constantFrom(':', ':', ':', ''),
      two,
      fc.tuple(fc.constantFrom(':', ':', ':', ''), two).map((pair) => pair.join('')),
      fc.constantFrom('', '', '.', '.5', '.123', ',5', '.0123456789'),
      fc.constantFrom(
        'Z',
        'z',
        '',
        '+02:00',
        '-00:00',
        '+0200',
        '+02',
        '+24:00',
        '-23:59',
        '+01:60',
      ),
      fc.constantFrom('', '', '', ' ', '\n'),
    ];
    const texts = fc.tuple(...parts).map((chosen) => chosen.join(''));
    const { timestamp } = eventContract.shape;
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(parseInstant(text) !== null, timestamp.safeParse(text).success, text);
      }),
      { numRuns: randomCases(1_000) },
    );
  });

  it('property: what it accepts of any text is an instant that can be written', () => {
    const near = fc.stringMatching(
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/,
    );
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const ms = parseInstant(text);
        assert.ok(ms === null || formatInstant(ms).endsWith('Z'));
      }),
    );
  });

  it('cuts off digits beyond milliseconds', () => {
    assert.equal(
      parseInstant('2026-08-21T13:05:07.12345678901Z'),
      Date.UTC(2026, 7, 21, 13, 5, 7, 123),
    );
  });

  it('reads one digit of a second as a tenth of it', () => {
    assert.equal(parseInstant('2026-08-21T13:05:07.5Z'), Date.UTC(2026, 7, 21, 13, 5, 7, 500));
  });

  for (const text of ['2028-02-29T00:00:00Z', '2000-02-29T23:59:59Z']) {
    it(`accepts the leap day ${text}`, () => {
      assert.equal(parseInstant(text), Date.parse(text));
    });
  }

  const refused = {
    'a 30 February': '2026-02-30T00:00:00Z',
    'a 29 February of a common year': '2026-02-29T00:00:00Z',
    'a 29 February of a year like 1900': '2100-02-29T00:00:00Z',
    'a 31 April': '2026-04-31T00:00:00Z',
    'a 32 January': '2026-01-32T00:00:00Z',
    'a day 00': '2026-01-00T00:00:00Z',
    'a month 13': '2026-13-01T00:00:00Z',
    'a month 00': '2026-00-01T00:00:00Z',
    'a year before 100, which Date.UTC takes for 19xx': '0099-01-01T00:00:00Z',
    'an hour 24': '2026-08-21T24:00:00Z',
    'a minute 60': '2026-08-21T13:60:00Z',
    'a leap second': '2026-06-30T23:59:60Z',
    'an offset of 24 hours': '2026-08-21T13:00:00+24:00',
    'an offset of 60 minutes': '2026-08-21T13:00:00+01:60',
    'no zone': '2026-08-21T13:00:00',
    'a date alone': '2026-08-21',
    'a number of seconds': '1787317200',
    'a space in front': ' 2026-08-21T13:00:00Z',
    'a line break behind': '2026-08-21T13:00:00Z\n',
    'a dot without digits': '2026-08-21T13:00:00.Z',
    'a space for the T': '2026-08-21 13:00:00Z',
    'an offset without a colon': '2026-08-21T13:00:00+0200',
    'an offset of hours alone': '2026-08-21T13:00:00+02',
    'no seconds': '2026-08-21T13:00Z',
    'digits of another script': '٢٠٢٦-08-21T13:00:00Z',
    'a small z': '2026-08-21T13:00:00z',
    nothing: '',
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`refuses ${name}`, () => assert.equal(parseInstant(text), null));
  }
});

describe('hasFourDigitYear', () => {
  const edges = [Date.UTC(100, 0, 1), Date.UTC(10_000, 0, 1)].flatMap((ms) => [ms - 1, ms]);

  it('property: is true of exactly the instants that are read as they are written', () => {
    const any = fc.oneof(
      fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
      fc.constantFrom(...edges),
    );
    fc.assert(
      fc.property(any, (ms) => {
        assert.equal(hasFourDigitYear(ms), parseInstant(formatInstant(ms)) === ms);
      }),
    );
  });
});

describe('formatSqlTimestamp', () => {
  it('writes milliseconds only if there are any', () => {
    const second = Date.UTC(2026, 7, 21, 13, 5, 7);
    assert.equal(formatSqlTimestamp(second), '2026-08-21 13:05:07');
    assert.equal(formatSqlTimestamp(second + 20), '2026-08-21 13:05:07.020');
  });

  it('property: it reads back as the same instant', () => {
    fc.assert(
      fc.property(
        instants,
        (ms) => parseInstant(`${formatSqlTimestamp(ms).replace(' ', 'T')}Z`) === ms,
      ),
    );
  });
});

describe('startOfHour and startOfDay', () => {
  it('property: the start is at or before the instant, by less than the length, on a full unit', () => {
    fc.assert(
      fc.property(instants, (ms) => {
        for (const [start, length] of [
          [startOfHour(ms), hourMs],
          [startOfDay(ms), dayMs],
        ] as const) {
          assert.ok(start <= ms && ms - start < length);
          assert.equal(Math.abs(start % length), 0);
        }
      }),
    );
  });

  it('goes down also before 1970', () => {
    assert.equal(formatInstant(startOfHour(-1)), '1969-12-31T23:00:00.000Z');
    assert.equal(formatInstant(startOfDay(-1)), '1969-12-31T00:00:00.000Z');
  });
});
