import { CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { type KafkaClient, ensureTopic, withAdmin } from '../../../src/adapters/kafka-client.ts';
import type { Random } from '../../../src/producer/random.ts';
import type { Produced } from './lake-check.ts';
import { type ChaosRecord, makeRecord } from './records.ts';

/*
 * Fills a topic and knows, offset by offset, what is in it. The book is kept from the answers of the
 * broker; where an answer was lost, the topic itself is read in the end.
 */

export type Ledger = {
  readonly topic: string;
  /** Sends records without a pause, some at a time, until `stop`. */
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** Offset after the last record, by topic partition. */
  readonly ends: () => Promise<readonly bigint[]>;
  /** Everything that Kafka has taken. Only after `stop`. */
  readonly produced: () => Promise<readonly Produced[]>;
  readonly close: () => Promise<void>;
};

export type LedgerOptions = {
  readonly kafka: KafkaClient;
  readonly topic: string;
  readonly random: Random;
  readonly withDisputed: boolean;
};

export const topicPartitions = 3;
const recordsPerSend = 30;
const sendEveryMs = 150;

export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { kafka, topic, random, withDisputed } = options;
  await withAdmin(kafka, (admin) => ensureTopic(admin, topic, topicPartitions));
  const known = new Map<string, Produced>();
  const byValue = new Map<string, ChaosRecord>();
  let producer = await connect(kafka);
  let count = 0;
  let running: Promise<void> | null = null;
  let going = false;

  const send = async (): Promise<void> => {
    const partition = random.below(topicPartitions);
    const records = Array.from({ length: 1 + random.below(recordsPerSend) }, () =>
      makeRecord((count += 1), random, { withDisputed }),
    );
    for (const record of records) byValue.set(textOf(record.value), record);
    const messages = records.map(({ value }) => ({
      partition,
      key: `k${count}`,
      value: value === null ? null : Buffer.from(value),
    }));
    const compression = random.pick([CompressionTypes.GZIP, CompressionTypes.None]);
    const [answer] = await producer.send({ topic, messages, acks: -1, compression });
    const first = BigInt(answer?.baseOffset ?? -1);
    if (first < 0n) return;
    for (const [index, record] of records.entries()) {
      const offset = String(first + BigInt(index));
      known.set(`${partition}/${offset}`, { topic, partition, offset, ...record });
    }
  };
  const run = async (): Promise<void> => {
    while (going) {
      try {
        await send();
      } catch {
        // A broker that is down. What became of these records is read from the topic.
        await producer.disconnect().catch(() => undefined);
        producer = await connect(kafka).catch(() => producer);
      }
      await new Promise((resolve) => setTimeout(resolve, sendEveryMs));
    }
  };
  const ends = (): Promise<readonly bigint[]> => endsOf(kafka, topic);
  return {
    topic,
    ends,
    start: () => {
      going = true;
      running ??= run();
    },
    stop: async () => {
      going = false;
      await running;
      running = null;
    },
    produced: async () => {
      const total = (await ends()).reduce((sum, end) => sum + end, 0n);
      if (BigInt(known.size) === total) return [...known.values()];
      return readTopic(kafka, topic, await ends(), (value) => byValue.get(textOf(value)));
    },
    close: () => producer.disconnect(),
  };
}

async function connect(kafka: KafkaClient): Promise<Producer> {
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}

async function endsOf(kafka: KafkaClient, topic: string): Promise<readonly bigint[]> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return [...offsets].sort((a, b) => a.partition - b.partition).map(({ high }) => BigInt(high));
}

/** The whole topic, by a plain consumer. */
async function readTopic(
  kafka: KafkaClient,
  topic: string,
  ends: readonly bigint[],
  lookUp: (value: Uint8Array | null) => ChaosRecord | undefined,
): Promise<readonly Produced[]> {
  const found = new Map<string, Produced>();
  const wanted = ends.reduce((sum, end) => sum + end, 0n);
  const consumer = kafka.consumer({ groupId: `chaos-ledger-${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const run = consumer.run({
      eachMessage: async ({ partition, message }) => {
        const record = lookUp(message.value);
        if (record === undefined) return reject(new Error(`who has sent ${message.offset}?`));
        const { offset } = message;
        found.set(`${partition}/${offset}`, { topic, partition, offset, ...record });
        if (BigInt(found.size) === wanted) resolve();
      },
    });
    run.catch(reject);
  });
  await consumer.disconnect();
  return [...found.values()];
}

function textOf(value: Uint8Array | null): string {
  return value === null ? 'tombstone' : Buffer.from(value).toString('base64');
}
