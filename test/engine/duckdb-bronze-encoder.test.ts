import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { createDuckdbBronzeEncoder } from '../../src/adapters/duckdb-bronze-encoder.ts';
import { createParquetjsCodec } from '../../src/adapters/parquetjs-codec.ts';
import { events } from '../../src/datasets/events.ts';
import type { Column } from '../../src/lake/table.ts';
import type { BronzeEncoder, Row } from '../../src/ports.ts';
import { randomCases } from '../support/random-cases.ts';
import { anyText } from './support/any-text.ts';

const { columns } = events.bronze;

const column = (name: string): Column => ({ name, type: 'string', comment: '' });

/** A bronze row in the types in which ingest hands it over. */
const row = (offset: string, changes: Row = {}): Row => ({
  ...Object.fromEntries(columns.map(({ name }) => [name, null])),
  event_id: `e${offset}`,
  event_ts: '2026-08-21T13:00:00.120Z',
  _ingest_ts: '2026-08-21T13:00:01.000Z',
  _topic: 'ecommerce-events',
  _partition: 1,
  _offset: offset,
  ...changes,
});

/** hyparquet brings no zstd, so the bytes that it reads back are compressed with Snappy. */
async function readWithHyparquet(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
}

describe('createDuckdbBronzeEncoder', () => {
  let cacheDirectory: string;
  let encoder: BronzeEncoder;
  let snappy: BronzeEncoder;

  before(async () => {
    cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-bronze-'));
    const options = { cacheDirectory, threads: 1, memoryMb: 256 };
    encoder = createDuckdbBronzeEncoder(options);
    snappy = createDuckdbBronzeEncoder({ ...options, compression: 'snappy' });
  });

  after(() => rm(cacheDirectory, { recursive: true, force: true }));

  const encode = async (rows: readonly Row[], metadata: Record<string, string> = {}) =>
    (await encoder.encode({ columns, rows, metadata })).bytes;

  it('is named by its version', () => {
    assert.equal(encoder.name, 'duckdb-1.5.6');
  });

  it('tells of its own file what a seal needs', async () => {
    const rows = [
      row('9007199254740994', { event_ts: '2026-08-21T14:00:00.000Z' }),
      row('9007199254740993'),
      row('7', { event_ts: '2026-08-20T23:59:59.999Z' }),
      row('8'),
    ];
    assert.deepEqual(await encoder.inspect(await encode(rows, { plan: "it's", 'ü "k"': '{}' })), {
      rows: 4,
      offsets: BigInt64Array.of(7n, 8n, 9007199254740993n, 9007199254740994n),
      rowsPerEventHour: { '2026-08-20T23': 1, '2026-08-21T13': 2, '2026-08-21T14': 1 },
      eventTimeMin: '2026-08-20T23:59:59.999Z',
      eventTimeMax: '2026-08-21T14:00:00.000Z',
      metadata: { plan: "it's", 'ü "k"': '{}' },
    });
  });

  it('writes a file also without rows', async () => {
    assert.deepEqual(await encoder.inspect(await encode([], { plan: 'p' })), {
      rows: 0,
      offsets: new BigInt64Array(),
      rowsPerEventHour: {},
      eventTimeMin: null,
      eventTimeMax: null,
      metadata: { plan: 'p' },
    });
  });

  it('keeps values exact, as a third reader sees them', async () => {
    const rows = [
      row('9223372036854775807', { price: '9999999999.99', quantity: 2_147_483_647 }),
      row('0', { price: '0.10', location: '', _type_errors: 'price' }),
    ];
    const { bytes } = await snappy.encode({ columns, rows, metadata: {} });
    const [first, second] = await readWithHyparquet(bytes);
    assert.deepEqual(
      Object.keys(first!),
      columns.map(({ name }) => name),
    );
    assert.equal(first!['_offset'], 9223372036854775807n);
    assert.equal(first!['quantity'], 2_147_483_647);
    assert.equal(first!['price'], 9999999999.99);
    assert.deepEqual(first!['event_ts'], new Date('2026-08-21T13:00:00.120Z'));
    assert.equal(first!['location'], null);
    assert.equal(second!['price'], 0.1);
    assert.equal(second!['location'], '');
    assert.equal(second!['_type_errors'], 'price');
  });

  it('property: keeps any text and its place, as a third reader sees them', () => {
    const texts = [...columns, column('a'), column('b')];
    return fc.assert(
      fc.asyncProperty(fc.array(fc.record({ a: anyText, b: anyText })), async (given) => {
        const rows = given.map((each, index) => ({ ...row(String(index)), ...each }));
        const { bytes } = await snappy.encode({ columns: texts, rows, metadata: {} });
        const read = await readWithHyparquet(bytes);
        assert.deepEqual(
          read.map(({ a, b }) => [a, b]),
          rows.map(({ a, b }) => [withoutMark(a), withoutMark(b)]),
        );
      }),
      { numRuns: randomCases(20) },
    );
  });

  it('keeps a leading byte order mark in the file', async () => {
    const { bytes } = await snappy.encode({
      columns,
      rows: [row('1', { _raw: '\ufeffa' })],
      metadata: {},
    });
    assert.ok(Buffer.from(bytes).includes(Buffer.from('\ufeffa')));
  });

  it('keeps the order of many rows, among them columns of one value', async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) =>
      row(String(5_000 - index), { user_id: 'same', device: index < 4_999 ? 'mobile' : 'tablet' }),
    );
    const read = await readWithHyparquet(
      (await snappy.encode({ columns, rows, metadata: {} })).bytes,
    );
    assert.deepEqual(
      read.map((found) => [String(found['_offset']), found['user_id'], found['device']]),
      rows.map((given) => [given['_offset'], given['user_id'], given['device']]),
    );
  });

  it('compresses with zstd', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => row(String(index)));
    const bytes = await encode(rows);
    await assert.rejects(readWithHyparquet(bytes), /ZSTD/);
  });

  it('reads a file of another encoder', async () => {
    const narrow: Column[] = columns.filter(({ name }) => ['_offset', 'event_ts'].includes(name));
    const rows = [row('5'), row('3', { event_ts: '2026-08-21T12:59:59.999Z' })].map(
      ({ _offset, event_ts }) => ({ _offset: _offset!, event_ts: event_ts! }),
    );
    const codec = createParquetjsCodec();
    const bytes = await codec.encode({ columns: narrow, rows, metadata: { plan: 'p' } });
    const facts = await encoder.inspect(bytes);
    assert.equal(facts.rows, 2);
    assert.deepEqual(facts.offsets, BigInt64Array.of(3n, 5n));
    assert.deepEqual(facts.rowsPerEventHour, { '2026-08-21T12': 1, '2026-08-21T13': 1 });
    assert.equal(facts.eventTimeMin, '2026-08-21T12:59:59.999Z');
    assert.equal(facts.metadata['plan'], 'p');
  });

  it('fails for bytes that are no Parquet, and leaves no files behind', async () => {
    await assert.rejects(encoder.inspect(Buffer.from('nonsense')), { code: 'SQL_FAILED' });
    assert.deepEqual(await readdir(join(cacheDirectory, 'scratch')), []);
  });

  it('encodes several batches at the same time', async () => {
    const batches = await Promise.all(['1', '2', '3'].map((offset) => encode([row(offset)])));
    const facts = await Promise.all(batches.map((bytes) => encoder.inspect(bytes)));
    assert.deepEqual(
      facts.map(({ offsets }) => offsets),
      [1n, 2n, 3n].map((offset) => BigInt64Array.of(offset)),
    );
  });

  it('regression: two encoders of one cache never overwrite what the other one spills', async () => {
    const small = { cacheDirectory, threads: 1, memoryMb: 64 };
    const both = [createDuckdbBronzeEncoder(small), createDuckdbBronzeEncoder(small)];
    const rows = largeRows(4_000, 4_000);
    const files = await Promise.all(
      both.map((each) => each.encode({ columns, rows, metadata: {} })),
    );
    assert.deepEqual(
      files.map(({ facts }) => facts.rows),
      [4_000, 4_000],
    );
  });

  it('regression: a few large records never stop a log because the engine lacks memory', async () => {
    const small = createDuckdbBronzeEncoder({ cacheDirectory, threads: 1, memoryMb: 32 });
    const { facts } = await small.encode({ columns, rows: largeRows(24, 1e6), metadata: {} });
    assert.equal(facts.rows, 24);
  });

  it('regression: an encoder never keeps one database, which forgets no file, for all its batches', async () => {
    const create = mock.method(DuckDBInstance, 'create');
    try {
      const fresh = createDuckdbBronzeEncoder({ cacheDirectory, threads: 1, memoryMb: 256 });
      const bytes = await encode([row('1')]);
      const before = create.mock.callCount();
      for (let batch = 1; batch <= 501; batch += 1) await fresh.inspect(bytes);
      assert.equal(create.mock.callCount() - before, 2);
    } finally {
      create.mock.restore();
    }
  }).timeout(120_000);
});

/** Rows that no compression makes smaller than half. */
function largeRows(count: number, bytes: number): readonly Row[] {
  return Array.from({ length: count }, (_, number) =>
    row(String(number), { page_url: randomBytes(bytes / 2).toString('hex') }),
  );
}

/** hyparquet takes U+FEFF at the start of a text for a byte order mark. */
function withoutMark(text: string | null): string | null {
  return text?.replace(/^\ufeff/, '') ?? null;
}
