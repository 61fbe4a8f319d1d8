// Longer than 300 lines because hostile records are made and compared in one place.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import {
  type BatchContent,
  contentOfLines,
  contentOfRecords,
} from '../../src/activities/batch-content.ts';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../src/activities/line-buffer.ts';
import { createDuckdbBronzeEncoder } from '../../src/adapters/duckdb-bronze-encoder.ts';
import { createParquetjsBronzeEncoder } from '../../src/adapters/parquetjs-bronze-encoder.ts';
import { events } from '../../src/datasets/events.ts';
import { compareOffsets } from '../../src/lake/batch.ts';
import { createPlainScan } from '../../src/lake/plain-record.ts';
import type { BronzeEncoder, Row, SourceRecord } from '../../src/ports.ts';
import { codePoint } from '../support/code-points.ts';
import { firstPlan } from './support/first-plan.ts';

/*
 * The fast path hands columns of bytes to the engine, the checked path values. Here both get the same hostile
 * records, and a third reader compares what they wrote.
 */

const nowMs = Date.UTC(2026, 7, 21, 13, 30);
const plan = firstPlan({ nowMs, recordBytesMax: 2_000 });

const { placement } = events;

function linesOf(records: readonly SourceRecord[]) {
  const buffer = createLineBuffer({
    scan: createPlainScan(events.fields, placement, isUtf8),
    eventTimeAheadMsMax: placement.eventTimeAheadMsMax,
    recordBytesMax: plan.recordBytesMax,
    chunks: createChunkPool(0),
  });
  for (const record of records) buffer.add(record, nowMs);
  return buffer.take();
}

type Outcome = {
  readonly rows: readonly unknown[];
  readonly deadLetters: readonly Row[];
  readonly accepted: BigInt64Array;
};

async function outcomeOf(content: BatchContent): Promise<Outcome> {
  const { file, accepted } = await content.encode(plan, {});
  assert.deepEqual(file.facts.offsets, accepted, 'the file holds what was accepted');
  const { lacking, foreign } = compareOffsets(content.offsets, file.facts.offsets);
  assert.deepEqual(foreign, []);
  const { buffer, byteOffset, byteLength } = file.bytes;
  const slice = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  return {
    rows: await parquetReadObjects({
      file: slice,
      compressors: { GZIP: (input) => gunzipSync(input) },
    }),
    deadLetters: content.deadLetters(plan, lacking),
    accepted,
  };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const plain = {
  event_id: 'e-1',
  event_type: 'page_view',
  timestamp: '2026-08-21T13:00:00.000Z',
  user_id: 'u',
  session_id: 's',
  device: 'mobile',
};

/** Spellings of values on which readers of JSON are known to differ, or might. */
const spellings = [
  '1e2', '1.0', '-0', '-0.0', '0', '01', '+1', '.5', '1.', '9007199254740993', '9007199254740992',
  '12345678901234567890', '1e400', '-1e-400', '0.1', '0.005', '19.99', '19.990', '19.999', '1E+2',
  '99999999999.99', '9999999999.99', '2147483647', '2147483648', '-2147483648', '-2147483649',
  'true', 'false', 'null', 'NaN', 'Infinity', '[]', '[1]', '{}', '{"a":{"b":[null]}}',
  '""', '"view"', '"cart"', '"purchase"', '"constructor"', '"__proto__"', '"\\u0000"', '"\\ud800"',
  '"\\ud83d\\ude00"', '"😀"', '"é"', '"e\\u0301"', '"\\u2028"', '"a\\"b"', '"a\\\\b"', '"\\/"', '"\t"',
  '"2026-08-21T13:00:00Z"', '"2026-08-21T13:00:00.5Z"', '"2026-08-21T13:00:00.123456Z"',
  '"2026-08-21T15:00:00+02:00"', '"2026-08-21T24:00:00Z"', '"2026-02-30T00:00:00.000Z"',
  '"2024-02-29T23:59:59.999Z"', '"2023-02-29T00:00:00.000Z"', '"2026-08-21T13:60:00Z"',
  '"2026-08-21T13:35:00.000Z"', '"2026-08-21T13:35:00.001Z"', '"1999-12-31T23:59:59.999Z"',
  '"2000-01-01T00:00:00.000Z"', '"9999-12-31T23:59:59.999Z"', '"2026-08-21t13:00:00z"',
  '"2026-08-21 13:00:00Z"', '"0x10"', '1 2', ' 5 ', '"unterminated', '',
]; // prettier-ignore

const names = [
  ...events.fields.map(({ wireName }) => wireName),
  'unknown', '__proto__', 'constructor', 'EVENT_ID', 'event_id ', 'event\\u005fid', '', 'é', 'value',
  '12', '2', '-1', '1e3', ' ', 'toJSON',
]; // prettier-ignore

const spaces = fc.constantFrom('', '', '', ' ', '  ', '\n', '\t', '\r\n', '\u00a0');

const member = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom(...spellings), spaces)
  .map(([name, value, space]) => `${space}"${name}"${space}:${space}${value}`);

/** A record that would be plain, with some of its members replaced, repeated or added. */
const disturbed = fc
  .tuple(
    fc.record(plainArbitraries(), { requiredKeys: ['event_id', 'timestamp'] }),
    fc.array(member, { maxLength: 4 }),
    fc.boolean(),
    fc.constantFrom('', '', '', ' ', '\n', 'x', '\ufeff'),
  )
  .map(([base, members, isFirst, around]) => {
    const own = Object.entries(base).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
    const all = isFirst ? [...members, ...own] : [...own, ...members];
    return bytesOf(`${around}{${all.join(',')}}${around}`);
  });

function plainArbitraries() {
  return {
    event_id: fc.string({ minLength: 1, maxLength: 8, unit: codePoint }),
    event_type: fc.constantFrom('view', 'cart', 'purchase', 'search', 'other'),
    timestamp: fc
      .date({ min: new Date('2000-01-01'), max: new Date(nowMs + 600_000), noInvalidDate: true })
      .map((date) => date.toISOString()),
    product_name: fc.string({ unit: codePoint, maxLength: 10 }),
    price: fc.integer({ min: -100, max: 1e12 }).map((cents) => cents / 100),
    quantity: fc.integer(),
  };
}

const value = fc.oneof(
  { weight: 8, arbitrary: disturbed },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.json().map(bytesOf) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Uint8Array | null>(
      null,
      bytesOf(''),
      bytesOf('{'),
      bytesOf('{}'),
      bytesOf('null'),
      bytesOf(`{"event_id":"${'x'.repeat(3_000)}","timestamp":"2026-08-21T13:00:00Z"}`),
      bytesOf(`${JSON.stringify(plain).slice(0, -1)},"deep":${'['.repeat(3_000)}${']'.repeat(3_000)}}`),
      Buffer.from([...bytesOf('{"event_id":"'), 0xc3, 0x28, ...bytesOf('","timestamp":"2026-08-21T13:00:00Z"}')]),
    ), // prettier-ignore
  },
);

const headers = fc.constantFrom<SourceRecord['headers']>(
  null,
  null,
  { trace: [bytesOf('1')] },
  { value: [bytesOf('a'), bytesOf('b')], 'a"b': [] },
);

const key = fc.constantFrom<Uint8Array | null>(
  null,
  bytesOf(''),
  bytesOf('user-1'),
  bytesOf('a"b\\'),
  bytesOf('é'),
  Uint8Array.of(0xff, 0x00),
);

const batch = fc
  .array(fc.record({ value, key, headers, step: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 60,
  })
  .map((list) => {
    let offset = 0n;
    return list.map(({ step, ...record }): SourceRecord => {
      offset += BigInt(step);
      return { ...record, offset: String(offset), timestampMs: nowMs - 1_000 };
    });
  });

for (const name of ['duckdb', 'parquetjs'] as const) {
  describe(`the fast path and the checked path of ${name}`, () => {
    let cacheDirectory = '';
    let bronze: BronzeEncoder;
    before(async () => {
      cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-paths-'));
      // hyparquet reads no zstd.
      bronze =
        name === 'parquetjs'
          ? createParquetjsBronzeEncoder()
          : createDuckdbBronzeEncoder({
              cacheDirectory,
              threads: 1,
              memoryMb: 128,
              compression: 'snappy',
            });
    });
    after(() => rm(cacheDirectory, { recursive: true, force: true }));

    const both = async (records: readonly SourceRecord[]) => {
      const deps = { dataset: events, bronze };
      const fast = await outcomeOf(contentOfLines(deps, linesOf(records)));
      return { fast, checked: await outcomeOf(contentOfRecords(deps, records)) };
    };

    it('property: write the same rows, and the same dead letters, of any records', async function () {
      this.timeout(180_000);
      await fc.assert(
        fc.asyncProperty(batch, async (records) => {
          const { fast, checked } = await both(records);
          assert.deepEqual(fast, checked);
        }),
        { numRuns: 25 },
      );
    });

    it('agree on every known spelling of every field', async function () {
      this.timeout(180_000);
      const values = names.flatMap((wireName) =>
        spellings.map((spelling) => {
          const rest = Object.entries(plain).filter(([each]) => each !== wireName);
          return bytesOf(
            `${JSON.stringify(Object.fromEntries(rest)).slice(0, -1)},"${wireName}":${spelling}}`,
          );
        }),
      );
      const records = values.map((each, index) => ({
        offset: String(index),
        timestampMs: nowMs,
        key: null,
        headers: null,
        value: each,
      }));
      const { fast, checked } = await both(records);
      assert.deepEqual(fast, checked);
      // Otherwise nothing would have been compared.
      const plainRecords = records.length - linesOf(records).odd.length;
      assert.ok(plainRecords > 100, `${plainRecords} records took the fast path`);
    });

    it('agree on what comes twice, or out of order, or behind the end', async () => {
      const start = JSON.stringify(plain).slice(0, -1);
      const ends = [
        ...['"b":1,"2":2', '"b":1,"a":2', '"a":1,"a":2', '"2":1,"1":2', '"a":1,"\\u0061":2'],
        ...['"__proto__":1,"b":"x"', '"user_id":"v"', '"price":1,"a":1,"price":2', '"toJSON":1'],
        ...Array.from({ length: 2 }, (_, more) =>
          Array.from({ length: 16 + more }, (_each, index) => `"x${index}":${index}`).join(),
        ),
      ].map((members) => `,${members}}`);
      const behind = ['x', '}', ' x', '\u0000', ',"a":1}', '{}', '\n', ' '].map(
        (rest) => `}${rest}`,
      );
      const records = [...ends, ...behind, '', ',', ',"a"', ',"a":', ',"a":"'].map(
        (end, index) => ({
          ...{ offset: String(index), timestampMs: nowMs, key: null, headers: null },
          value: bytesOf(`${start}${end}`),
        }),
      );
      const { fast, checked } = await both(records);
      assert.deepEqual(fast, checked);
    });

    it('are not stopped by a time of the broker that no table has room for', async () => {
      const times = [-1, -1e15, Date.UTC(10_000, 0), nowMs * 1e3, nowMs * 1e6];
      const kinds = [plain, { ...plain, more: 1.5 }, { ...plain, timestamp: 'never' }];
      const records = times.flatMap((timestampMs, index) =>
        kinds.map((each, kind) => ({
          ...{ offset: String(10 * index + kind), timestampMs, key: null, headers: null },
          value: bytesOf(JSON.stringify(each)),
        })),
      );
      const { fast, checked } = await both(records);
      assert.deepEqual(fast, checked);
      const latest = '9999-12-31T23:59:59.999Z';
      const { _kafka_ts: inRow } = fast.rows.at(-1) as { _kafka_ts: Date };
      assert.deepEqual(
        [inRow.toISOString(), fast.deadLetters.at(-1)!['kafka_ts']],
        [latest, latest],
      );
    });

    it('take the fast path for what the producer sends', () => {
      const records = [0, 1].map((index) => ({
        offset: String(index),
        timestampMs: nowMs,
        key: bytesOf('user-1'),
        headers: null,
        value: bytesOf(JSON.stringify({ ...plain, price: 12.5, quantity: 3, location: null })),
      }));
      assert.deepEqual(linesOf(records).odd, []);
    });

    it('take the fast path for simple fields that the contract does not know', async () => {
      const value = { ...plain, ab: 'é', beta: true, build: 17, none: null };
      const records = ['1', '9007199254740993'].map((offset) => ({
        ...{ offset, timestampMs: nowMs, key: null, headers: null },
        value: bytesOf(JSON.stringify(value).replace('"beta":true', ' "beta" : true ')),
      }));
      assert.deepEqual(linesOf(records).odd, []);
      const { fast, checked } = await both(records);
      assert.deepEqual(fast, checked);
      const [row] = fast.rows as { _extra: string }[];
      assert.equal(row!._extra, '{"ab":"é","beta":true,"build":17,"none":null}');
    });
  });
}
