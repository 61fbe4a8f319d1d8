import { randomBytes } from 'node:crypto';
import { type Admin, CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { createKafka, ensureTopic, type KafkaClient } from '../../src/adapters/kafka-client.ts';
import type { Config } from '../../src/config.ts';
import { silentLogger } from '../../src/workers/logger.ts';

/** A connected admin and producer for tests, and topics that are deleted at the end. */
export type TestKafka = {
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly createTopic: (partitions: number) => Promise<string>;
  readonly append: (
    topic: string,
    partition: number,
    records: readonly TestRecord[],
  ) => Promise<void>;
  /** A transaction of so many records that is aborted, which also writes one marker. */
  readonly appendAborted: (topic: string, partition: number, count: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type TestRecord = {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | readonly Buffer[]>>;
};

export async function openTestKafka(config: Config): Promise<TestKafka> {
  const kafka = createKafka(config, silentLogger);
  const admin = kafka.admin();
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  await admin.connect();
  await producer.connect();
  const topics: string[] = [];

  return {
    kafka,
    admin,
    producer,
    createTopic: async (partitions) => {
      const topic = `ingot-test-${randomBytes(6).toString('hex')}`;
      await ensureTopic(admin, topic, partitions);
      topics.push(topic);
      return topic;
    },
    append: async (topic, partition, records) => {
      const messages = records.map((record) => toMessage(record, partition));
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
    },
    appendAborted: async (topic, partition, count) => {
      const transactional = kafka.producer({
        createPartitioner,
        allowAutoTopicCreation: false,
        idempotent: true,
        maxInFlightRequests: 1,
        transactionalId: `ingot-test-${randomBytes(6).toString('hex')}`,
      });
      await transactional.connect();
      const transaction = await transactional.transaction();
      const records = Array.from({ length: count }, (_, i) => ({ value: `aborted ${i}` }));
      const messages = records.map((record) => toMessage(record, partition));
      await transaction.send({ topic, messages, compression: CompressionTypes.GZIP });
      const before = await stableEnd(admin, topic, partition);
      await transaction.abort();
      await transactional.disconnect();
      await waitForMarker(admin, topic, partition, before);
    },
    close: async () => {
      if (topics.length > 0) await admin.deleteTopics({ topics, timeout: 10_000 });
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

function toMessage({ key = null, value, headers = {} }: TestRecord, partition: number) {
  return {
    key,
    value,
    partition,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, bytes]) => [
        name,
        Buffer.isBuffer(bytes) ? bytes : [...bytes],
      ]),
    ),
  };
}

/** The end of what is committed; an open transaction holds it back. */
async function stableEnd(admin: Admin, topic: string, partition: number): Promise<bigint> {
  const found = await admin.fetchTopicOffsets(topic);
  return BigInt(found.find((each) => each.partition === partition)?.high ?? '0');
}

/** The broker answers an abort before the marker is in the log; until then the end stands still. */
async function waitForMarker(
  admin: Admin,
  topic: string,
  partition: number,
  before: bigint,
): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await stableEnd(admin, topic, partition)) > before) return;
  }
  throw new Error(`no end of the transaction in ${topic}/${partition}`);
}
