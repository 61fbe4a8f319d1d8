import { CompressionTypes } from 'kafkajs';
import { createKafka, ensureTopic, withAdmin } from '../../src/adapters/kafka-client.ts';
import type { Config } from '../../src/config.ts';
import type { Logger } from '../../src/ports.ts';
import { generateEvents } from '../../src/producer/events.ts';

export type BenchTopic = {
  readonly topic: string;
  readonly records: number;
  /** Bytes of all values, before compression. */
  readonly jsonBytes: number;
};

export type BenchTopicOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly topic: string;
  readonly records: number;
  readonly topicPartitions: number;
  readonly onProgress: (sent: number) => void;
};

const batchRecords = 2_000;
/** Events of the generator, which is slow; each is sent many times, with an id of its own. */
const distinctEvents = 100_000;
const seed = 20_260_821;

/**
 * Fills a topic with events of the producer's user-activity profile, about 250 bytes of JSON each,
 * gzip, spread evenly over its topic partitions.
 */
export async function fillTopic(options: BenchTopicOptions): Promise<BenchTopic> {
  const { config, logger, topic, records, topicPartitions, onProgress } = options;
  const kafka = createKafka(config, logger);
  await withAdmin(kafka, (admin) => ensureTopic(admin, topic, topicPartitions));
  const values = events(Math.min(records, distinctEvents));
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let jsonBytes = 0;
  for (let sent = 0; sent < records; sent += batchRecords) {
    const count = Math.min(batchRecords, records - sent);
    const messages = Array.from({ length: count }, (_, index) => {
      const { key, value } = values[(sent + index) % values.length]!;
      const own = withId(value, sent + index);
      jsonBytes += own.length;
      return { key, value: own, partition: (sent / batchRecords) % topicPartitions };
    });
    await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
    onProgress(sent + count);
  }
  await producer.disconnect();
  return { topic, records, jsonBytes };
}

function events(count: number): readonly { key: string | null; value: string }[] {
  const start = new Date(Date.now() - 2 * 3_600_000).toISOString();
  const stream = generateEvents({ profile: 'user-activity', seed, start, rate: 100, count });
  return [...stream].map(({ key, value }) => ({ key, value: value.toString() }));
}

/** The first eight digits of its UUID become a number: as random as before, and never twice. */
function withId(value: string, number: number): string {
  const digits = ((number * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0');
  return value.replace(/("event_id":")[0-9a-f]{8}/, `$1${digits}`);
}
