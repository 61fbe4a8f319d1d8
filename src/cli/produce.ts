import type { Command } from 'commander';
import { createKafka, ensureTopic, type KafkaClient, withAdmin } from '../adapters/kafka-client.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../ports.ts';
import type { SendSummary } from '../producer/send-events.ts';
import type { Cell, Progress } from './console.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';
import { parseProduceFlags, type ProduceFlags, type ProduceRequest } from './produce-options.ts';

export function addProduceCommand(program: Command, context: CliContext): void {
  const command = program
    .command('produce')
    .description('Send generated events to Kafka; the same flags make the same events.')
    .option('--profile <name>', 'ecommerce: shop events, or user-activity: pages and searches')
    .option('--count <n>', 'records to send; without it and a range, until Ctrl-C')
    .option(
      '--rate <n>',
      'records a second (live: 1, user-activity 1,000; else as fast as it goes)',
    )
    .option('--seed <n>', 'makes the products, the users and, with the start, the events (1)')
    .option('--duplicates <share>', 'share of records that repeat an earlier one (0)')
    .option('--malformed <share>', 'share of records that are wrong on purpose (0)')
    .option('--late <share>', 'share of events that arrive 1 to 3 hours late (0)')
    .option('--topic <name>', 'instead of ecommerce-events or user-activity-events')
    .option('--start <time>', 'first event time (live: now; else 2 hours before the end)')
    .option('--end <time>', 'spread the events up to this time (now)')
    .option('--json', 'print the summary as JSON')
    .action((flags: ProduceFlags & { json?: true }) => produce(context, flags));
  addExamples(command, [
    ['ingot produce', 'One shop event a second, until Ctrl-C.'],
    ['ingot produce --count 10000', 'At once, spread over the last two hours.'],
    ['ingot produce --count 10000 --duplicates 0.07 --malformed 0.01 --late 0.02', 'With faults.'],
    ['ingot produce --profile user-activity --rate 2000', 'Page views and searches.'],
    [
      'ingot produce --start 2026-08-20T00:00:00Z --end 2026-08-21T00:00:00Z --count 500000',
      'A whole day, busy in the evening.',
    ],
  ]);
}

async function produce(
  context: CliContext,
  flags: ProduceFlags & { readonly json?: true },
): Promise<void> {
  const request = parseProduceFlags(flags, Date.now());
  const config = context.loadConfig();
  const signal = context.interruption();
  const shown: Shown = { line: null, sent: 0 };
  const kafka = createKafka(config, notesOn(shown));
  const { topic } = request;
  const { partitions } = await context.console.step(`Topic ${topic}`, async (line) => {
    shown.line = line;
    const ensured = await withAdmin(kafka, (admin) =>
      ensureTopic(admin, topic, config.KAFKA_TOPIC_PARTITIONS),
    );
    line.succeed(`${ensured.partitions} topic partitions${ensured.created ? ', created' : ''}`);
    return ensured;
  });
  const summary = await send({ context, kafka, request, signal, shown });
  report(context, { request, partitions, summary, isJson: flags.json === true });
  // Without a count, Ctrl-C is how it ends; with one, less was sent than was asked for.
  if (summary.interrupted && request.timing.count !== undefined) signal.throwIfAborted();
}

/** The line that is shown just now. */
type Shown = { line: Progress | null; sent: number };

/** kafkajs repeats for a while what fails; a person should see why nothing moves. */
function notesOn(shown: Shown): Logger {
  const ignore = (): void => undefined;
  const warn = (_facts: object, message: string): void => shown.line?.update(shown.sent, message);
  return { debug: ignore, info: ignore, warn, error: warn };
}

async function send(options: {
  readonly context: CliContext;
  readonly kafka: KafkaClient;
  readonly request: ProduceRequest;
  readonly signal: AbortSignal;
  readonly shown: Shown;
}): Promise<SendSummary> {
  const { context, kafka, request, signal, shown } = options;
  const { profile, seed, rates, timing, topic, ratePerSecond } = request;
  const line = context.console.progress(`Producing to ${topic}`, timing.count);
  shown.line = line;
  try {
    // Loaded on use: Faker takes longer to load than the rest of a command.
    const { generateEvents } = await import('../producer/events.ts');
    const { sendEvents } = await import('../producer/send-events.ts');
    const summary = await sendEvents({
      kafka,
      topic,
      records: generateEvents({ profile, seed, rates, ...timing }),
      ...(ratePerSecond === null ? {} : { ratePerSecond }),
      onProgress: (sent) => {
        shown.sent = sent;
        line.update(sent, timing.count === undefined ? `${sent} records` : '');
      },
      signal,
    });
    line.succeed(summary.interrupted ? 'interrupted' : '');
    return summary;
  } catch (error) {
    line.fail(messageOf(error));
    throw error;
  }
}

function report(
  { console }: CliContext,
  done: {
    readonly request: ProduceRequest;
    readonly partitions: number;
    readonly summary: SendSummary;
    readonly isJson: boolean;
  },
): void {
  const { request, partitions, summary, isJson } = done;
  const { sent, bytes, kinds, faults, seconds, interrupted } = summary;
  const recordsPerSecond = seconds === 0 ? 0 : Math.round(sent / seconds);
  if (isJson) {
    const { topic, profile, seed, timing, rates } = request;
    const asked = { topic, partitions, profile, seed, ...timing, rates };
    const figures = { sent, bytes, kinds, faults, seconds, recordsPerSecond, interrupted };
    console.printJson({ ...asked, ...figures });
    return;
  }
  const row = (name: string, count: number): readonly Cell[] => [
    name,
    count,
    sent === 0 ? '' : `${((count / sent) * 100).toFixed(1)} %`,
  ];
  console.printTable(
    ['records', 'count', 'share'],
    [
      row('events', kinds.event),
      row('late events', kinds.late),
      row('duplicates', kinds.duplicate),
      row('malformed, for the dead letters', faults.unplaceable),
      row('malformed, against the contract', faults.contract),
      row('all', sent),
    ],
  );
  console.say(
    `${request.topic}: ${partitions} topic partitions, seed ${request.seed}, ` +
      `${seconds.toFixed(1)} s, ${recordsPerSecond.toLocaleString('en-US')} records/s`,
  );
}
