import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { decompress as unzstd } from 'fzstd';
import { parquetReadObjects } from 'hyparquet';
import { createDuckdbBronzeEncoder } from '../../src/adapters/duckdb-bronze-encoder.ts';
import { createParquetjsBronzeEncoder } from '../../src/adapters/parquetjs-bronze-encoder.ts';
import { events } from '../../src/datasets/events.ts';
import type { BronzeEncoder, Row } from '../../src/ports.ts';

/*
 * Both encoders get the same rows. A third reader finds the same values in their files, and each
 * says the same of its own file and of the other's: either may finish a plan that the other began.
 */

const { columns } = events.bronze;
const metadata = { 'ingot.plan': "it's", 'ü "k"': '{}' };

const row = (offset: string, changes: Row = {}): Row => ({
  ...Object.fromEntries(columns.map(({ name }) => [name, null])),
  event_id: `e${offset}`,
  event_ts: '2026-08-21T13:00:00.120Z',
  _ingest_ts: '2026-08-21T13:00:01.000Z',
  _partition: 1,
  _offset: offset,
  ...changes,
});

async function valuesIn(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({
    file: Uint8Array.from(bytes).buffer,
    compressors: {
      GZIP: (input) => gunzipSync(input),
      ZSTD: (input, length) => unzstd(input, new Uint8Array(length)),
    },
    // A Date would hide microseconds.
    parsers: { timestampFromMicroseconds: (micros: bigint) => micros },
  });
}

describe('bronze encoders', () => {
  let cacheDirectory: string;
  let duckdb: BronzeEncoder;
  const parquetjs = createParquetjsBronzeEncoder();

  before(async () => {
    cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-encoders-'));
    duckdb = createDuckdbBronzeEncoder({ cacheDirectory, threads: 1, memoryMb: 256 });
  });
  after(() => rm(cacheDirectory, { recursive: true, force: true }));

  async function assertSame(rows: readonly Row[]): Promise<readonly Record<string, unknown>[]> {
    const left = await duckdb.encode({ columns, rows, metadata });
    const right = await parquetjs.encode({ columns, rows, metadata });
    const values = await valuesIn(right.bytes);
    assert.deepEqual(values, await valuesIn(left.bytes));
    assert.equal(values.length, rows.length);
    assert.deepEqual(right.facts, left.facts);
    assert.deepEqual(await parquetjs.inspect(left.bytes), left.facts);
    assert.deepEqual(await duckdb.inspect(right.bytes), left.facts);
    return values;
  }

  it('have names of their own, with a version', () => {
    assert.equal(parquetjs.name, 'parquetjs-lite-0.8.7');
    assert.match(duckdb.name, /^duckdb-\d/);
  });

  it('write the same without rows', () => assertSame([]));

  it('write the same where everything is null but what each row has', () =>
    assertSame([row('0'), row('1')]));

  it('write the same at the ends of numbers and times', async () => {
    const values = await assertSame([
      row('9223372036854775807', { price: '9999999999.99', quantity: 2_147_483_647 }),
      row('9007199254740993', { price: '-0.05', quantity: -2_147_483_648 }),
      row('3', { event_ts: '2026-08-21T13:00:00.123456Z', price: '0.00' }),
      row('4', { event_ts: '1969-12-31T23:59:59.999999Z' }),
      row('5', { event_ts: '9999-12-31T23:59:59.999999Z' }),
      row('6', { event_ts: '2026-08-21T15:00:00.5Z' }),
    ]);
    assert.equal(values[0]!['_offset'], 9223372036854775807n);
    assert.equal(values[2]!['event_ts'], 1_787_317_200_123_456n);
  });

  it('property: write the same of any texts and nulls', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '\u0000',
        'a\u0000b',
        '👍🏼',
        'é\u0301',
        '\u2028',
        '"\\\n',
        '',
        "'; --",
        'NULL',
      ),
      fc.constant(null),
    );
    const rows = fc.array(
      fc.record({ user_id: hostile, _raw: hostile, page_url: hostile, _headers: hostile }),
    );
    return fc.assert(
      fc.asyncProperty(rows, async (given) => {
        await assertSame(given.map((changes, index) => row(String(index), changes)));
      }),
      { numRuns: 8 },
    );
  });

  it('write the same in the same order over several row groups, with nulls everywhere', () =>
    assertSame(
      Array.from({ length: 21_000 }, (_, index) =>
        row(String(index), {
          user_id: 'same',
          device: index % 3 === 0 ? null : 'mobile',
          price: (index * 7919) % 11 < 5 ? null : `${index % 1_000}.5`,
          event_ts: new Date(Date.UTC(2026, 7, 21) + index * 999).toISOString(),
        }),
      ),
    )).timeout(180_000);

  it('say that a file cannot be read', async () => {
    await assert.rejects(parquetjs.inspect(Buffer.from('nonsense')), { code: 'LOG_CORRUPT' });
    const { bytes } = await parquetjs.encode({ columns, rows: [row('1')], metadata });
    await assert.rejects(parquetjs.inspect(bytes.subarray(40)), { code: 'LOG_CORRUPT' });
  });

  it('are loaded when they are chosen: without the engine, ingest loads nothing of it', async () => {
    const program = fileURLToPath(new URL('fixtures/loads-an-encoder.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program]);
    assert.deepEqual(JSON.parse(stdout), [2, 'parquetjs-lite-0.8.7', false, true]);
  }).timeout(180_000);
});
