import { compileThread, startThread } from '../../src/workers/thread.ts';
import { createKafka, withAdmin } from '../../src/adapters/kafka-client.ts';
import { loadConfig } from '../../src/config.ts';
import { dealOut } from '../../src/lake/lanes.ts';
import type { TopicPartition } from '../../src/ports.ts';
import { type Measured, report, silentLogger } from './measure.ts';

/* A process that consumes and parses the topic, in as many worker threads as ingest has. */

export type ThreadSpec = {
  readonly topicPartitions: readonly ThreadPartition[];
};
export type ThreadPartition = TopicPartition & { readonly end: string };
export type ThreadReport = {
  readonly firstFetchMs: number;
  readonly doneMs: number;
  readonly records: number;
  readonly fields: number;
};

const topic = process.argv[2]!;
const config = loadConfig(process.env);
const kafka = createKafka(config, silentLogger);
const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
const before = process.cpuUsage();
const module = await compileThread(new URL(process.argv[3]!));
const all = offsets.map(({ partition, high }) => ({ topic, partition, end: high }));
const reports = await Promise.all(
  dealOut(all, config.INGEST_THREADS).map((topicPartitions) => runThread({ topicPartitions })),
);
const cpu = process.cpuUsage(before);
const measured: Measured = {
  records: reports.reduce((sum, { records }) => sum + records, 0),
  seconds:
    (Math.max(...reports.map(({ doneMs }) => doneMs)) -
      Math.min(...reports.map(({ firstFetchMs }) => firstFetchMs))) /
    1_000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  peakRssMiB: process.resourceUsage().maxRSS / 1_024,
};
report(measured);

function runThread(spec: ThreadSpec): Promise<ThreadReport> {
  const thread = startThread(module, { workerData: spec });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    // After its message this changes nothing.
    thread.once('exit', (code) => reject(new Error(`a thread ended with ${code}`)));
  });
}
