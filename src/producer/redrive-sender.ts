import assert from 'node:assert';
import { CompressionTypes, Partitioners } from 'kafkajs';
import type { OutgoingRecord, RedriveDeps } from '../activities/redrive.ts';
import { type KafkaClient, partitionsOf, withAdmin } from '../adapters/kafka-client.ts';
import { withKafkaFaults } from '../adapters/kafka-faults.ts';

/**
 * Runs `work` with a function that sends single records, each once also when a request is repeated.
 * All topics are looked up first, so that nothing is claimed that cannot be sent. After a failure
 * nothing more may be sent: Kafka would take it for the record that failed.
 */
export async function withRedriveSender<T>(
  options: { readonly kafka: KafkaClient; readonly topics: readonly string[] },
  work: (send: RedriveDeps['send']) => Promise<T>,
): Promise<T> {
  const { kafka, topics } = options;
  await withAdmin(kafka, async (admin) => {
    for (const topic of topics) await partitionsOf(admin, topic);
  });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: 10, initialRetryTime: 100, maxRetryTime: 5_000, factor: 0.2, multiplier: 2 },
  });
  const send: RedriveDeps['send'] = ({ topic, ...record }) =>
    withKafkaFaults({ brokers: kafka.brokers, facts: { topic } }, async () => {
      const [answer] = await producer.send({
        topic,
        messages: [toMessage(record)],
        acks: -1,
        timeout: 30_000,
        // A record that came compressed may be past the broker's limit without.
        compression: CompressionTypes.GZIP,
      });
      assert(
        answer?.baseOffset !== undefined,
        'acks are asked for, so the broker tells the offset',
      );
      return { partition: answer.partition, offset: answer.baseOffset };
    });
  try {
    await withKafkaFaults({ brokers: kafka.brokers }, () => producer.connect());
    return await work(send);
  } finally {
    await producer.disconnect();
  }
}

function toMessage({ partition, key, headers, value }: Omit<OutgoingRecord, 'topic'>) {
  const bytes = (each: Uint8Array | null): Buffer | null =>
    each === null ? null : Buffer.from(each);
  return {
    partition,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [name, values.map((v) => Buffer.from(v))]),
    ),
  };
}
