// Longer than 300 lines because one parser decides, and all that it decides is looked at in one place.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { events } from '../../src/datasets/events.ts';
import type { FieldRule } from '../../src/lake/dataset.ts';
import {
  type Placement,
  type PlacementContext,
  deadLetterReasons,
  placeRecord,
  readField,
} from '../../src/lake/placement.ts';
import type { ColumnType } from '../../src/lake/table.ts';
import { parseInstant } from '../../src/lake/time.ts';

const context: PlacementContext = {
  fields: events.fields,
  rule: events.placement,
  recordBytesMax: 1_048_576,
  ingestTimeMs: Date.UTC(2026, 7, 21, 13),
};
const good = { event_id: 'e1', timestamp: '2026-08-21T12:30:00Z' };

const placeText = (text: string) => placeRecord(Buffer.from(text), context);
const place = (record: unknown) => placeText(JSON.stringify(record));

function placed(placement: Placement): Placement & { kind: 'placed' } {
  assert.equal(placement.kind, 'placed', JSON.stringify(placement));
  return placement;
}

function reasonOf(placement: Placement): string {
  return placement.kind === 'deadLetter' ? placement.reason : placement.kind;
}

/** JSON values with the keys that the contract knows, and values of every kind under them. */
const anyRecord = fc.dictionary(
  fc.oneof(fc.constantFrom(...events.fields.map(({ wireName }) => wireName)), fc.string()),
  fc.oneof(fc.jsonValue(), fc.constant(good.timestamp), fc.constantFrom('NaN', '1e999', '')),
);

function isSound(placement: Placement): void {
  if (placement.kind === 'deadLetter') {
    assert.ok(deadLetterReasons.includes(placement.reason));
    assert.ok(placement.detail.length <= 300);
    return;
  }
  const id = placement.values.event_id;
  assert.ok(typeof id === 'string' && id !== '');
  assert.ok(placement.eventTimeMs >= Date.parse(events.placement.eventTimeMin));
  const latest = context.ingestTimeMs + events.placement.eventTimeAheadMsMax;
  assert.ok(placement.eventTimeMs <= latest);
  assert.equal(parseInstant(String(placement.values.event_ts)), placement.eventTimeMs);
  assert.deepEqual(
    Object.keys(placement.values),
    events.fields.map(({ column }) => column),
  );
  assert.equal(placement.raw !== null, placement.typeErrors.length > 0);
}

describe('placeRecord', () => {
  it('property: never throws on arbitrary bytes, and what it places has an id and a time in range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        isSound(placeRecord(bytes, context)),
      ),
    );
  });

  it('property: never throws on arbitrary JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => isSound(place(value))));
    fc.assert(fc.property(anyRecord, (record) => isSound(place({ ...good, ...record }))));
  });

  it('property: same bytes, same answer', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        assert.deepEqual(place({ ...good, ...record }), place({ ...good, ...record }));
      }),
    );
  });

  it('property: a field that the contract does not know comes back from _extra', () => {
    const unknown = fc.dictionary(
      fc.string().filter((name) => !events.fields.some(({ wireName }) => wireName === name)),
      fc.jsonValue(),
      { minKeys: 1, noNullPrototype: true },
    );
    fc.assert(
      fc.property(unknown, (fields) => {
        const { extra } = placed(place({ ...good, ...fields }));
        assert.deepEqual(JSON.parse(extra ?? 'null'), JSON.parse(JSON.stringify(fields)));
      }),
    );
  });

  describe('dead letters', () => {
    const letters: readonly (readonly [string, string | Uint8Array | null, string])[] = [
      ['a tombstone', null, 'EMPTY'],
      ['no bytes', '', 'EMPTY'],
      ['a record over the limit', `"${'x'.repeat(1_048_576)}"`, 'TOO_LARGE'],
      ['a cut UTF-8 sequence', Uint8Array.of(0x7b, 0xe2, 0x82), 'NOT_UTF8'],
      ['a surrogate in UTF-8', Uint8Array.of(0xed, 0xa0, 0x80), 'NOT_UTF8'],
      ['half an object', '{"event_id":"e1"', 'NOT_JSON'],
      ['two objects', `${JSON.stringify(good)}\n${JSON.stringify(good)}`, 'NOT_JSON'],
      ['NaN', '{"event_id":NaN}', 'NOT_JSON'],
      ['a list', '[{"event_id":"e1"}]', 'NOT_AN_OBJECT'],
      ['null', 'null', 'NOT_AN_OBJECT'],
      ['a text', '"{}"', 'NOT_AN_OBJECT'],
      ['no id', '{"timestamp":"2026-08-21T12:30:00Z"}', 'ID_MISSING'],
      ['an empty id', JSON.stringify({ ...good, event_id: '' }), 'ID_MISSING'],
      ['a numeric id', JSON.stringify({ ...good, event_id: 7 }), 'ID_MISSING'],
      [
        'an id that is no Unicode text',
        JSON.stringify({ ...good, event_id: '\ud800' }),
        'ID_MISSING',
      ],
      ['an id that is inherited only', '{"__proto__":{"event_id":"e1"}}', 'ID_MISSING'],
      ['no time', '{"event_id":"e1"}', 'TIME_MISSING'],
      ['a null time', JSON.stringify({ ...good, timestamp: null }), 'TIME_MISSING'],
      ['a time in seconds', JSON.stringify({ ...good, timestamp: 1787317200 }), 'TIME_UNPARSABLE'],
      [
        'a time without a zone',
        JSON.stringify({ ...good, timestamp: '2026-08-21T12:30:00' }),
        'TIME_UNPARSABLE',
      ],
      [
        'a day that does not exist',
        JSON.stringify({ ...good, timestamp: '2026-02-30T12:30:00Z' }),
        'TIME_UNPARSABLE',
      ],
      [
        'the last century',
        JSON.stringify({ ...good, timestamp: '1999-12-31T23:59:59.999Z' }),
        'TIME_OUT_OF_RANGE',
      ],
      [
        'more than five minutes ahead',
        JSON.stringify({ ...good, timestamp: '2026-08-21T13:05:00.001Z' }),
        'TIME_OUT_OF_RANGE',
      ],
      [
        'a year past 9999',
        JSON.stringify({ ...good, timestamp: '9999-12-31T23:59:59-23:59' }),
        'TIME_OUT_OF_RANGE',
      ],
    ];
    for (const [name, value, reason] of letters) {
      it(`${name} is ${reason}`, () => {
        const bytes = typeof value === 'string' ? Buffer.from(value) : value;
        assert.equal(reasonOf(placeRecord(bytes, context)), reason);
      });
    }

    it('name the field at fault and what was wanted', () => {
      const { timestamp: _, ...timeless } = good;
      assert.deepEqual(place({ ...timeless, timestamp: 'soon' }), {
        kind: 'deadLetter',
        reason: 'TIME_UNPARSABLE',
        field: 'timestamp',
        detail: 'wanted ISO-8601 with Z or an offset, got "soon"',
      });
    });
  });

  it('places an event time at both ends of the range', () => {
    for (const timestamp of ['2000-01-01T00:00:00Z', '2026-08-21T13:05:00Z']) {
      assert.equal(placed(place({ ...good, timestamp })).eventTimeMs, Date.parse(timestamp));
    }
  });

  it('takes a record of exactly the limit', () => {
    const bytes = Buffer.from(JSON.stringify(good));
    const at = (recordBytesMax: number) => placeRecord(bytes, { ...context, recordBytesMax });
    assert.equal(at(bytes.byteLength).kind, 'placed');
    assert.equal(reasonOf(at(bytes.byteLength - 1)), 'TOO_LARGE');
  });

  it('reads a text with a byte order mark', () => {
    assert.equal(placeText(`\ufeff${JSON.stringify(good)}`).kind, 'placed');
  });

  it('takes the last of two equal keys, as JSON.parse does', () => {
    const text = '{"event_id":"a","event_id":"b","timestamp":"2026-08-21T12:30:00Z"}';
    assert.equal(placed(placeText(text)).values.event_id, 'b');
  });

  it('keeps a field named __proto__ a field', () => {
    const { extra, values } = placed(
      placeText(`{"__proto__":{"price":1},${JSON.stringify(good).slice(1)}`),
    );
    assert.equal(extra, '{"__proto__":{"price":1}}');
    assert.equal(values.price, null);
  });

  it('reads no field from the prototype of an object', () => {
    const fields: FieldRule[] = [
      ...events.fields,
      { wireName: 'toString', column: 'to_string', type: 'string', valueAliases: {} },
    ];
    const placement = placeRecord(Buffer.from(JSON.stringify(good)), { ...context, fields });
    assert.deepEqual(
      [placed(placement).values.to_string, placed(placement).typeErrors],
      [null, []],
    );
  });

  it('keeps the whole record where a field broke its type, and nulls the field', () => {
    const record = { ...good, price: '9.99', user_id: 5, device: 'mobile' };
    const { values, typeErrors, raw } = placed(place(record));
    assert.deepEqual(typeErrors, ['user_id', 'price']);
    assert.deepEqual([values.price, values.user_id, values.device], [null, null, 'mobile']);
    assert.equal(raw, JSON.stringify(record));
  });

  for (const depth of [5_000, 400_000]) {
    it(`keeps a record whose unknown field nests ${depth} deep, with the field as broken`, () => {
      const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      const text = `${JSON.stringify({ ...good, note: 1 }).slice(0, -1)},"deep":${deep}}`;
      const { extra, typeErrors, raw } = placed(placeText(text));
      assert.deepEqual([extra, typeErrors, raw], ['{"note":1}', ['deep'], text]);
    });
  }

  it('decides about a deep field by its depth alone, not by the stack that happens to be left', () => {
    const nested = (depth: number) =>
      `{"event_id":"e1","timestamp":"2026-08-21T12:30:00Z","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    assert.deepEqual(placed(placeText(nested(200))).typeErrors, []);
    assert.deepEqual(placed(placeText(nested(201))).typeErrors, ['deep']);
  });
});

const fieldOf = (type: ColumnType, valueAliases = {}): FieldRule => ({
  wireName: 'f',
  column: 'f',
  type,
  valueAliases,
});
const typeError = { kind: 'typeError' };
const valueOf = (value: unknown) => ({ kind: 'value', value });

describe('readField', () => {
  it('reads what is absent or null as null, of any type', () => {
    for (const type of ['string', 'int', 'decimal(12,2)', 'timestamp'] as const) {
      assert.deepEqual(readField(undefined, fieldOf(type)), valueOf(null));
      assert.deepEqual(readField(null, fieldOf(type)), valueOf(null));
    }
  });

  it('translates an accepted spelling and leaves other texts alone', () => {
    const field = fieldOf('string', { view: 'page_view' });
    assert.deepEqual(readField('view', field), valueOf('page_view'));
    assert.deepEqual(readField('View', field), valueOf('View'));
    assert.deepEqual(readField('toString', field), valueOf('toString'));
  });

  it('reads a decimal as the text of its two digits', () => {
    const texts = [9.99, 0.1, 5, -0, 0.29, 9_999_999_999.99].map((value) =>
      readField(value, fieldOf('decimal(12,2)')),
    );
    const wanted = ['9.99', '0.10', '5.00', '0.00', '0.29', '9999999999.99'];
    assert.deepEqual(texts, wanted.map(valueOf));
  });

  it('refuses a decimal of three digits, of a sum of doubles, or too large', () => {
    for (const value of [9.999, 0.1 + 0.2, 1e10, -1e10, 1e21, Infinity, '9.99', true]) {
      assert.deepEqual(readField(value, fieldOf('decimal(12,2)')), typeError);
    }
  });

  it('property: a price in cents keeps its cents', () => {
    fc.assert(
      fc.property(fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }), (cents) => {
        const value = Number(`${cents}e-2`);
        const read = readField(value, fieldOf('decimal(12,2)'));
        assert.ok(read.kind === 'value');
        assert.equal(Math.round(Number(read.value) * 100), cents);
        assert.match(String(read.value), /^-?\d+\.\d\d$/);
      }),
    );
  });

  it('reads whole numbers only where they are exact', () => {
    assert.deepEqual(readField(2_147_483_647, fieldOf('int')), valueOf(2_147_483_647));
    assert.deepEqual(readField(2_147_483_648, fieldOf('int')), typeError);
    assert.deepEqual(readField(2 ** 53 - 1, fieldOf('bigint')), valueOf(2 ** 53 - 1));
    assert.deepEqual(readField(2 ** 53, fieldOf('bigint')), typeError);
    assert.deepEqual(readField(1.5, fieldOf('int')), typeError);
    assert.deepEqual(readField('1', fieldOf('int')), typeError);
  });

  it('refuses a number that JSON can write and a double cannot hold', () => {
    assert.deepEqual(readField(JSON.parse('1e999'), fieldOf('double')), typeError);
    assert.deepEqual(readField(1.5, fieldOf('double')), valueOf(1.5));
  });

  it('keeps no minus before a double of zero', () => {
    assert.deepEqual(readField(JSON.parse('-0'), fieldOf('double')), valueOf(0));
    assert.deepEqual(readField(JSON.parse('-1e-400'), fieldOf('double')), valueOf(0));
  });

  it('refuses a text that is no Unicode text', () => {
    assert.deepEqual(readField('a\udc00', fieldOf('string')), typeError);
    assert.deepEqual(readField('a\u0000😀', fieldOf('string')), valueOf('a\u0000😀'));
  });

  it('reads a timestamp into UTC', () => {
    const read = readField('2026-08-21T13:05:00+02:00', fieldOf('timestamp'));
    assert.deepEqual(read, valueOf('2026-08-21T11:05:00.000Z'));
    assert.deepEqual(readField('2026-02-30T00:00:00Z', fieldOf('timestamp')), typeError);
    assert.deepEqual(readField('9999-12-31T23:59:59-01:00', fieldOf('timestamp')), typeError);
  });

  it('reads a date that exists, and nothing else as a date', () => {
    assert.deepEqual(readField('2028-02-29', fieldOf('date')), valueOf('2028-02-29'));
    for (const text of ['2026-02-29', '2026-08-21T00:00:00Z', '21.08.2026', '']) {
      assert.deepEqual(readField(text, fieldOf('date')), typeError, text);
    }
  });
});
