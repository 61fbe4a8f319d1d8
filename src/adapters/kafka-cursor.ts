import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { ReadOptions, SourceRecord, TopicPartition } from '../ports.ts';

/**
 * Where the reading of one topic partition stands. Whatever kafkajs fetches again, or at once, is
 * handed on in offset order, one call at a time, and no record twice.
 */
export type Cursor = {
  /** The offset that is wanted next, as a decimal string. */
  position(): string;
  /** Hands on the records from the position on; resolves when that is done. */
  deliver(fetched: FetchedMessages): Promise<void>;
  /** Notes that there is nothing to see before `offsetNext`; many notes may become one call. */
  passOver(offsetNext: bigint, highWatermark: string): Promise<void>;
  /** Resolves when no call is running or waiting. */
  idle(): Promise<void>;
};

export type FetchedMessages = {
  readonly messages: readonly KafkaMessage[];
  readonly offsetNext: bigint;
  readonly highWatermark: string;
};

export type CursorOptions = TopicPartition & {
  readonly offset: string;
  readonly onFetched: ReadOptions['onFetched'];
  /** From then on, no call is begun. */
  readonly isOver: () => boolean;
};

export function createCursor({ topic, partition, ...options }: CursorOptions): Cursor {
  let next = BigInt(options.offset);
  /** Every step waits for the one before; after a failure none of them runs. */
  let tail: Promise<void> = Promise.resolve();
  let passed: { offsetNext: bigint; highWatermark: string } | null = null;

  const handOn = async ({ messages, offsetNext, highWatermark }: FetchedMessages) => {
    if (options.isOver() || offsetNext <= next) return;
    await options.onFetched({
      topic,
      partition,
      records: recordsFrom(messages, next),
      offsetNext: offsetNext.toString(),
      highWatermark,
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
      // What is passed over later lies behind these messages, so it may not join an earlier note.
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
        return handOn({ messages: [], ...note });
      });
    },
    idle: () => tail.catch(() => undefined),
  };
}

/** A fetch begins where a stored batch begins, and after a rejoin it may begin further back. */
function recordsFrom(messages: readonly KafkaMessage[], offset: bigint): readonly SourceRecord[] {
  const first = messages.findIndex((message) => BigInt(message.offset) >= offset);
  const wanted = first <= 0 ? messages : messages.slice(first);
  return first === -1 ? [] : wanted.map(toRecord);
}

function toRecord(message: KafkaMessage): SourceRecord {
  return {
    offset: message.offset,
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers === undefined ? null : toHeaders(message.headers),
  };
}

function toHeaders(headers: IHeaders): SourceRecord['headers'] {
  const entries = Object.entries(headers);
  if (entries.length === 0) return null;
  // A header without a value and one with no bytes are the same to us.
  const toBytes = (value: Buffer | string | null | undefined): Uint8Array =>
    typeof value === 'string' ? Buffer.from(value) : (value ?? Buffer.alloc(0));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(toBytes)]),
  );
}
