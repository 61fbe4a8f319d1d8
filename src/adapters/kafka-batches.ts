import { crc32c } from '@node-rs/crc32';
import { IngotError } from '../errors.ts';
import { codecNames, decompressRecords } from './kafka-codecs.ts';

/*
 * The record batches of a fetch response, before kafkajs decodes them. kafkajs checks no checksum,
 * takes a batch of a codec that it does not know for one without compression, waits for ever for
 * the rest of a batch that is cut off, and names no place when it fails. So this looks first.
 */

type RecordBatch = {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first record, as it was when the batch was written. */
  readonly offset: string;
  readonly codec: number;
  /** How many records it holds. */
  readonly count: number;
  readonly records: Buffer;
};

const offsetBytes = 8;
/** The offset and the length, which the length does not count. */
const prefixBytes = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const countAt = 57;
const recordsAt = 61;
/** Older message sets have other checksums; no broker since 4.0 sends them. */
const magicOfBatches = 2;
const codecMask = 0b111;

/** Throws `RECORDS_UNREADABLE` for the first batch that is damaged or that nobody here can unpack. */
export function checkFetchResponse(response: Buffer, apiVersion: number): void {
  for (const batch of batchesOf(response, apiVersion)) {
    if (batch.codec >= codecNames.length) {
      throw unreadable(batch, 'a record batch has a codec that is not known', {
        codec: batch.codec,
      });
    }
  }
}

/** Finds the batch on which decoding has failed; the error itself when none is at fault. */
export async function explainDecodeError(
  response: Buffer,
  apiVersion: number,
  error: unknown,
): Promise<unknown> {
  for (const batch of batchesOf(response, apiVersion)) {
    if (isTooLong(batch, error)) {
      const facts = { records: batch.count };
      return unreadable(batch, 'a record batch holds too many records', facts, error);
    }
    try {
      await decompressRecords(batch.codec, batch.records);
    } catch (cause) {
      const facts = { codec: codecNames[batch.codec] ?? batch.codec };
      return unreadable(batch, 'a record batch cannot be decompressed', facts, cause);
    }
  }
  return error;
}

/** kafkajs passes the records of a batch as arguments of one call, which has run out of stack. */
function isTooLong(batch: RecordBatch, error: unknown): boolean {
  return error instanceof RangeError && batch.count >= recordsSuspicious;
}

const recordsSuspicious = 50_000;

function* batchesOf(response: Buffer, apiVersion: number): Generator<RecordBatch> {
  for (const { topic, partition, records } of recordSetsOf(response, apiVersion)) {
    let at = 0;
    while (records.byteLength - at > magicAt) {
      if (records.readInt8(at + magicAt) !== magicOfBatches) break;
      const where = { topic, partition, offset: records.readBigInt64BE(at).toString() };
      const end = at + prefixBytes + records.readInt32BE(at + offsetBytes);
      // The last batch of an answer may lack its end; the broker sends the first one whole.
      if (end > records.byteLength && at > 0) break;
      if (end > records.byteLength || end < at + recordsAt) {
        throw unreadable(where, 'a record batch has a wrong length', { bytes: end - at });
      }
      requireChecksum(where, records.subarray(at, end));
      const codec = records.readInt16BE(at + attributesAt) & codecMask;
      const count = records.readInt32BE(at + countAt);
      yield { ...where, codec, count, records: records.subarray(at + recordsAt, end) };
      at = end;
    }
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

type RecordSet = { readonly topic: string; readonly partition: number; readonly records: Buffer };

/** The layouts of the fetch responses that kafkajs asks for, versions 0 to 11. */
function* recordSetsOf(response: Buffer, version: number): Generator<RecordSet> {
  let at = (version >= 1 ? 4 : 0) + (version >= 7 ? 6 : 0);
  const int32 = (): number => {
    at += 4;
    return response.readInt32BE(at - 4);
  };
  const topics = int32();
  for (let topicIndex = 0; topicIndex < topics; topicIndex += 1) {
    const nameBytes = response.readInt16BE(at);
    const topic = response.toString('utf8', at + 2, at + 2 + nameBytes);
    at += 2 + nameBytes;
    const partitions = int32();
    for (let index = 0; index < partitions; index += 1) {
      const partition = int32();
      // Error code, high watermark, last stable offset, log start.
      at += 2 + 8 + (version >= 4 ? 8 : 0) + (version >= 5 ? 8 : 0);
      // Aborted transactions: a producer and an offset each.
      const aborted = version >= 4 ? Math.max(0, int32()) : 0;
      at += 16 * aborted;
      // The replica that had better be asked.
      if (version >= 11) at += 4;
      const bytes = Math.max(0, int32());
      yield { topic, partition, records: response.subarray(at, at + bytes) };
      at += bytes;
    }
  }
}

type Place = Pick<RecordBatch, 'topic' | 'partition' | 'offset'>;

function unreadable(
  { topic, partition, offset }: Place,
  sentence: string,
  facts: Readonly<Record<string, string | number>>,
  cause?: unknown,
): IngotError {
  return new IngotError('RECORDS_UNREADABLE', sentence, {
    // Bytes may be whole the next time, and a newer Ingot may know the codec.
    retryable: true,
    facts: { topic, partition, offset, ...facts },
    cause,
  });
}
