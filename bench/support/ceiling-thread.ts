import { parentPort, workerData } from 'node:worker_threads';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { awaitCoordinator, openConsumer } from '../../src/adapters/kafka-consumer.ts';
import { loadConfig } from '../../src/config.ts';
import { silentLogger } from './measure.ts';
import type { ThreadReport, ThreadSpec } from './ceiling.ts';

/* One topic partition, consumed and parsed, and nothing else: what no ingest in Node can pass. */

const { topic, partition, end } = workerData as ThreadSpec;
const kafka = createKafka(loadConfig(process.env), silentLogger);
const { consumer } = openConsumer({
  kafka,
  group: `ceiling-${topic}-${partition}-${process.pid}-${Date.now()}`,
  topicPartitions: [{ topic, partition }],
  onUnreadable: (error) => {
    throw error;
  },
  onOutOfRange: () => {
    throw new Error('the topic was cut under the bench');
  },
});
let firstFetchMs = 0;
let records = 0;
let fields = 0;
consumer.on(consumer.events.FETCH_START, () => (firstFetchMs ||= Date.now()));
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await awaitCoordinator(consumer);
const done = new Promise<void>((resolve) => {
  void consumer.run({
    autoCommit: false,
    eachBatch: async (payload) => {
      const { batch } = payload;
      for (const { value } of batch.messages) {
        const event = JSON.parse(value!.toString()) as { event_id: string };
        fields += event.event_id.length;
      }
      records += batch.messages.length;
      payload.resolveOffset(batch.lastOffset());
      if (BigInt(batch.lastOffset()) + 1n >= BigInt(end)) resolve();
    },
  });
});
await done;
const report: ThreadReport = { firstFetchMs, doneMs: Date.now(), records, fields };
parentPort!.postMessage(report);
await consumer.disconnect();
