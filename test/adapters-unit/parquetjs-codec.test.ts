import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { createParquetjsCodec } from '../../src/adapters/parquetjs-codec.ts';
import type { Column, ColumnType } from '../../src/lake/table.ts';
import type { Row } from '../../src/ports.ts';
import { codePoint } from '../support/code-points.ts';
import { randomCases } from '../support/random-cases.ts';

const codec = createParquetjsCodec();
const column = (name: string, type: ColumnType): Column => ({ name, type, comment: '' });
const columns: readonly Column[] = [
  column('s', 'string'),
  column('i', 'int'),
  column('l', 'bigint'),
  column('d', 'double'),
  column('b', 'boolean'),
  column('day', 'date'),
  column('ts', 'timestamp'),
  column('price', 'decimal(12,2)'),
  column('total', 'decimal(18,2)'),
];

const rows: readonly Row[] = [
  {
    s: 'ünï 🥇 "quoted"',
    i: -2_147_483_648,
    l: '9223372036854775807',
    d: 0.1,
    b: true,
    day: '1969-12-31',
    ts: '1969-12-31T23:59:59.999Z',
    price: '9999999999.99',
    total: '-9999999999999999.99',
  },
  { s: null, i: null, l: null, d: null, b: null, day: null, ts: null, price: null, total: null },
  {
    s: '',
    i: 2_147_483_647,
    l: '-9223372036854775808',
    d: -1e300,
    b: false,
    day: '2026-08-21',
    ts: '2026-08-21T13:00:00.001Z',
    price: '-0.05',
    total: '0.00',
  },
];

const encode = (given: readonly Row[], metadata: Record<string, string> = {}) =>
  codec.encode({ columns, rows: given, metadata });

/** The file as DuckDB sees it: the result of a statement in which `file` is its path. */
async function askDuckdb(bytes: Uint8Array, sql: string): Promise<unknown[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-parquetjs-'));
  try {
    const path = join(folder, 'rows.parquet');
    await writeFile(path, bytes);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(sql.replaceAll('$file', `'${path}'`));
    connection.closeSync();
    instance.closeSync();
    return reader.getRowObjectsJson();
  } finally {
    await rm(folder, { recursive: true });
  }
}

const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const instants = { min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true };
const iso = fc.date(instants).map((date) => date.toISOString());
const decimal = (digits: bigint) =>
  fc.bigInt({ min: -(10n ** digits) + 1n, max: 10n ** digits - 1n }).map((units) => {
    const text = String(units < 0n ? -units : units).padStart(3, '0');
    return `${units < 0n ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`;
  });
const anyRow: fc.Arbitrary<Row> = fc.record(
  {
    s: nullable(fc.string({ unit: codePoint })),
    i: nullable(fc.integer()),
    l: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    d: nullable(fc.double({ noNaN: true })),
    b: nullable(fc.boolean()),
    day: nullable(iso.map((text) => text.slice(0, 10))),
    ts: nullable(iso),
    price: nullable(decimal(12n)),
    total: nullable(decimal(18n)),
  },
  { noNullPrototype: true },
);

describe('createParquetjsCodec', () => {
  it('gives back what it was given, to the last digit', async () => {
    assert.deepEqual(await codec.decode(await encode(rows)), rows);
  });

  it('gives back any rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { maxLength: 40 }), async (given) => {
        assert.deepEqual(await codec.decode(await encode(given)), given);
      }),
      { numRuns: randomCases(30) },
    );
  });

  it('is read by DuckDB with the types of the tables', async () => {
    const types = await askDuckdb(await encode(rows), 'DESCRIBE SELECT * FROM read_parquet($file)');
    assert.deepEqual(
      types.map((each) => (each as { column_type: string }).column_type),
      [
        'VARCHAR',
        'INTEGER',
        'BIGINT',
        'DOUBLE',
        'BOOLEAN',
        'DATE',
        'TIMESTAMP',
        'DECIMAL(12,2)',
        'DECIMAL(18,2)',
      ],
    );
  });

  it('is read by DuckDB with the same values', async () => {
    const found = await askDuckdb(await encode(rows), 'SELECT * FROM read_parquet($file)');
    const expected = [
      { ...rows[0], ts: '1969-12-31 23:59:59.999' },
      rows[1],
      { ...rows[2], ts: '2026-08-21 13:00:00.001' },
    ];
    assert.deepEqual(found, expected);
  });

  it('is filtered rightly by DuckDB, also where bigints order otherwise than their text', async () => {
    const given = ['9', '10', '100', '-5'].map((l) => ({ l, s: l }));
    const sql = "SELECT l FROM read_parquet($file) WHERE l > 9 AND s >= '10' ORDER BY l";
    assert.deepEqual(await askDuckdb(await encode(given), sql), [{ l: '10' }, { l: '100' }]);
  });

  it('is read by hyparquet with the same values', async () => {
    const file = await encode(rows);
    const buffer = Uint8Array.from(file).buffer;
    const [first, second, third] = await parquetReadObjects({ file: buffer });
    assert.ok(first !== undefined);
    assert.equal(first['s'], rows[0]?.['s']);
    assert.equal(first['l'], 9_223_372_036_854_775_807n);
    assert.equal((first['ts'] as Date).toISOString(), rows[0]?.['ts']);
    assert.ok(Object.values(second ?? {}).every((value) => value === null));
    assert.equal(third?.['price'], -0.05);
    assert.equal(third['b'], false);
  });

  it('keeps the metadata in the footer', async () => {
    const file = await encode(rows, { 'ingot.plan': 'äbc', empty: '' });
    const { key_value_metadata } = parquetMetadata(Uint8Array.from(file).buffer);
    assert.deepEqual(key_value_metadata, [
      { key: 'ingot.plan', value: 'äbc' },
      { key: 'empty', value: '' },
    ]);
  });

  it('writes a file without rows that still has its columns', async () => {
    const file = await encode([]);
    assert.deepEqual(await codec.decode(file), []);
    const found = await askDuckdb(
      file,
      'SELECT count(*) AS n, count(price) AS p FROM read_parquet($file)',
    );
    assert.deepEqual(found, [{ n: '0', p: '0' }]);
  });

  it('takes numbers for bigints and decimals, and a column that a row leaves out for null', async () => {
    const file = await encode([{ l: 7, price: 19.9, total: 3 }]);
    const nulls = { s: null, i: null, d: null, b: null, day: null, ts: null };
    assert.deepEqual(await codec.decode(file), [
      { ...nulls, l: '7', price: '19.90', total: '3.00' },
    ]);
  });

  it('turns an instant with an offset into UTC', async () => {
    const [row] = await codec.decode(await encode([{ ts: '2026-08-21T15:00:00+02:00' }]));
    assert.equal(row?.['ts'], '2026-08-21T13:00:00.000Z');
  });

  it('writes the same bytes for the same input', async () => {
    assert.deepEqual(await encode(rows, { a: 'b' }), await encode(rows, { a: 'b' }));
  });

  it('keeps 10,000 rows with irregular nulls small and readable', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      s: (i * i) % 11 < 4 ? null : `event-${i}`,
      i: i % 1_000,
      l: String(i),
      price: '9.99',
    }));
    const present = many.filter(({ s }) => s !== null);
    const file = await encode(many);
    assert.ok(file.byteLength < 400_000, `${file.byteLength} bytes`);
    const decoded = await codec.decode(file);
    assert.deepEqual(
      decoded.map(({ s, l }) => [s, l]),
      many.map(({ s, l }) => [s, l]),
    );
    const sql =
      "SELECT count(*) AS n, count(s) AS s, count_if(s = 'event-' || l) AS same, sum(price) AS p FROM read_parquet($file)";
    const expected = {
      n: '10000',
      s: `${present.length}`,
      same: `${present.length}`,
      p: '99900.00',
    };
    assert.deepEqual(await askDuckdb(file, sql), [expected]);
  });

  const mistakes: readonly (readonly [string, Row])[] = [
    ['a number for a string', { s: 1 }],
    ['a fraction for an int', { i: 1.5 }],
    ['an int past 32 bits', { i: 2_147_483_648 }],
    ['a bigint past 64 bits', { l: '9223372036854775808' }],
    ['a bigint that is no safe number', { l: 2 ** 53 }],
    ['a decimal with three digits', { price: '1.234' }],
    ['a decimal that is too large', { price: '12345678901.00' }],
    ['a date that does not exist', { day: '2026-02-30' }],
    ['an instant on a day that does not exist', { ts: '2026-02-30T13:00:00Z' }],
    ['an instant without a zone', { ts: '2026-08-21T13:00:00' }],
    ['a text for a boolean', { b: 'true' }],
    ['a value of no column', { other: 1 }],
  ];
  for (const [what, row] of mistakes) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(encode([row]), { name: 'AssertionError' });
    });
  }
});
