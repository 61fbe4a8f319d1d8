import assert from 'node:assert';
import { type Message, Partitioners, type RecordMetadata } from 'kafkajs';
import type { StreamRecord } from './events.ts';

/** A record, and the message that it becomes. */
export type Outgoing = {
  readonly record: StreamRecord;
  readonly message: Message & { readonly partition: number };
};

/** A record, and where it lies in Kafka. */
export type SentRecord = StreamRecord & { readonly partition: number; readonly offset: string };

export type Batches = {
  /** The next records, at most so many; none when there are no more. */
  readonly take: (recordsMax: number) => readonly Outgoing[];
};

export const batchRecordsMax = 2_000;
/** Below the broker's limit of 1 MiB a batch, even when nothing can be compressed. */
const batchBytesMax = 786_432;

/** Cuts the records into batches, and says for each record where it goes. */
export function createBatches(options: {
  readonly topic: string;
  readonly partitions: number;
  readonly records: Iterable<StreamRecord>;
}): Batches {
  const iterator = options.records[Symbol.iterator]();
  const partitionOf = createPartitioner(options.topic, options.partitions);
  return {
    take: (recordsMax) => {
      const batch: Outgoing[] = [];
      let bytes = 0;
      while (batch.length < Math.min(recordsMax, batchRecordsMax) && bytes < batchBytesMax) {
        const next = iterator.next();
        if (next.done === true) break;
        const { key, value } = next.value;
        batch.push({ record: next.value, message: { key, value, partition: partitionOf(key) } });
        bytes += value.length;
      }
      return batch;
    },
  };
}

/**
 * The choice of Kafka's own clients for a key, and one after the other without one. It is made here
 * and not in kafkajs, which would choose anew for a record without a key when it repeats a request.
 */
function createPartitioner(topic: string, partitions: number): (key: string | null) => number {
  const byKey = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  let withoutKey = 0;
  return (key) => {
    if (key !== null) return byKey({ topic, partitionMetadata, message: { key, value: null } });
    withoutKey += 1;
    return (withoutKey - 1) % partitions;
  };
}

/** The broker tells the offset of the first record of each topic partition; the others follow it. */
export function locate(
  batch: readonly Outgoing[],
  answer: readonly RecordMetadata[],
): readonly SentRecord[] {
  const next = new Map(
    answer.map(({ partition, baseOffset }) => {
      assert(baseOffset !== undefined, 'acks are asked for, so the broker tells the offset');
      return [partition, BigInt(baseOffset)] as const;
    }),
  );
  return batch.map(({ record, message: { partition } }) => {
    const offset = next.get(partition);
    assert(offset !== undefined, 'the broker answers for every topic partition of the batch');
    next.set(partition, offset + 1n);
    return { ...record, partition, offset: offset.toString() };
  });
}
