import type { RecordPlace, SourceRecord } from '../ports.ts';
import { type RecordBatch, batchesOf, unreadable } from './kafka-batches.ts';
import { codecNames, decompressRecords } from './kafka-codecs.ts';
import type { AbortedTransaction, RecordSet } from './kafka-record-sets.ts';

/*
 * The records of a fetch, straight from its bytes. kafkajs makes a dozen objects of each record and
 * counts in strings; this makes one, which knows where its bytes lie
 * (docs/decisions/0009-records-decoded-here.md).
 */

/** What a reader of committed records may see of a record set. */
export type VisibleSet = {
  /** Not decompressed yet. */
  readonly batches: readonly RecordBatch[];
  /** Of the last batch, visible or not; `null` when there is no whole batch. */
  readonly lastOffset: bigint | null;
};

/** Throws `RECORDS_UNREADABLE` with the place of what is damaged. */
export async function visibleSetOf(set: RecordSet): Promise<VisibleSet> {
  const batches: RecordBatch[] = [];
  const aborted = createAborted(set.aborted);
  let lastOffset: bigint | null = null;
  for (const batch of batchesOf(set)) {
    const isAborted = await aborted(batch);
    if (!isAborted && !batch.isControl && batch.count > 0) batches.push(batch);
    lastOffset = batch.lastOffset;
  }
  return { batches, lastOffset };
}

/** Some records that follow each other, and the offset from which to go on. */
export type RecordsPart = {
  readonly records: readonly SourceRecord[];
  readonly offsetNext: bigint;
};

/** Few batches hold more, and those of slow producers hold a few records each. */
const partRecordsMin = 1_000;

/**
 * The records of a set, some batches at a time: what was made of a whole fetch at once would live
 * until the end of it, and be dear to collect. Throws `RECORDS_UNREADABLE` where it cannot go on.
 */
export async function* partsOf({ batches, lastOffset }: VisibleSet): AsyncGenerator<RecordsPart> {
  let records: SourceRecord[] = [];
  for (const [index, batch] of batches.entries()) {
    addRecords(records, batch, await unpack(batch));
    const isLast = index === batches.length - 1;
    if (records.length < partRecordsMin && !isLast) continue;
    // Behind the last batch there may be some that nobody sees.
    const { lastOffset: last } = isLast ? { lastOffset: lastOffset ?? batch.lastOffset } : batch;
    yield { records, offsetNext: last + 1n };
    records = [];
  }
}

async function unpack(batch: RecordBatch): Promise<Buffer> {
  try {
    return await decompressRecords(batch.codec, batch.records);
  } catch (cause) {
    const facts = { codec: codecNames[batch.codec] ?? batch.codec };
    throw unreadable(batch, 'a record batch cannot be decompressed', facts, cause);
  }
}

/**
 * Whether a batch belongs to an aborted transaction. The broker lists those that touch the fetched
 * range; each ends with a control batch of its producer. Asked batch after batch, in order.
 */
function createAborted(
  transactions: readonly AbortedTransaction[],
): (batch: RecordBatch) => Promise<boolean> {
  const waiting = transactions.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  return async (batch) => {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset) {
      open.add(waiting.shift()!.producerId);
    }
    if (batch.isControl && (await isAbortMarker(batch))) open.delete(batch.producerId);
    return batch.isTransactional && open.has(batch.producerId);
  };
}

/** The key of a control record is its version and its type, 16 bits each; type 0 is an abort. */
async function isAbortMarker(batch: RecordBatch): Promise<boolean> {
  const [record] = recordsOf(batch, await unpack(batch));
  const key = record?.key ?? null;
  return key !== null && key.byteLength >= 4 && key[2] === 0 && key[3] === 0;
}

function recordsOf(batch: RecordBatch, bytes: Buffer): readonly SourceRecord[] {
  const records: SourceRecord[] = [];
  addRecords(records, batch, bytes);
  return records;
}

/** Adds the records of one batch; `bytes` are unpacked, and stay alive as long as the records. */
function addRecords(records: SourceRecord[], batch: RecordBatch, bytes: Buffer): void {
  const reader = new Reader(bytes);
  const isSafe = batch.lastOffset <= BigInt(Number.MAX_SAFE_INTEGER);
  const source = { batch, bytes, firstOffset: isSafe ? Number(batch.offset) : null };
  for (let number = 0; number < batch.count; number += 1) {
    const length = reader.varint();
    const end = reader.at + length;
    reader.at += 1; // The attributes of a record are not in use.
    const timestampDelta = reader.varint();
    const offsetDelta = reader.varint();
    const keyBytes = reader.varint();
    const keyAt = reader.at;
    if (keyBytes > 0) reader.at += keyBytes;
    const valueBytes = reader.varint();
    const valueAt = reader.at;
    if (valueBytes > 0) reader.at += valueBytes;
    const headers = readHeaders(reader);
    if (reader.at !== end || end > bytes.byteLength) {
      throw unreadable(batch, 'a record batch does not hold what it says', {
        records: batch.count,
        at: number,
      });
    }
    const places = { timestampDelta, offsetDelta, keyAt, keyBytes, valueAt, valueBytes };
    records.push(new FetchedRecord(source, places, headers));
  }
}

type RecordSource = {
  readonly batch: RecordBatch;
  readonly bytes: Buffer;
  /** `null` where the offsets of the batch pass 2^53. */
  readonly firstOffset: number | null;
};

type RecordPlaces = {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly keyAt: number;
  readonly keyBytes: number;
  readonly valueAt: number;
  readonly valueBytes: number;
};

/**
 * A record that makes its key and value when it is asked for them. Thousands wait in a fetch, and
 * views of bytes are large objects: made at once, they would outlive many a collection of garbage.
 */
class FetchedRecord implements SourceRecord, RecordPlace {
  readonly headers: SourceRecord['headers'];
  private readonly source: RecordSource;
  private readonly timestampDelta: number;
  private readonly offsetDelta: number;
  readonly keyAt: number;
  readonly keyBytes: number;
  readonly valueAt: number;
  readonly valueBytes: number;

  constructor(source: RecordSource, places: RecordPlaces, headers: SourceRecord['headers']) {
    this.source = source;
    this.headers = headers;
    this.timestampDelta = places.timestampDelta;
    this.offsetDelta = places.offsetDelta;
    this.keyAt = places.keyAt;
    this.keyBytes = places.keyBytes;
    this.valueAt = places.valueAt;
    this.valueBytes = places.valueBytes;
  }

  /** Itself, so that it costs nothing. */
  get place(): RecordPlace {
    return this;
  }

  get bytes(): Uint8Array {
    return this.source.bytes;
  }

  get offsetNumber(): number | null {
    const { firstOffset } = this.source;
    return firstOffset === null ? null : firstOffset + this.offsetDelta;
  }

  get offset(): string {
    return String(this.offsetNumber ?? this.source.batch.offset + BigInt(this.offsetDelta));
  }

  get timestampMs(): number {
    const { appendTimestampMs, firstTimestampMs } = this.source.batch;
    return appendTimestampMs ?? firstTimestampMs + this.timestampDelta;
  }

  get key(): Uint8Array | null {
    return this.keyBytes < 0 ? null : this.view(this.keyAt, this.keyBytes);
  }

  get value(): Uint8Array | null {
    return this.valueBytes < 0 ? null : this.view(this.valueAt, this.valueBytes);
  }

  private view(at: number, bytes: number): Uint8Array {
    return this.source.bytes.subarray(at, at + bytes);
  }
}

function readHeaders(reader: Reader): SourceRecord['headers'] {
  const count = reader.varint();
  if (!(count > 0)) return null;
  const headers = new Map<string, Uint8Array[]>();
  for (let number = 0; number < count && !reader.isOver(); number += 1) {
    const name = reader.text();
    // A header without a value and one with no bytes are the same to us.
    const value = reader.bytes();
    const known = headers.get(name);
    if (known === undefined) headers.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries(headers);
}

/** Reads the numbers of Kafka's records: zigzag, seven bits a byte. Past the end they are `NaN`. */
class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isOver(): boolean {
    return !(this.at < this.#bytes.byteLength);
  }

  varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    // In floating point, because the difference of two times may have more than 32 bits.
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
    }
    if (byte === undefined) return NaN;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view; no bytes for a length below zero. A length past the end leaves the reader there. */
  bytes(): Uint8Array {
    const length = Math.max(0, this.varint());
    const start = this.at;
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }

  text(): string {
    const length = this.varint();
    const start = this.at;
    this.at += length;
    return this.#bytes.toString('utf8', start, this.at);
  }
}
