import type { Command } from 'commander';
import { ensureStack } from '../stack/stack.ts';
import { connectTemporal } from '../stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../stack/temporal-namespace.ts';
import { repairIfLost } from './catalog.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';
import { stackReport } from './stack-report.ts';

export function addUpCommand(program: Command, context: CliContext): void {
  const command = program
    .command('up')
    .description(
      'Start the local Temporal, Kafka and S3 with Glue, as far as the settings do not name others.',
    )
    .option('--json', 'print the parts as JSON')
    .action((options: { json?: true }) => up(context, options.json === true));
  addExamples(command, [
    ['ingot up', 'Start what is missing; safe to repeat.'],
    ['ingot up --json', 'The same, with addresses for a script.'],
    ['KAFKA_BROKERS=broker:9092 ingot up', 'Use that Kafka; start only the others.'],
    ['STACK_KAFKA_PORT=19092 ingot up', 'Another port, and with it another set of data.'],
  ]);
}

async function up(context: CliContext, json: boolean): Promise<void> {
  const config = context.loadConfig();
  const signal = context.interruption();
  const stack = await ensureStack({
    config,
    env: context.env,
    signal,
    report: stackReport(context),
  });
  await context.console.step(`Temporal: namespace ${config.temporalNamespace}`, async (line) => {
    const connection = await connectTemporal(config, 10_000);
    try {
      const { created } = await ensureTemporalNamespace({
        connection,
        namespace: config.temporalNamespace,
      });
      line.succeed(created ? 'created' : 'ready');
    } finally {
      await connection.close();
    }
  });
  // The local one only: what an `up` may do to an account that others share is not ours to say.
  if (config.AWS_ENDPOINT_URL === undefined && !config.AWS_USE_REAL) {
    await repairIfLost(context, config);
  }
  if (json) {
    context.console.printJson({ ...stack, temporalWebUrl: config.temporalWebUrl });
    return;
  }
  context.console.printTable(
    ['part', 'address', 'how'],
    stack.parts.map((part) => [part.title, part.address, part.how]),
  );
  context.console.say(`Temporal Web UI: ${config.temporalWebUrl}`);
}
