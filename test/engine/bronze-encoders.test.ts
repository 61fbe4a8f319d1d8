import assert from 'node:assert/strict';
import fc from 'fast-check';
import { randomCases } from '../support/random-cases.ts';
import {
  type EncoderPair,
  columns,
  metadata,
  openEncoderPair,
  row,
} from './support/encoder-pair.ts';
import { anyText } from './support/any-text.ts';

describe('bronze encoders', () => {
  let encoders: EncoderPair;
  before(async () => {
    encoders = await openEncoderPair();
  });
  after(() => encoders.remove());

  const assertSame: EncoderPair['assertSame'] = (rows) => encoders.assertSame(rows);

  it('have names of their own, with a version', () => {
    assert.equal(encoders.parquetjs.name, 'parquetjs-lite-0.8.7');
    assert.match(encoders.duckdb.name, /^duckdb-\d/);
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
    const rows = fc.array(
      fc.record({ user_id: anyText, _raw: anyText, page_url: anyText, _headers: anyText }),
    );
    return fc.assert(
      fc.asyncProperty(rows, async (given) => {
        await assertSame(given.map((changes, index) => row(String(index), changes)));
      }),
      { numRuns: randomCases(8) },
    );
  });

  it('say that a file cannot be read', async () => {
    const { parquetjs } = encoders;
    await assert.rejects(parquetjs.inspect(Buffer.from('nonsense')), { code: 'LOG_CORRUPT' });
    const { bytes } = await parquetjs.encode({ columns, rows: [row('1')], metadata });
    await assert.rejects(parquetjs.inspect(bytes.subarray(40)), { code: 'LOG_CORRUPT' });
  });
});
