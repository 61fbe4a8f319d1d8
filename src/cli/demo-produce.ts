import { createKafka, ensureTopic, withAdmin } from '../adapters/kafka-client.ts';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { hourMs } from '../lake/time.ts';
import { generateEvents } from '../producer/events.ts';
import { sendEvents } from '../producer/send-events.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import type { DemoOptions } from './demo-options.ts';

/* The events of a demo run, on their way to Kafka. */

export type Produced = {
  readonly records: number;
  /** Records that the generator made wrong on purpose, of either kind. */
  readonly malformed: number;
};

export async function produceDemoEvents(
  run: {
    readonly context: CliContext;
    readonly options: DemoOptions;
    readonly config: Config;
    readonly signal: AbortSignal;
  },
  topic: string,
): Promise<Produced> {
  const { context, options, config, signal } = run;
  const kafka = createKafka(config, silentLogger);
  await withAdmin(kafka, (admin) => ensureTopic(admin, topic, config.KAFKA_TOPIC_PARTITIONS));
  const endMs = Date.now();
  const { count, seed, duplicates, malformed, late } = options;
  const records = generateEvents({
    profile: 'ecommerce',
    seed,
    count,
    start: new Date(endMs - options.hours * hourMs).toISOString(),
    end: new Date(endMs).toISOString(),
    rates: { duplicates, malformed, late },
  });
  const line = context.console.progress(`Producing to ${topic}`, count);
  const onProgress = (sent: number) => line.update(sent);
  try {
    const { sent, kinds } = await sendEvents({ kafka, topic, records, onProgress, signal });
    signal.throwIfAborted();
    line.succeed(`${sent} records`);
    return { records: sent, malformed: kinds.malformed };
  } catch (error) {
    line.fail(messageOf(error));
    throw error;
  }
}
