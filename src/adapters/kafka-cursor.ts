import type { ReadOptions, SourceRecord, TopicPartition } from '../ports.ts';

/**
 * Where the reading of one topic partition stands. Whatever kafkajs fetches again, or at once, is
 * handed on in offset order, one call at a time, and no record twice.
 */
export type Cursor = {
  /** The offset that is wanted next, as a decimal string. */
  position(): string;
  /** Hands on the records from the position on; resolves when that is done. */
  deliver(fetched: FetchedRecords): Promise<void>;
  /** Notes that there is nothing to see before `offsetNext`; many notes may become one call. */
  passOver(offsetNext: bigint, highWatermark: string): Promise<void>;
  /** Resolves when no call is running or waiting. */
  idle(): Promise<void>;
};

export type FetchedRecords = {
  readonly records: readonly SourceRecord[];
  readonly offsetNext: bigint;
  readonly highWatermark: string;
};

export type CursorOptions = TopicPartition & {
  readonly offset: string;
  readonly onFetched: ReadOptions['onFetched'];
  readonly topicId: (where: TopicPartition) => Promise<string | null>;
  /** From then on, no call is begun. */
  readonly isOver: () => boolean;
};

export function createCursor({ topic, partition, ...options }: CursorOptions): Cursor {
  let next = BigInt(options.offset);
  /** Every step waits for the one before; after a failure none of them runs. */
  let tail: Promise<void> = Promise.resolve();
  let passed: { offsetNext: bigint; highWatermark: string } | null = null;

  const handOn = async ({ records, offsetNext, highWatermark }: FetchedRecords) => {
    if (options.isOver() || offsetNext <= next) return;
    await options.onFetched({
      topic,
      partition,
      records: recordsFrom(records, next),
      offsetNext: offsetNext.toString(),
      highWatermark,
      topicIdNow: () => options.topicId({ topic, partition }),
    });
    next = offsetNext;
  };
  const enqueue = (step: () => Promise<void>): Promise<void> => {
    tail = tail.then(step);
    // Whoever asked for the step is told of its failure; the tail itself is nobody's.
    tail.catch(() => undefined);
    return tail;
  };
  return {
    position: () => next.toString(),
    deliver: (fetched) => {
      // What is passed over later lies behind these records, so it may not join an earlier note.
      passed = null;
      return enqueue(() => handOn(fetched));
    },
    passOver: (offsetNext, highWatermark) => {
      if (passed !== null) {
        passed.offsetNext = offsetNext;
        passed.highWatermark = highWatermark;
        return tail;
      }
      const note = { offsetNext, highWatermark };
      passed = note;
      return enqueue(() => {
        if (passed === note) passed = null;
        return handOn({ records: [], ...note });
      });
    },
    idle: () => tail.catch(() => undefined),
  };
}

/** A fetch begins where a stored batch begins, and after a rejoin it may begin further back. */
function recordsFrom(records: readonly SourceRecord[], offset: bigint): readonly SourceRecord[] {
  const first = records.findIndex((record) => BigInt(record.offset) >= offset);
  if (first === -1) return [];
  return first === 0 ? records : records.slice(first);
}
