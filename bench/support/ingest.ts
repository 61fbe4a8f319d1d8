import { BroadcastChannel } from 'node:worker_threads';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createS3Client, ensureBucket } from '../../src/adapters/aws-clients.ts';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { createKafkaEventSource } from '../../src/adapters/kafka-event-source.ts';
import { createS3ObjectStore } from '../../src/adapters/s3-object-store.ts';
import { loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { dealOut } from '../../src/lake/lanes.ts';
import { createGroupThreads } from '../../src/workers/ingest-threads.ts';
import { compileThread } from '../../src/workers/thread.ts';
import { report, silentLogger } from './measure.ts';

/* A process that ingests the topic into an empty lake, as the ingest worker does, and ends. */

const topic = process.argv[2]!;
const config = loadConfig(process.env);
const client = createS3Client(config);
await ensureBucket(client, config.lakeBucket, config.AWS_REGION);
const objects = createS3ObjectStore({ client, bucket: config.lakeBucket });
const kafka = createKafka(config, silentLogger);
const source = createKafkaEventSource({ kafka, logger: silentLogger, uniqueId: randomUUID });
const described = await source.describeTopic(topic);
const wanted = described.reduce(
  (sum, { offsetStart, offsetEnd }) => sum + Number(offsetEnd) - Number(offsetStart),
  0,
);

let firstFetchMs = Infinity;
const channel = new BroadcastChannel('first-fetch');
channel.onmessage = (message) => {
  firstFetchMs = Math.min(firstFetchMs, (message as { data: number }).data);
};
const startGroup = createGroupThreads({
  config,
  dataset: events,
  groups: config.INGEST_THREADS,
  module: await compileThread(new URL(process.argv[3]!)),
  logger: silentLogger,
});
const before = process.cpuUsage();
const groups = dealOut(described, config.INGEST_THREADS).map((topicPartitions) =>
  startGroup({ writer: `bench/${randomUUID()}`, topicPartitions }),
);
const sealed = (): number =>
  groups.flatMap((group) => group.reports()).reduce((sum, { records }) => sum + records, 0);
const failed = Promise.all(groups.map(({ ended }) => ended)).then(() => false);
for (let going = true; going && sealed() < wanted;) {
  going = await Promise.race([pause(20, true), failed]);
}
const doneMs = Date.now();
const cpu = process.cpuUsage(before);
for (const group of groups) group.finish();
const reports = (await Promise.all(groups.map(({ ended }) => ended))).flat();
channel.close();

const files = await objects.listObjects('bronze/');
const raws = await objects.listObjects('raw/');
const sum = (list: readonly { bytes: number }[]): number =>
  list.reduce((total, { bytes }) => total + bytes, 0);
const rows = reports.reduce((total, report) => total + report.rows, 0);
report({
  records: reports.reduce((total, { records }) => total + records, 0),
  seconds: (doneMs - firstFetchMs) / 1_000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  peakRssMiB: process.resourceUsage().maxRSS / 1_024,
  rows,
  bytesPerRow: sum(files) / rows,
  rawBytesPerRow: sum(raws) / rows,
  batches: files.length,
});
client.destroy();
