import type { TopicPartition } from '../ports.ts';

/*
 * Where the bytes of record batches lie in a fetch response, in the layouts that kafkajs asks for
 * (Kafka protocol guide, "Fetch API"), versions 0 to 11.
 */

/** What a fetch brought of one topic partition. */
export type RecordSet = TopicPartition & {
  readonly errorCode: number;
  /** Transactions that were aborted, by the offset of their first record. */
  readonly aborted: readonly AbortedTransaction[];
  readonly records: Buffer;
  /** Where the error code and `records` begin in the response. */
  readonly errorAt: number;
  readonly recordsAt: number;
};

export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: bigint };

const lengthBytes = 4;

export function recordSetsOf(response: Buffer, version: number): readonly RecordSet[] {
  const sets: RecordSet[] = [];
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
      const errorAt = at;
      const errorCode = response.readInt16BE(errorAt);
      // Error code, high watermark, last stable offset, log start.
      at += 2 + 8 + (version >= 4 ? 8 : 0) + (version >= 5 ? 8 : 0);
      const aborted: AbortedTransaction[] = [];
      const abortedCount = version >= 4 ? Math.max(0, int32()) : 0;
      for (let number = 0; number < abortedCount; number += 1, at += 16) {
        const producerId = response.readBigInt64BE(at);
        aborted.push({ producerId, firstOffset: response.readBigInt64BE(at + 8) });
      }
      // The replica that had better be asked.
      if (version >= 11) at += 4;
      const bytes = Math.max(0, int32());
      const records = response.subarray(at, at + bytes);
      sets.push({ topic, partition, errorCode, aborted, records, errorAt, recordsAt: at });
      at += bytes;
    }
  }
  return sets;
}

/** The response as if Kafka had nothing new of these topic partitions, and no offset were wrong. */
export function withoutRecords(response: Buffer, sets: readonly RecordSet[]): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { errorCode, errorAt, records, recordsAt } of sets) {
    const head = Buffer.from(response.subarray(from, recordsAt));
    if (errorCode === offsetOutOfRange) head.writeInt16BE(0, errorAt - from);
    head.writeInt32BE(0, head.byteLength - lengthBytes);
    pieces.push(head);
    from = recordsAt + records.byteLength;
  }
  return Buffer.concat([...pieces, response.subarray(from)]);
}

/** The error code of an offset that Kafka does not have. */
export const offsetOutOfRange = 1;
