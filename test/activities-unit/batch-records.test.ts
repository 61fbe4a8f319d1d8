import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  bronzeRows,
  compressRaw,
  deadLetterRows,
  decodeRaw,
  encodeRaw,
  placeRecords,
} from '../../src/activities/batch-records.ts';
import { events } from '../../src/datasets/events.ts';
import type { PlanEntry } from '../../src/lake/source-log.ts';
import type { SourceRecord } from '../../src/ports.ts';
import { codePoint } from '../support/code-points.ts';
import {
  createIngestBed,
  ingestAll,
  produce,
  readLog,
  recordsOf,
  writerDeps,
} from './support/ingest-bed.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((value) => Uint8Array.from(value)),
  fc.string({ unit: codePoint }).map((text) => new TextEncoder().encode(text)),
  fc
    .constantFrom('\ufeffx', 'a\u2028b\nc\r\n', '\u0000')
    .map((text) => new TextEncoder().encode(text)),
);
const records: fc.Arbitrary<SourceRecord> = fc.record(
  {
    offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
    timestampMs: fc.nat(),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.option(
      fc.dictionary(fc.string(), fc.array(bytes, { maxLength: 2 }), { noNullPrototype: true }),
    ),
  },
  { noNullPrototype: true },
);

async function plannedBatch(): Promise<{ plan: PlanEntry; records: readonly SourceRecord[] }> {
  const bed = createIngestBed();
  await produce(bed, 10);
  await ingestAll(bed, writerDeps(bed, 'one'), 10);
  const plan = (await readLog(bed.objects)).entries[1] as PlanEntry;
  return { plan, records: await recordsOf(bed, '0', '10') };
}

describe('encodeRaw and decodeRaw', () => {
  it('property: any record comes back to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(records, { maxLength: 5 }), async (list) => {
        assert.deepEqual(await decodeRaw(await encodeRaw(list)), list);
      }),
    );
  });

  it('compresses pieces of any size to one content', async () => {
    const sizes = [0, 10, 700_000, 400_000, 2_000_000, 5, 1_048_576, 1];
    const pieces = sizes.map((size, index) => Buffer.alloc(size, `piece ${index}`));
    for (const some of [[], pieces.slice(0, 1), pieces]) {
      assert.ok(gunzipSync(await compressRaw(some)).equals(Buffer.concat(some)));
    }
  });

  it('gives equal bytes for equal records, so that a repeated write is the same', async () => {
    const { records: list } = await plannedBatch();
    assert.deepEqual(await encodeRaw(list), await encodeRaw(list));
  });
});

describe('placeRecords', () => {
  it('goes by the plan: its time, and its limit of a record', async () => {
    const { plan, records: list } = await plannedBatch();
    const reasons = (differences: Partial<PlanEntry>) =>
      placeRecords(events, { ...plan, ...differences }, list).flatMap(({ placement }) =>
        placement.kind === 'deadLetter' ? [placement.reason] : [],
      );
    assert.deepEqual(reasons({}), ['NOT_JSON', 'NOT_JSON']);
    const before = reasons({ ingestTime: '2026-08-21T13:00:00.000Z' });
    assert.equal(before.filter((reason) => reason === 'TIME_OUT_OF_RANGE').length, 3);
    assert.ok(reasons({ recordBytesMax: 20 }).every((reason) => reason !== 'NOT_AN_OBJECT'));
    assert.equal(reasons({ recordBytesMax: 20 }).length, 10);
  });
});

describe('bronzeRows', () => {
  it('says where each row came from', async () => {
    const { plan, records: list } = await plannedBatch();
    const [row] = bronzeRows(events, plan, placeRecords(events, plan, list));
    assert.equal(row?._offset, '0');
    assert.equal(row?._batch_id, 'clicks-0-000000000001');
    assert.deepEqual([row?._topic, row?._partition, row?._key], ['clicks', 0, 'k']);
    assert.deepEqual([row?._source, row?._family, row?._headers], ['kafka', 'B', null]);
  });

  it('has exactly the columns of bronze', async () => {
    const { plan, records: list } = await plannedBatch();
    const rows = bronzeRows(events, plan, placeRecords(events, plan, list));
    const names = events.bronze.columns.map(({ name }) => name).sort();
    for (const row of rows) assert.deepEqual(Object.keys(row).sort(), names);
  });
});

describe('deadLetterRows', () => {
  it('keeps the bytes of a record exactly, with the reason', async () => {
    const { plan, records: list } = await plannedBatch();
    const odd = [{ ...list[0]!, value: Uint8Array.of(0xff, 0x00, 0x7b), key: Uint8Array.of(0xfe) }];
    const [letter] = deadLetterRows(plan, placeRecords(events, plan, odd), new Set(['0']));
    assert.equal(letter?.reason, 'NOT_UTF8');
    assert.deepEqual(Buffer.from(String(letter?.value), 'base64'), Buffer.from([0xff, 0x00, 0x7b]));
    assert.deepEqual(Buffer.from(String(letter?.key), 'base64'), Buffer.from([0xfe]));
  });

  it('keeps a tombstone as one', async () => {
    const { plan, records: list } = await plannedBatch();
    const tombstone = [{ ...list[0]!, value: null }];
    const [letter] = deadLetterRows(plan, placeRecords(events, plan, tombstone), new Set(['0']));
    assert.deepEqual([letter?.reason, letter?.value], ['EMPTY', null]);
  });
});
