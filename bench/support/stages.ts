import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createS3Client, ensureBucket } from '../../src/adapters/aws-clients.ts';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { createKafkaEventSource } from '../../src/adapters/kafka-event-source.ts';
import { contentOfLines } from '../../src/activities/batch-content.ts';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../src/activities/line-buffer.ts';
import { loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { planEntry } from '../../src/lake/batch.ts';
import { createPlainScan } from '../../src/lake/plain-record.ts';
import { emptyLogState } from '../../src/lake/source-log.ts';
import type { SourceRecord } from '../../src/ports.ts';
import { createGroupPorts } from '../../src/workers/ingest-wiring.ts';
import { report, silentLogger } from './measure.ts';

/* Core-seconds of each stage of ingest, one after the other in one process, per million records. */

const topic = process.argv[2]!;
const recordsMax = 200_000;
const config = loadConfig(process.env);
const kafka = createKafka(config, silentLogger);
const source = createKafkaEventSource({ kafka, logger: silentLogger, uniqueId: randomUUID });
const [first] = await source.describeTopic(topic);
const wanted = Math.min(recordsMax, Number(first!.offsetEnd) - Number(first!.offsetStart));
const ports = await createGroupPorts(config, silentLogger);
const client = createS3Client(config);
await ensureBucket(client, config.lakeBucket, config.AWS_REGION);

const seconds: Record<string, number> = {};
const consumed = await stage('fetch', consume);
await stage('parse', async () => {
  let fields = 0;
  for (const { value } of consumed) {
    fields += Object.keys(JSON.parse(Buffer.from(value!).toString()) as object).length;
  }
  return fields;
});
const lines = await stage('lines', async () => {
  const buffer = createLineBuffer({
    scan: createPlainScan(events.fields, events.placement, isUtf8),
    eventTimeAheadMsMax: events.placement.eventTimeAheadMsMax,
    recordBytesMax: config.INGEST_RECORD_BYTES_MAX,
    chunks: createChunkPool(0),
  });
  for (const record of consumed) buffer.add(record, Date.now());
  return buffer.take();
});
const content = contentOfLines({ dataset: events, bronze: ports.bronze }, lines);
const plan = planEntry({
  log: `${topic}-0`,
  number: 1,
  writer: 'bench',
  nowMs: Date.now(),
  before: { ...emptyLogState, offsetNext: '0' },
  topic,
  partition: 0,
  offsetEnd: String(consumed.length),
  settings: {
    rawCopy: true,
    recordBytesMax: config.INGEST_RECORD_BYTES_MAX,
    contractHash: events.contractHash,
    encoder: ports.bronze.name,
  },
});
const raw = await stage('gzip', () => content.raw());
await content.encode(plan, {});
const { file } = await stage('encode', () => content.encode(plan, {}));
await stage('inspect', () => ports.bronze.inspect(file.bytes));
await stage('put bronze', () => ports.objects.createObject(`stages/${randomUUID()}`, file.bytes));
await stage('put raw', () => ports.objects.createObject(`stages/${randomUUID()}`, raw));
report({ records: consumed.length, seconds: 0, cpuSeconds: 0, peakRssMiB: 0, stages: seconds });
client.destroy();

async function stage<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  seconds[name] = (user + system) / wanted;
  return result;
}

async function consume(): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  const done = new AbortController();
  await source.read({
    positions: [{ topic, partition: 0, offset: '0' }],
    signal: done.signal,
    onFetched: async (fetched) => {
      records.push(...fetched.records);
      if (records.length >= wanted) done.abort();
    },
  });
  return records.slice(0, wanted);
}
