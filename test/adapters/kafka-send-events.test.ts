import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createKafka, ensureTopic, withAdmin } from '../../src/adapters/kafka-client.ts';
import { createKafkaEventSource } from '../../src/adapters/kafka-event-source.ts';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import { generateEvents } from '../../src/producer/events.ts';
import { type SentRecord, sendEvents } from '../../src/producer/send-events.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { collect, positionsFrom } from '../support/event-source-reading.ts';
import { openTestKafka, type TestKafka } from '../support/kafka.ts';

const config = loadConfig(process.env);
const range = { start: '2026-08-20T00:00:00.000Z', end: '2026-08-20T06:00:00.000Z' };
const rates = { duplicates: 0.07, malformed: 0.05, late: 0.02 };

describe('sendEvents on Kafka', function () {
  this.timeout(90_000);
  let opened: TestKafka;
  before(async () => {
    opened = await openTestKafka(config);
  });
  after(() => opened.close());

  it('puts every record where it says, byte for byte', async () => {
    const topic = await opened.createTopic(3);
    const told: SentRecord[] = [];
    const summary = await sendEvents({
      kafka: opened.kafka,
      topic,
      records: generateEvents({ profile: 'ecommerce', seed: 9, ...range, count: 10_000, rates }),
      onSent: (records) => told.push(...records),
    });
    assert.equal(summary.sent, 10_000);
    assert.equal(told.length, 10_000);

    const source = createKafkaEventSource({
      kafka: opened.kafka,
      logger: silentLogger,
      uniqueId: randomUUID,
    });
    const fetched = await collect(source, positionsFrom(topic, 3, '0'));
    const inKafka = new Map(
      fetched.flatMap(({ partition, records }) =>
        records.map((record) => [`${partition}/${record.offset}`, record] as const),
      ),
    );
    assert.equal(inKafka.size, 10_000);
    for (const { partition, offset, key, value } of told) {
      const record = inKafka.get(`${partition}/${offset}`);
      assert.ok(record?.value != null);
      assert.ok(Buffer.from(value).equals(record.value), `${partition}/${offset}`);
      assert.equal(record.key === null ? null : Buffer.from(record.key).toString(), key);
    }
  });

  it('says TOPIC_MISSING for a topic that does not exist', async () => {
    const sending = sendEvents({ kafka: opened.kafka, topic: 'ingot-no-such-topic', records: [] });
    await assert.rejects(
      sending,
      (error) => error instanceof IngotError && error.code === 'TOPIC_MISSING',
    );
  });

  it('says PART_UNREACHABLE when nothing listens', async () => {
    const kafka = createKafka({ ...config, kafkaBrokers: ['127.0.0.1:1'] }, silentLogger);
    await assert.rejects(
      sendEvents({ kafka, topic: 't', records: [] }),
      (error) =>
        error instanceof IngotError && error.code === 'PART_UNREACHABLE' && error.retryable,
    );
  });
});

describe('ensureTopic', () => {
  it('creates a topic once, however many ask, and leaves one that exists as it is', async () => {
    const opened = await openTestKafka(config);
    const topic = `ingot-test-${randomUUID()}`;
    try {
      const ensure = () => withAdmin(opened.kafka, (admin) => ensureTopic(admin, topic, 2));
      const answers = await Promise.all([ensure(), ensure(), ensure(), ensure()]);
      assert.equal(answers.filter(({ created }) => created).length, 1);
      assert.ok(answers.every(({ partitions }) => partitions === 2));
      const later = await ensureTopic(opened.admin, topic, 5);
      assert.deepEqual(later, { created: false, partitions: 2 });
    } finally {
      await opened.admin.deleteTopics({ topics: [topic] });
      await opened.close();
    }
  });
});
