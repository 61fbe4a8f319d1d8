import { parentPort, workerData } from 'node:worker_threads';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { assignExactly } from '../../src/adapters/kafka-assignment.ts';
import { awaitCoordinator } from '../../src/adapters/kafka-consumer.ts';
import { loadConfig } from '../../src/config.ts';
import { silentLogger } from './measure.ts';
import type { ThreadReport, ThreadSpec } from './ceiling.ts';

/* One topic partition, consumed and parsed, and nothing else: what no ingest in Node can pass. */

const { topic, partition, end } = workerData as ThreadSpec;
const kafka = createKafka(loadConfig(process.env), silentLogger);
const bytesMax = 1_048_576;
// As the product opens it, but all decoding is left to kafkajs.
const consumer = kafka.consumer({
  groupId: `ceiling-${topic}-${partition}-${process.pid}-${Date.now()}`,
  partitionAssigners: [assignExactly([{ topic, partition }], () => undefined)],
  maxBytes: bytesMax,
  maxBytesPerPartition: bytesMax,
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
