import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { assignExactly } from '../../src/adapters/kafka-assignment.ts';
import { awaitCoordinator } from '../../src/adapters/kafka-consumer.ts';
import { loadConfig } from '../../src/config.ts';
import { silentLogger } from './measure.ts';
import type { ThreadReport, ThreadSpec } from './ceiling.ts';

/* Topic partitions, consumed and parsed, and nothing else: what no ingest in Node can pass. */

const { topicPartitions } = workerData as ThreadSpec;
const kafka = createKafka(loadConfig(process.env), silentLogger);
const bytesMax = 1_048_576;
const unfinished = new Map(topicPartitions.map(({ partition, end }) => [partition, BigInt(end)]));
// As the product opens it, but all decoding is left to kafkajs.
const consumer = kafka.consumer({
  groupId: `ceiling-${randomUUID()}`,
  partitionAssigners: [assignExactly(topicPartitions, () => undefined)],
  maxBytes: bytesMax,
  maxBytesPerPartition: bytesMax,
});
let firstFetchMs = 0;
let records = 0;
let fields = 0;
consumer.on(consumer.events.FETCH_START, () => (firstFetchMs ||= Date.now()));
await consumer.connect();
await consumer.subscribe({
  topics: [...new Set(topicPartitions.map(({ topic }) => topic))],
  fromBeginning: true,
});
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
      const end = unfinished.get(batch.partition) ?? 0n;
      if (BigInt(batch.lastOffset()) + 1n >= end) unfinished.delete(batch.partition);
      if (unfinished.size === 0) resolve();
    },
  });
});
await done;
const report: ThreadReport = { firstFetchMs, doneMs: Date.now(), records, fields };
parentPort!.postMessage(report);
await consumer.disconnect();
