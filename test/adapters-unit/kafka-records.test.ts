import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { decodeFetch, recordsBehind } from '../../src/adapters/kafka-fetch-check.ts';
import { recordOf } from '../../src/adapters/kafka-messages.ts';
import { type RecordsPart, partsOf, visibleSetOf } from '../../src/adapters/kafka-records.ts';
import type { RecordSet } from '../../src/adapters/kafka-record-sets.ts';
import { IngotError } from '../../src/errors.ts';
import type { SourceRecord } from '../../src/ports.ts';
import { codePoint } from '../support/code-points.ts';
import { randomCases } from '../support/random-cases.ts';

/* What kafkajs itself makes of the same bytes is the oracle. */

type Encoded = { readonly buffer: Buffer };
type KafkajsBatch = {
  readonly messages: KafkaMessage[];
  isEmptyDueToFiltering(): boolean;
  lastOffset(): string;
};
type Decoded = {
  readonly responses: readonly { readonly partitions: readonly { messages: unknown[] }[] }[];
};

const load = createRequire(import.meta.url);
const encodeRecord = load('kafkajs/src/protocol/recordBatch/record/v0') as (
  record: object,
) => Encoded;
const { RecordBatch: encodeBatch } = load('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};
const response = load('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode: (raw: Buffer) => Promise<Decoded>;
};
const Batch = load('kafkajs/src/consumer/batch') as new (
  topic: string,
  fetchedOffset: string,
  data: object,
) => KafkajsBatch;
const Long = load('kafkajs/src/utils/long') as { fromValue(value: string): unknown };

type TestRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, readonly Buffer[]>>;
  readonly laterMs: number;
  /** Offsets that compaction has taken before this record. */
  readonly gap: number;
};
type TestBatch = {
  readonly records: readonly TestRecord[];
  readonly compression: number;
  readonly producer: number;
  readonly transactional: boolean;
  /** Writes this marker instead of the records. */
  readonly control: 'commit' | 'abort' | null;
};

const int = (bytes: number, value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};

/** The bytes of the batches from an offset on, and the offset after them. */
async function encodeSet(batches: readonly TestBatch[], firstOffset: bigint) {
  const pieces: Buffer[] = [];
  let offset = firstOffset;
  for (const batch of batches) {
    let delta = -1;
    const plain = batch.control === null ? batch.records : [marker(batch.control)];
    const records = plain.map(({ laterMs, gap, ...record }) => {
      delta += 1 + gap;
      return encodeRecord({ ...record, timestampDelta: laterMs, offsetDelta: delta });
    });
    const { buffer } = await encodeBatch({
      compression: batch.control === null ? batch.compression : 0,
      firstOffset: Long.fromValue(String(offset)),
      firstTimestamp: 1_787_320_800_000,
      maxTimestamp: 1_787_320_900_000,
      lastOffsetDelta: delta,
      transactional: batch.transactional || batch.control !== null,
      producerId: Long.fromValue(String(batch.producer)),
      records,
    });
    if (batch.control !== null) setFlag(buffer, 0x20);
    pieces.push(buffer);
    offset += BigInt(delta + 1);
  }
  return { bytes: Buffer.concat(pieces), offsetEnd: offset };
}

function marker(kind: 'commit' | 'abort'): TestRecord {
  const key = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0]);
  return { key, value: Buffer.from([0, 0]), headers: {}, laterMs: 0, gap: 0 };
}

function setFlag(batch: Buffer, flag: number): void {
  batch.writeInt16BE(batch.readInt16BE(21) | flag, 21);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
}

type Aborted = { readonly producerId: bigint; readonly firstOffset: bigint };

function fetchResponse(records: Buffer, aborted: readonly Aborted[]): Buffer {
  return Buffer.concat([
    Buffer.alloc(10),
    int(4, 1),
    int(2, 1),
    Buffer.from('t'),
    int(4, 1),
    Buffer.alloc(4 + 2 + 8 + 8 + 8),
    int(4, aborted.length),
    ...aborted.flatMap(({ producerId, firstOffset }) => [int(8, producerId), int(8, firstOffset)]),
    int(4, -1),
    int(4, records.byteLength),
    records,
  ]);
}

/** What a consumer is given of a fetch from an offset on. */
function batchOf({ responses }: Decoded, fetchedOffset: bigint): KafkajsBatch {
  return new Batch('t', String(fetchedOffset), responses[0]!.partitions[0]!);
}

const plain = ({ offset, timestampMs, key, value, headers }: SourceRecord) => {
  const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex');
  const pairs = Object.entries(headers ?? {}).map(([name, values]) => [name, values.map(text)]);
  return [offset, timestampMs, text(key), text(value), pairs];
};

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const aBatch: fc.Arbitrary<TestBatch> = fc.record({
  records: fc.array(
    fc.record({
      key: fc.option(bytes),
      value: fc.option(bytes),
      // kafkajs takes a name like `valueOf` for a header that it has seen before.
      headers: fc.dictionary(
        fc.string({ unit: codePoint }).map((name) => `h${name}`),
        fc.array(bytes),
        {
          maxKeys: 2,
        },
      ),
      laterMs: fc.integer({ min: -1_000_000, max: 5_000_000_000 }),
      gap: fc.nat({ max: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  compression: fc.constantFrom(0, 1),
  producer: fc.nat({ max: 1 }),
  transactional: fc.boolean(),
  control: fc.constantFrom(null, null, null, 'commit' as const, 'abort' as const),
});

const decoder = { apiVersion: 11, onFault: () => assert.fail('a fault') };

async function recordsOf(parts: ReturnType<typeof recordsBehind>): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  for await (const part of parts) records.push(...part.records);
  return records;
}

describe('decodeFetch', () => {
  it('gives the records that kafkajs gives, whatever was aborted, and goes on from where it does', async () => {
    const facts = fc.record({
      batches: fc.array(aBatch, { minLength: 1, maxLength: 8 }),
      first: fc.constantFrom(0n, 41n, 2n ** 53n - 3n, 2n ** 62n),
    });
    await fc.assert(
      fc.asyncProperty(facts, async ({ batches, first }) => {
        const { bytes: records, offsetEnd } = await encodeSet(batches, first);
        const raw = fetchResponse(records, abortedOf(batches, first));
        const expected = batchOf(await response.decode(raw), first);
        const found = batchOf(
          await decodeFetch({ ...decoder, decode: response.decode }, raw),
          first,
        );
        const seen = await recordsOf(recordsBehind(found));
        assert.deepEqual(seen.map(plain), expected.messages.map(recordOf).map(plain));
        assert.equal(found.isEmptyDueToFiltering(), expected.isEmptyDueToFiltering());
        assert.equal(found.lastOffset(), String(offsetEnd - 1n));
      }),
      { numRuns: randomCases(200) },
    );
  });
});

/** The transactions that end with an abort: a producer has one at a time. */
function abortedOf(batches: readonly TestBatch[], first: bigint): readonly Aborted[] {
  const aborted: Aborted[] = [];
  const open = new Map<number, bigint>();
  let offset = first;
  for (const { records, producer, transactional, control } of batches) {
    const firstOffset = open.get(producer);
    if (control === 'abort' && firstOffset !== undefined) {
      aborted.push({ producerId: BigInt(producer), firstOffset });
    }
    if (control !== null) open.delete(producer);
    else if (transactional && firstOffset === undefined) open.set(producer, offset);
    const taken = control === null ? records.reduce((sum, { gap }) => sum + 1 + gap, 0) : 1;
    offset += BigInt(taken);
  }
  return aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
}

/** Of all parts, the offset from which each of them goes on. */
async function decoded(set: RecordSet) {
  const parts: RecordsPart[] = [];
  for await (const part of partsOf(await visibleSetOf(set))) parts.push(part);
  return parts;
}

describe('partsOf', () => {
  it('goes on, part after part, where the one before has ended, and at last behind what nobody sees', async () => {
    const batch = (records: number, control: TestBatch['control'] = null): TestBatch => ({
      records: Array.from({ length: records }, () => ({
        key: null,
        value: Buffer.from('{}'),
        headers: {},
        laterMs: 0,
        gap: 0,
      })),
      compression: 1,
      producer: 0,
      transactional: false,
      control,
    });
    const batches = [batch(600), batch(600), batch(1), batch(1_500), batch(2), batch(1, 'commit')];
    const { bytes: records } = await encodeSet(batches, 10n);
    const parts = await decoded({ ...oneBatch({ codec: 0, count: 0, records }), records });

    assert.deepEqual(
      parts.map(({ records: some, offsetNext }) => [some[0]?.offset, some.length, offsetNext]),
      [
        ['10', 1_200, 1_210n],
        ['1210', 1_501, 2_711n],
        ['2711', 2, 2_714n],
      ],
    );
  });

  it('takes a batch of more records than kafkajs can', async () => {
    const count = 200_000;
    // A length of six, no attributes, no deltas, neither key nor value, no headers.
    const records = Buffer.alloc(7 * count, Buffer.from([12, 0, 0, 0, 1, 1, 0]));
    const [part] = await decoded(oneBatch({ codec: 0, count, records }));
    assert.equal(part?.records.length, count);
  });

  for (const [codec, name] of [
    [1, 'gzip'],
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ] as const) {
    it(`names the place of a batch whose ${name} cannot be read`, async () => {
      await assertUnreadable(codec, Buffer.from('nonsense nonsense'), { codec: name });
    });
  }

  it('names the place of a batch that does not hold what it says', async () => {
    await assertUnreadable(0, Buffer.from([20, 0, 0, 0, 1, 1]), { records: 1, at: 0 });
    await assertUnreadable(0, Buffer.alloc(0), { records: 1, at: 0 });
  });
});

async function assertUnreadable(codec: number, records: Buffer, facts: object): Promise<void> {
  await assert.rejects(decoded(oneBatch({ codec, count: 1, records })), (error) => {
    assert.ok(error instanceof IngotError);
    assert.equal(error.code, 'RECORDS_UNREADABLE');
    assert.deepEqual(error.facts, { topic: 'events', partition: 4, offset: '12', ...facts });
    return true;
  });
}

function oneBatch({ codec, count, records }: { codec: number; count: number; records: Buffer }) {
  const bytes = Buffer.concat([Buffer.alloc(61), records]);
  bytes.writeBigInt64BE(12n, 0);
  bytes.writeInt32BE(bytes.byteLength - 12, 8);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(codec, 21);
  bytes.writeInt32BE(count, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return {
    topic: 'events',
    partition: 4,
    errorCode: 0,
    aborted: [],
    records: bytes,
    errorAt: 0,
    recordsAt: 0,
  };
}
