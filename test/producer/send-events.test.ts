import assert from 'node:assert/strict';
import { CompressionTypes, type Message, Partitioners, type ProducerRecord } from 'kafkajs';
import { generateEvents, type StreamRecord } from '../../src/producer/events.ts';
import { type Clock, type SentRecord, sendWith } from '../../src/producer/send-events.ts';

const topic = 'ecommerce-events';

/** Answers as a broker does; sending takes so many milliseconds of the clock. */
function fakeKafka(options: { readonly sendMs?: number } = {}) {
  const logs: Message[][] = [[], [], []];
  const sent: ProducerRecord[] = [];
  const times: number[] = [];
  let nowMs = 1_000;
  const clock: Clock = {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
  const producer = {
    send: async (record: ProducerRecord) => {
      sent.push(record);
      record.messages.forEach(() => times.push(nowMs));
      nowMs += options.sendMs ?? 0;
      const partitions = [...new Set(record.messages.map(({ partition }) => partition ?? -1))];
      const answer = partitions.map((partition) => ({
        topicName: topic,
        partition,
        errorCode: 0,
        baseOffset: String(logs[partition]?.length),
      }));
      for (const message of record.messages) logs[message.partition ?? -1]?.push(message);
      return answer;
    },
  };
  return { producer, clock, logs, sent, times };
}

const recordsMax = 9_000;
let made: readonly StreamRecord[] | undefined;

/** The beginning of one stream, which is made once. */
function someRecords(count: number): readonly StreamRecord[] {
  assert.ok(count <= recordsMax);
  const rates = { duplicates: 0.1, malformed: 0.2, late: 0 };
  const start = '2026-08-20T00:00:00.000Z';
  const options = { profile: 'ecommerce', seed: 1, start, rate: 10, rates } as const;
  made ??= [...generateEvents({ ...options, count: recordsMax })];
  return made.slice(0, count);
}

describe('sendWith', () => {
  it('sends every record in order, and tells where each of them lies', async () => {
    const { producer, clock, logs } = fakeKafka();
    const records = someRecords(5_000);
    const told: SentRecord[] = [];
    await sendWith({
      producer,
      clock,
      topic,
      partitions: 3,
      records,
      onSent: (batch) => told.push(...batch),
    });
    assert.deepEqual(
      told.map(({ partition: _partition, offset: _offset, ...record }) => record),
      records,
    );
    for (const { partition, offset, key, value } of told) {
      const message = logs[partition]?.[Number(offset)];
      assert.deepEqual([message?.key, message?.value], [key, value]);
    }
    assert.equal(
      logs.reduce((sum, log) => sum + log.length, 0),
      5_000,
    );
  });

  it('chooses the topic partition of a key as other Kafka clients do, and spreads what has none', async () => {
    const { producer, clock, logs } = fakeKafka();
    const records = someRecords(3_000);
    await sendWith({ producer, clock, topic, partitions: 3, records });
    const choose = Partitioners.DefaultPartitioner();
    const partition = { partitionErrorCode: 0, leader: 0, replicas: [], isr: [] };
    const partitionMetadata = [0, 1, 2].map((partitionId) => ({ ...partition, partitionId }));
    const nobodys = logs.map((log) => log.filter(({ key }) => key === null).length);
    assert.ok(Math.max(...nobodys) - Math.min(...nobodys) <= 1, nobodys.join(' '));
    logs.forEach((log, index) => {
      const keyed = log.filter(({ key }) => key !== null);
      assert.ok(keyed.length > 300);
      for (const { key = null } of keyed) {
        assert.equal(choose({ topic, partitionMetadata, message: { key, value: null } }), index);
      }
    });
  });

  it('asks for acknowledgement and compression, in batches that are not too large', async () => {
    const { producer, clock, sent } = fakeKafka();
    await sendWith({ producer, clock, topic, partitions: 3, records: someRecords(recordsMax) });
    assert.ok(
      sent.every(({ acks, compression }) => acks === -1 && compression === CompressionTypes.GZIP),
    );
    assert.ok(sent.length > 4 && sent.every(({ messages }) => messages.length <= 2_000));
    const bytes = sent.map(({ messages }) =>
      messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
    );
    assert.ok(Math.max(...bytes) < 800_000);
  });

  it('counts what was sent by kind', async () => {
    const { producer, clock } = fakeKafka({ sendMs: 500 });
    const records = someRecords(1_000);
    const summary = await sendWith({ producer, clock, topic, partitions: 3, records });
    const count = (holds: (record: StreamRecord) => boolean) => records.filter(holds).length;
    assert.deepEqual(summary, {
      sent: 1_000,
      bytes: records.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0),
      kinds: {
        event: count(({ kind }) => kind === 'event'),
        duplicate: count(({ kind }) => kind === 'duplicate'),
        malformed: count(({ kind }) => kind === 'malformed'),
        late: 0,
      },
      faults: {
        unplaceable: count(({ fault }) => fault === 'unplaceable'),
        contract: count(({ fault }) => fault === 'contract'),
      },
      seconds: 0.5,
      interrupted: false,
    });
  });

  it('sends each record at its moment, one by one when it is slow', async () => {
    const { producer, clock, times } = fakeKafka();
    const records = someRecords(5);
    await sendWith({ producer, clock, topic, partitions: 3, records, ratePerSecond: 1 });
    assert.deepEqual(times, [1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  it('keeps its rate over time when each send takes a while', async () => {
    const { producer, clock, times } = fakeKafka({ sendMs: 37 });
    const records = someRecords(3_000);
    await sendWith({ producer, clock, topic, partitions: 3, records, ratePerSecond: 100 });
    times.forEach((time, index) => {
      const dueMs = 1_000 + index * 10;
      assert.ok(time >= dueMs && time <= dueMs + 48, `record ${index}: ${time}, due ${dueMs}`);
    });
  });

  it('ends after the batch in flight when it is interrupted, and says so', async () => {
    const { producer, clock, logs } = fakeKafka();
    const stop = new AbortController();
    const start = '2026-08-20T00:00:00.000Z';
    const summary = await sendWith({
      producer,
      clock,
      topic,
      partitions: 3,
      records: generateEvents({ profile: 'user-activity', seed: 1, start, rate: 10 }),
      onProgress: (sent) => {
        if (sent > 3_000) stop.abort();
      },
      signal: stop.signal,
    });
    assert.equal(summary.interrupted, true);
    assert.equal(
      logs.reduce((sum, log) => sum + log.length, 0),
      summary.sent,
    );
    assert.ok(summary.sent > 3_000 && summary.sent <= 5_000);
  });

  it('ends with the error of the producer', async () => {
    const boom = new Error('boom');
    const producer = { send: async () => Promise.reject(boom) };
    const sending = sendWith({ producer, topic, partitions: 1, records: someRecords(10) });
    await assert.rejects(sending, (error) => error === boom);
  });
});
