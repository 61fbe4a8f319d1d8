import { randomBytes } from 'node:crypto';
import kafkajs, { type Admin, CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { createKafka, ensureTopic, type KafkaClient } from '../../src/adapters/kafka-client.ts';
import type { Config } from '../../src/config.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { eventually } from './temporal/eventually.ts';

// Node does not find this name among the exports of a CommonJS module.
const { ConfigResourceTypes } = kafkajs;

/** A connected admin and producer for tests, and topics that are deleted at the end. */
export type TestKafka = {
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly createTopic: (partitions: number) => Promise<string>;
  /** Deletes the topic and makes one of the same name with so many topic partitions. */
  readonly recreateTopic: (topic: string, partitions: number) => Promise<void>;
  readonly deleteBefore: (topic: string, partition: number, offset: string) => Promise<void>;
  /** Lets the retention time of a topic pass, until it has none of its records any more. */
  readonly expire: (topic: string) => Promise<void>;
  readonly append: (
    topic: string,
    partition: number,
    records: readonly TestRecord[],
  ) => Promise<void>;
  /** A transaction of so many records that is aborted, which also writes one marker. */
  readonly appendAborted: (topic: string, partition: number, count: number) => Promise<void>;
  /** A transaction that is committed, which also writes one marker. */
  readonly appendCommitted: TestKafka['append'];
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

  const opened = { kafka, admin };
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
    recreateTopic: async (topic, partitions) => {
      await admin.deleteTopics({ topics: [topic], timeout: 10_000 });
      await waitUntilGone(admin, topic);
      await ensureTopic(admin, topic, partitions);
    },
    deleteBefore: async (topic, partition, offset) => {
      // The admin knows the leaders of topics that it has been asked for.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] });
    },
    expire: async (topic) => {
      await keepFor(admin, topic, '1');
      await eventually(`topic ${topic} to be empty`, async () => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.every(({ low, high }) => low === high);
      });
      await keepFor(admin, topic, '-1');
    },
    append: async (topic, partition, records) => {
      const messages = records.map((record) => toMessage(record, partition));
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
    },
    appendAborted: (topic, partition, count) => {
      const records = Array.from({ length: count }, (_, i) => ({ value: `aborted ${i}` }));
      return transact(opened, { topic, partition, records, end: 'abort' });
    },
    appendCommitted: (topic, partition, records) =>
      transact(opened, { topic, partition, records, end: 'commit' }),
    close: async () => {
      if (topics.length > 0) await admin.deleteTopics({ topics, timeout: 10_000 });
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

async function keepFor(admin: Admin, topic: string, retentionMs: string): Promise<void> {
  const configEntries = [{ name: 'retention.ms', value: retentionMs }];
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries };
  await admin.alterConfigs({ validateOnly: false, resources: [resource] });
}

async function transact(
  { kafka, admin }: Pick<TestKafka, 'kafka' | 'admin'>,
  transaction: {
    readonly topic: string;
    readonly partition: number;
    readonly records: readonly TestRecord[];
    readonly end: 'commit' | 'abort';
  },
): Promise<void> {
  const { topic, partition, records, end } = transaction;
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: `ingot-test-${randomBytes(6).toString('hex')}`,
  });
  await producer.connect();
  const open = await producer.transaction();
  const messages = records.map((record) => toMessage(record, partition));
  await open.send({ topic, messages, compression: CompressionTypes.GZIP });
  const before = await stableEnd(admin, topic, partition);
  await open[end]();
  await producer.disconnect();
  await waitForMarker(admin, topic, partition, before);
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

/** The broker answers before the marker is in the log; until then the end stands still. */
async function waitForMarker(
  admin: Admin,
  topic: string,
  partition: number,
  before: bigint,
): Promise<void> {
  const isWritten = async () => (await stableEnd(admin, topic, partition)) > before;
  await eventually(`the end of the transaction in ${topic}/${partition}`, isWritten);
}

/** The controller answers before every broker has heard of it; each attempt asks the broker. */
async function waitUntilGone(admin: Admin, topic: string): Promise<void> {
  const isGone = async () => !(await admin.listTopics()).includes(topic);
  await eventually(`${topic} to go away`, isGone);
}
