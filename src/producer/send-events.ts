import { setTimeout as pause } from 'node:timers/promises';
import { CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { type KafkaClient, partitionsOf, withAdmin } from '../adapters/kafka-client.ts';
import { withKafkaFaults } from '../adapters/kafka-faults.ts';
import type { Fault, RecordKind, StreamRecord } from './events.ts';
import {
  batchRecordsMax,
  createBatches,
  locate,
  type Outgoing,
  type SentRecord,
} from './outgoing.ts';

export type { SentRecord } from './outgoing.ts';

export type SendOptions = {
  readonly topic: string;
  readonly records: Iterable<StreamRecord>;
  /** Unset: as fast as the broker takes them. */
  readonly ratePerSecond?: number;
  readonly onProgress?: (sent: number) => void;
  /** Told where the records of a batch lie in Kafka, after the broker has said so. */
  readonly onSent?: (records: readonly SentRecord[]) => void;
  /** Ends the sending after the batch in flight. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
};

export type SendSummary = {
  readonly sent: number;
  /** Of the values, before compression. */
  readonly bytes: number;
  readonly kinds: Readonly<Record<RecordKind, number>>;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly seconds: number;
  readonly interrupted: boolean;
};

export type Clock = {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

/**
 * Sends the records to a topic that exists, in order and in batches; a user's records share a topic
 * partition. Resolves when all are in Kafka, or after the batch in flight when the signal aborts.
 */
export async function sendEvents(
  options: SendOptions & { readonly kafka: KafkaClient },
): Promise<SendSummary> {
  const { kafka, topic } = options;
  const partitions = await withAdmin(kafka, (admin) => partitionsOf(admin, topic));
  const producer = createEventProducer(kafka);
  try {
    return await withKafkaFaults({ brokers: kafka.brokers, facts: { topic } }, async () => {
      await producer.connect();
      return sendWith({ ...options, producer, partitions });
    });
  } finally {
    await producer.disconnect();
  }
}

/**
 * A producer that writes each batch once, also when it has to repeat a request. Its retries span a
 * restart of the broker; once it gives up it must not be used again, because Kafka would take its
 * next batch for the one that failed.
 */
function createEventProducer(kafka: KafkaClient): Producer {
  return kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: 10, initialRetryTime: 100, maxRetryTime: 5_000, factor: 0.2, multiplier: 2 },
  });
}

/** The same with a connected producer, whatever it is. */
export async function sendWith(
  options: SendOptions & {
    readonly producer: Pick<Producer, 'send'>;
    /** How many topic partitions the topic has. */
    readonly partitions: number;
  },
): Promise<SendSummary> {
  const { producer, topic, signal, clock = realClock } = options;
  const startedMs = clock.now();
  const due = createDue(options.ratePerSecond, startedMs);
  const batches = createBatches(options);
  const counts = createCounts();
  const isInterrupted = (): boolean => signal?.aborted === true;
  let isComplete = false;
  while (!isComplete && !isInterrupted()) {
    const waitMs = due.waitMs(counts.sent(), clock.now());
    if (waitMs > 0) {
      await clock.sleep(waitMs, signal);
      continue;
    }
    const batch = batches.take(due.recordsMax(counts.sent(), clock.now()));
    isComplete = batch.length === 0;
    if (isComplete) continue;
    const answer = await producer.send({
      topic,
      messages: batch.map(({ message }) => message),
      acks: -1,
      timeout: 30_000,
      compression: CompressionTypes.GZIP,
    });
    counts.add(batch);
    options.onSent?.(locate(batch, answer));
    options.onProgress?.(counts.sent());
  }
  const seconds = (clock.now() - startedMs) / 1_000;
  return { ...counts.summary(), seconds, interrupted: !isComplete };
}

type Due = {
  /** How long the record with this number still has to wait. */
  readonly waitMs: (number: number, nowMs: number) => number;
  /** How many records from this number on are due. */
  readonly recordsMax: (number: number, nowMs: number) => number;
};

/** Each record has its own moment, counted from the start: lateness of one never moves the next. */
function createDue(ratePerSecond: number | undefined, startedMs: number): Due {
  if (ratePerSecond === undefined) return { waitMs: () => 0, recordsMax: () => batchRecordsMax };
  const dueMs = (number: number): number => startedMs + (number * 1_000) / ratePerSecond;
  return {
    waitMs: (number, nowMs) => dueMs(number) - nowMs,
    recordsMax: (number, nowMs) =>
      Math.max(1, Math.floor(((nowMs - startedMs) * ratePerSecond) / 1_000) + 1 - number),
  };
}

function createCounts(): {
  readonly sent: () => number;
  readonly add: (batch: readonly Outgoing[]) => void;
  readonly summary: () => Pick<SendSummary, 'sent' | 'bytes' | 'kinds' | 'faults'>;
} {
  const kinds: Record<RecordKind, number> = { event: 0, duplicate: 0, malformed: 0, late: 0 };
  const faults: Record<Fault, number> = { unplaceable: 0, contract: 0 };
  let sent = 0;
  let bytes = 0;
  return {
    sent: () => sent,
    add: (batch) => {
      sent += batch.length;
      for (const { record } of batch) {
        bytes += Buffer.byteLength(record.value);
        kinds[record.kind] += 1;
        if (record.fault !== null) faults[record.fault] += 1;
      }
    },
    summary: () => ({ sent, bytes, kinds, faults }),
  };
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await pause(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // An abort ends the wait; the loop sees it in the signal.
      if (signal?.aborted !== true) throw error;
    }
  },
};
