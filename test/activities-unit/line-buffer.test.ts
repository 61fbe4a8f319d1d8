import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../src/activities/line-buffer.ts';
import { lineOf } from '../../src/activities/record-lines.ts';
import { events } from '../../src/datasets/events.ts';
import { createPlainScan } from '../../src/lake/plain-record.ts';
import type { RecordPlace, SourceRecord } from '../../src/ports.ts';
import { randomCases } from '../support/random-cases.ts';

const value = Buffer.from('{"event_id":"é","timestamp":"2026-08-21T13:00:00Z"}');

const record = fc.record({
  offset: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.nat().map(BigInt)).map(String),
  timestampMs: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, 9, 10, 1e8 - 1, 1e8, 1e16)),
  key: fc.constantFrom(null, Buffer.from(''), Buffer.from('user-1'), Buffer.from('"')),
  value: fc.constantFrom(value, value, null, Buffer.from('{')),
  headers: fc.constant(null),
});

/** The same record, whose bytes lie among others, as in a fetch. */
function placed(given: SourceRecord): SourceRecord {
  const { offset, key, value: own } = given;
  const bytes = Buffer.concat([
    Buffer.from('{"'),
    key ?? Buffer.alloc(0),
    own ?? Buffer.alloc(0),
    value,
  ]);
  const number = Number(offset);
  const keyBytes = key?.byteLength ?? 0;
  const place: RecordPlace = {
    bytes,
    offsetNumber: Number.isSafeInteger(number) ? number : null,
    keyAt: 2,
    keyBytes: key === null ? -1 : keyBytes,
    valueAt: 2 + keyBytes,
    valueBytes: own?.byteLength ?? -1,
  };
  return { ...given, place };
}

describe('createLineBuffer', () => {
  const linesOf = (records: readonly SourceRecord[]) => {
    const buffer = createLineBuffer({
      scan: createPlainScan(events.fields, events.placement, isUtf8),
      eventTimeAheadMsMax: 0,
      recordBytesMax: 1_000,
      chunks: createChunkPool(0),
    });
    for (const each of records) buffer.add(each, Date.UTC(2026, 7, 22));
    assert.ok(buffer.held() > buffer.bytes() || records.length === 0);
    return buffer.take();
  };

  it('property: writes the lines of the raw copy, wherever the bytes of a record lie', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const wanted = Buffer.concat(records.map(lineOf)).toString();
        const offsets = BigInt64Array.from(records, ({ offset }) => BigInt(offset));
        for (const given of [records, records.map(placed)]) {
          const lines = linesOf(given);
          assert.equal(Buffer.concat(lines.chunks).toString(), wanted);
          assert.deepEqual(lines.offsets, offsets);
        }
      }),
      { numRuns: randomCases(300) },
    );
  });

  it('says what memory it holds, which is little for few records, and twice what they take at most', () => {
    const firstPieces = 2 * 16_384;
    for (const records of [1, 50, 1_000, 40_000]) {
      const buffer = createLineBuffer({
        scan: createPlainScan(events.fields, events.placement, isUtf8),
        eventTimeAheadMsMax: 0,
        recordBytesMax: 1_000,
        chunks: createChunkPool(0),
      });
      for (let offset = 0; offset < records; offset += 1) {
        const given = { offset: String(offset), timestampMs: 1, key: null, headers: null, value };
        buffer.add(given, Date.UTC(2026, 7, 22));
      }
      const held = buffer.held();
      const { chunks, places } = buffer.take();

      const memory = [...chunks, ...places.memory].map(({ buffer: { byteLength } }) => byteLength);
      assert.equal(held, sum(memory));
      const used = sum(chunks.map(({ byteLength }) => byteLength)) + 4 * places.stride * records;
      assert.ok(held <= Math.max(firstPieces, 2 * used), `${held} bytes for ${used}`);
    }
  });

  it('keeps no bytes of a fetch, when it is given all of its records', () => {
    const buffer = createLineBuffer({
      scan: createPlainScan(events.fields, events.placement, isUtf8),
      eventTimeAheadMsMax: 0,
      recordBytesMax: 1_000,
      chunks: createChunkPool(0),
    });
    const bytes = Buffer.from('key header').buffer;
    const key = new Uint8Array(bytes, 0, 3);
    const headers = { trace: [new Uint8Array(bytes, 4, 6)] };
    const given = { offset: '7', timestampMs: 1, key, value: Buffer.from(value), headers };
    buffer.addAll([given], Date.UTC(2026, 7, 22));
    const wanted = structuredClone({
      key,
      trace: headers.trace[0]!,
      value: Uint8Array.from(value),
    });
    for (const each of [key, headers.trace[0]!, given.value]) each.fill(0);

    const { last } = buffer.take();
    const { key: keptKey, value: keptValue, headers: keptHeaders } = last!;
    assert.deepEqual({ key: keptKey, trace: keptHeaders!['trace']![0], value: keptValue }, wanted);
  });

  it('finds plain records plain among other bytes', () => {
    const plain = { offset: '7', timestampMs: 1, key: null, value, headers: null };
    assert.deepEqual(linesOf([placed(plain), plain]).odd, []);
  });

  it('holds no texts of unknown fields that it does not count', () => {
    const nowMs = Date.UTC(2026, 7, 22);
    const buffer = createLineBuffer({
      scan: createPlainScan(events.fields, events.placement, isUtf8),
      eventTimeAheadMsMax: 0,
      recordBytesMax: 1_000_000,
      chunks: createChunkPool(0),
    });
    const unknown = 'x'.repeat(60_000);
    const text = { event_id: 'e', timestamp: '2026-08-21T13:00:00Z', unknown };
    const bytes = Buffer.from(JSON.stringify(text));
    buffer.add({ offset: '1', timestampMs: nowMs, key: null, headers: null, value: bytes }, nowMs);

    assert.ok(buffer.held() >= buffer.bytes() + 2 * unknown.length, `${buffer.held()} bytes`);
    const { odd, extras } = buffer.take();
    assert.deepEqual([odd.length, extras.length], [0, 1]);
    assert.equal(buffer.held(), 0);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
