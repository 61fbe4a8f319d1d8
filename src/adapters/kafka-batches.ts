import { crc32c } from '@node-rs/crc32';
import { IngotError } from '../errors.ts';
import { codecNames } from './kafka-codecs.ts';
import type { RecordSet } from './kafka-record-sets.ts';

/*
 * The record batches of a fetch response (Kafka's documentation, "Record Batch").
 * kafkajs checks no checksum, takes a batch of a codec that it does not know for one without
 * compression, waits for ever for the rest of a batch that is cut off, and names no place when it
 * fails. So this looks before anything is decoded.
 */

export type RecordBatch = {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first record, as it was when the batch was written. */
  readonly offset: bigint;
  /** Of the last record, also where compaction has taken it. */
  readonly lastOffset: bigint;
  readonly codec: number;
  /** How many records it holds. */
  readonly count: number;
  /** ms since the epoch; the records tell how far they are from it. */
  readonly firstTimestampMs: number;
  /** The time at which the broker took the batch, where the topic wants that for every record. */
  readonly appendTimestampMs: number | null;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  /** It holds no records of anybody, but the end of a transaction. */
  readonly isControl: boolean;
  /** As they came, compressed or not. */
  readonly records: Buffer;
};

const lengthAt = 8;
/** The offset and the length, which the length does not count. */
const prefixBytes = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const firstTimestampAt = 27;
const maxTimestampAt = 35;
const producerAt = 43;
const countAt = 57;
const recordsAt = 61;
/** Older message sets have other checksums; no broker since 4.0 sends them. */
const magicOfBatches = 2;
const codecMask = 0b111;
const appendTimeFlag = 0x08;
const transactionalFlag = 0x10;
const controlFlag = 0x20;

/** Whether a record set is made of batches; an older broker may send what only kafkajs decodes. */
export function hasBatches({ records }: RecordSet): boolean {
  return records.byteLength <= magicAt || records.readInt8(magicAt) === magicOfBatches;
}

/** Throws `RECORDS_UNREADABLE` at the first batch that is damaged or that nobody here can unpack. */
export function* batchesOf({ topic, partition, records }: RecordSet): Generator<RecordBatch> {
  let at = 0;
  while (records.byteLength - at > magicAt) {
    if (records.readInt8(at + magicAt) !== magicOfBatches) break;
    const offset = records.readBigInt64BE(at);
    const where = { topic, partition, offset };
    const end = at + prefixBytes + records.readInt32BE(at + lengthAt);
    // The last batch of an answer may lack its end; the broker sends the first one whole.
    if (end > records.byteLength && at > 0) break;
    if (end > records.byteLength || end < at + recordsAt) {
      throw unreadable(where, 'a record batch has a wrong length', { bytes: end - at });
    }
    const bytes = records.subarray(at, end);
    requireChecksum(where, bytes);
    const attributes = bytes.readInt16BE(attributesAt);
    const codec = attributes & codecMask;
    if (codec >= codecNames.length) {
      throw unreadable(where, 'a record batch has a codec that is not known', { codec });
    }
    yield {
      ...where,
      lastOffset: offset + BigInt(bytes.readInt32BE(lastOffsetDeltaAt)),
      codec,
      count: bytes.readInt32BE(countAt),
      firstTimestampMs: Number(bytes.readBigInt64BE(firstTimestampAt)),
      appendTimestampMs:
        (attributes & appendTimeFlag) === 0 ? null : Number(bytes.readBigInt64BE(maxTimestampAt)),
      producerId: bytes.readBigInt64BE(producerAt),
      isTransactional: (attributes & transactionalFlag) !== 0,
      isControl: (attributes & controlFlag) !== 0,
      records: bytes.subarray(recordsAt),
    };
    at = end;
  }
}

function requireChecksum(where: Place, batch: Buffer): void {
  const wanted = batch.readUInt32BE(crcAt);
  const found = crc32c(batch.subarray(attributesAt));
  if (wanted === found) return;
  throw unreadable(where, 'the bytes of a record batch are damaged', {
    checksum: wanted.toString(16),
    found: found.toString(16),
  });
}

type Place = Pick<RecordBatch, 'topic' | 'partition' | 'offset'>;

export function unreadable(
  { topic, partition, offset }: Place,
  sentence: string,
  facts: Readonly<Record<string, string | number>>,
  cause?: unknown,
): IngotError {
  return new IngotError('RECORDS_UNREADABLE', sentence, {
    // Bytes may be whole the next time, and a newer Ingot may know the codec.
    retryable: true,
    facts: { topic, partition, offset: offset.toString(), ...facts },
    cause,
  });
}
