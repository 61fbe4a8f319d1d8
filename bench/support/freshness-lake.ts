import { waitForIngest, waitForOwner } from '../../src/cli/demo-wait.ts';
import { type Config, type Environment, loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { startOfHour } from '../../src/lake/time.ts';
import type { Ports } from '../../src/ports.ts';
import {
  startWorkerProcess,
  stopWorkerProcesses,
  workerKinds,
} from '../../src/stack/worker-processes.ts';
import { connectClient } from '../../src/workers/temporal.ts';
import { createPorts } from '../../src/workers/wiring.ts';
import { startProducer } from './freshness-process.ts';
import { silentLogger } from './measure.ts';

/* A pipeline as it ships, of real worker processes, and its current hour filled beforehand. */

export type FreshnessLake = {
  readonly config: Config;
  readonly env: Environment;
  readonly topic: string;
  /** As a reader on another machine has them: its cache of objects is its own. */
  readonly readerPorts: Ports;
  readonly prefill: (events: number, onProgress: (sent: number) => void) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const topicPartitions = 3;

export async function startFreshnessLake(
  stackEnv: Environment,
  { foldSeconds, readerFolder }: { readonly foldSeconds: number; readonly readerFolder: string },
): Promise<FreshnessLake> {
  const topic = 'ecommerce-bench';
  const env = {
    ...stackEnv,
    INGOT_ID: 'benchfresh',
    KAFKA_TOPICS: topic,
    GOLD_REFRESH: 'follow',
    FOLD_SECONDS: String(foldSeconds),
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'warn',
  };
  const config = loadConfig(env);
  const readerConfig = { ...config, INGOT_CACHE_DIR: readerFolder };
  const stop = async (): Promise<void> => void (await stopWorkerProcesses(config, config.INGOT_ID));
  try {
    await Promise.all(workerKinds.map((kind) => startWorkerProcess({ config, env, kind })));
    const readerPorts = await createPorts(readerConfig, events, silentLogger);
    const prefill = (count: number, onProgress: (sent: number) => void): Promise<void> =>
      prefillHour({ config, env, topic, ports: readerPorts, count, onProgress });
    return { config, env, topic, readerPorts, prefill, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const silentLine = {
  update: () => undefined,
  note: () => undefined,
  succeed: () => undefined,
  fail: () => undefined,
};

/** Events of this hour so far; resolves when all of them are in silver and gold. */
async function prefillHour(options: {
  readonly config: Config;
  readonly env: Environment;
  readonly topic: string;
  readonly ports: Ports;
  readonly count: number;
  readonly onProgress: (sent: number) => void;
}): Promise<void> {
  const { config, env, topic, ports, count, onProgress } = options;
  let sent = 0;
  const spec = {
    topic,
    partitions: topicPartitions,
    rate: null,
    count,
    fromMs: startOfHour(Date.now()),
    firstSerial: 0,
    markersPerSecond: 0,
  };
  const producer = startProducer(spec, env, (produced) => onProgress((sent += produced.sent)));
  await producer.ended;
  const signal = new AbortController().signal;
  const sealedTo = await waitForIngest({ ports, dataset: events, topic, signal }, silentLine);
  const { client, connection } = await connectClient(config);
  try {
    await waitForOwner({ client, config, dataset: events.name, sealedTo, signal }, silentLine);
  } finally {
    await connection.close();
  }
}
