import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { ColumnBuilder, valuesOf } from '../../src/lake/column-vectors.ts';
import type { FieldRule } from '../../src/lake/dataset.ts';
import { placeRecord } from '../../src/lake/placement.ts';
import { absent, createPlainScan } from '../../src/lake/plain-record.ts';
import type { ColumnType } from '../../src/lake/table.ts';
import { randomCases } from '../support/random-cases.ts';
import { codePoint } from '../support/code-points.ts';

const types: readonly ColumnType[] = [
  'string', 'int', 'bigint', 'double', 'boolean', 'timestamp', 'decimal(12,2)', 'decimal(18,2)', 'date',
]; // prettier-ignore

const rule = {
  idField: 'id',
  timeField: 'at',
  eventTimeMin: '2000-01-01T00:00:00.000Z',
  eventTimeAheadMsMax: 0,
};

const fieldsOf = (type: ColumnType): readonly FieldRule[] => [
  { wireName: 'id', column: 'id', type: 'string', valueAliases: {} },
  { wireName: 'at', column: 'at', type: 'timestamp', valueAliases: {} },
  {
    wireName: 'v',
    column: 'v',
    type,
    valueAliases: type === 'string' ? { view: 'page_view' } : {},
  },
];

/** The value of `v` that the bytes of a plain record become in a column; `null` for other records. */
function fromBytes(type: ColumnType, record: Uint8Array) {
  const fields = fieldsOf(type);
  const { scan, places } = createPlainScan(fields, rule, isUtf8);
  // Among other bytes, as records lie in a fetch.
  const bytes = Buffer.concat([Buffer.from('{"v":1}'), record, Buffer.from('  ,"v":2}')]);
  if (Number.isNaN(scan(bytes, 7, 7 + record.byteLength))) return null;
  const builder = new ColumnBuilder(type, { rowsMax: 2, aliases: fields[2]!.valueAliases });
  const place = places[2]!;
  if (place === absent) builder.addNull();
  else builder.addPlain(bytes, 7 + (place >>> 16), place & 0xffff);
  return { value: valuesOf(builder.vector())[0] ?? null };
}

/** What placeRecord understands of it, once more through a column. */
function fromPlacement(type: ColumnType, record: Uint8Array) {
  const fields = fieldsOf(type);
  const context = { fields, rule, recordBytesMax: 1e6, ingestTimeMs: Date.UTC(2100, 0) };
  const placed = placeRecord(record, context);
  assert.ok(placed.kind === 'placed' && placed.typeErrors.length === 0, JSON.stringify(placed));
  const builder = new ColumnBuilder(type, { rowsMax: 2 });
  builder.addValue(placed.values['v'] ?? null);
  const [value = null] = valuesOf(builder.vector());
  return { value, placed: placed.values['v'] ?? null };
}

const record = (spelling: string): Uint8Array =>
  Buffer.from(`{"id":"e","at":"2026-08-21T13:00:00Z","v":${spelling}}`);

describe('ColumnBuilder', () => {
  const digits = fc.array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: 16 });
  const number = fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.constantFrom('', '', 'e1'))
    .map(([sign, whole, part, exponent]) => {
      return `${sign}${whole.join('')}${part === null ? '' : `.${part.join('')}`}${exponent}`;
    });
  const time = fc
    .date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => JSON.stringify(date));
  const others = fc.constantFrom('true', 'false', 'null', '"view"', '""', '"2026-08-21T13:00:00Z"');
  const text = fc.string({ unit: codePoint, maxLength: 60 }).map((each) => JSON.stringify(each));
  const spelling = fc.oneof(number, time, others, text);

  for (const type of types) {
    it(`property: makes of the bytes of a plain ${type} what placeRecord makes of them`, () => {
      const tried = randomCases(3_000);
      let seen = 0;
      fc.assert(
        fc.property(spelling, (each) => {
          const bytes = fromBytes(type, record(each));
          if (bytes === null) return;
          seen += 1;
          assert.deepEqual(bytes.value, fromPlacement(type, record(each)).value);
        }),
        { numRuns: tried },
      );
      // Few cases prove less: of dates, one spelling in forty is plain.
      assert.ok(tried < 3_000 || seen > 50, `${seen} spellings were plain`);
    });
  }

  it('gives values back as placeRecord has them', () => {
    const cases: readonly (readonly [ColumnType, string, unknown])[] = [
      ['string', '"a\\"é"', 'a"é'],
      ['int', '-2147483647', -2_147_483_647],
      ['bigint', '-9007199254740991', -9_007_199_254_740_991],
      ['double', '1.1e-300', 1.1e-300],
      ['boolean', 'true', true],
      ['timestamp', '"0100-01-01T00:00:00.001Z"', '0100-01-01T00:00:00.001Z'],
      ['timestamp', '"9999-12-31T23:59:59.999Z"', '9999-12-31T23:59:59.999Z'],
      ['decimal(12,2)', '-9999999999.99', '-9999999999.99'],
      ['decimal(18,2)', '9999999999999.99', '9999999999999.99'],
      ['decimal(18,2)', '-0.05', '-0.05'],
      ['date', '"2024-02-29"', '2024-02-29'],
    ];
    for (const [type, spelled, wanted] of cases) {
      const { value, placed } = fromPlacement(type, record(spelled));
      assert.deepEqual([value, placed], [wanted, wanted]);
    }
  });

  it('keeps whole numbers beyond 2^53, and what was there before it grows', () => {
    const builder = new ColumnBuilder('bigint', { rowsMax: 2_000 });
    const wanted = Array.from({ length: 2_000 }, (_, row) => (row % 3 === 0 ? null : row - 1_000));
    for (const value of wanted) builder.addValue(value);
    assert.deepEqual(valuesOf(builder.vector()), wanted);
    builder.clear();
    builder.addValue('9223372036854775807');
    builder.addValue('-9223372036854775808');
    assert.deepEqual(valuesOf(builder.vector()), ['9223372036854775807', '-9223372036854775808']);
  });
});
