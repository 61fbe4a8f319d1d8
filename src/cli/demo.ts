import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { type DemoFlags, parseDemoFlags } from './demo-options.ts';
import { addExamples } from './help.ts';

export function addDemoCommand(program: Command, context: CliContext): void {
  const command = program
    .command('demo')
    .description('The whole way once: events through Kafka, bronze, silver and gold, into answers.')
    .option('--count <n>', 'events to produce', '10000')
    .option(
      '--duplicates <share>',
      'share of records sent twice (0.07; 0 implies no faults at all)',
    )
    .option('--malformed <share>', 'share of malformed records (0.01)')
    .option('--late <share>', 'share of late events (0.02)')
    .option('--hours <n>', 'hours of event time, ending now', '6')
    .option('--seed <n>', 'the same seed makes the same events', '7')
    .option('--keep', 'leave the stack and the workers running')
    .option('--clean', 'remove what earlier demo runs left, and end')
    .option('--json', 'print the figures as one line of JSON at the end')
    .action((flags: DemoFlags) => demo(context, flags));
  addExamples(command, [
    ['ingot demo', 'About a minute, and it cleans up after itself.'],
    ['ingot demo --keep', 'Then look around: ingot query, the Temporal Web UI.'],
    ['ingot demo --count 100 --duplicates 0', '100 raw, 100 cleaned, 0 duplicates.'],
    ['ingot demo --clean', 'Remove the data of earlier runs.'],
  ]);
}

async function demo(context: CliContext, flags: DemoFlags): Promise<void> {
  if (flags.clean === true) {
    const { cleanDemos } = await import('./demo-clean.ts');
    await cleanDemos(context);
    return;
  }
  const options = parseDemoFlags(flags);
  const { runDemo } = await import('./demo-run.ts');
  await runDemo(context, options);
}
