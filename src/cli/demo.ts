import type { Command } from 'commander';
import { IngotError } from '../errors.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';

export type DemoOptions = {
  readonly count: number;
  readonly duplicates: number;
  readonly malformed: number;
  readonly late: number;
  readonly hours: number;
  readonly seed: number;
  readonly keep: boolean;
  readonly json: boolean;
};

type Flags = {
  readonly count: string;
  readonly duplicates?: string;
  readonly malformed?: string;
  readonly late?: string;
  readonly hours: string;
  readonly seed: string;
  readonly keep?: true;
  readonly clean?: true;
  readonly json?: true;
};

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
    .action((flags: Flags) => demo(context, flags));
  addExamples(command, [
    ['ingot demo', 'About a minute, and it cleans up after itself.'],
    ['ingot demo --keep', 'Then look around: ingot query, the Temporal Web UI.'],
    ['ingot demo --count 100 --duplicates 0', '100 raw, 100 cleaned, 0 duplicates.'],
    ['ingot demo --clean', 'Remove the data of earlier runs.'],
  ]);
}

async function demo(context: CliContext, flags: Flags): Promise<void> {
  if (flags.clean === true) {
    const { cleanDemos } = await import('./demo-clean.ts');
    await cleanDemos(context);
    return;
  }
  const options = parseOptions(flags);
  const { runDemo } = await import('./demo-run.ts');
  await runDemo(context, options);
}

/** All wrong flags at once. */
export function parseOptions(flags: Flags): DemoOptions {
  const problems: string[] = [];
  const whole = (name: string, text: string, min: number, max: number): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`--${name} ${text}: a whole number from ${min} to ${max}`);
    return min;
  };
  const share = (name: string, text: string | undefined, byDefault: number): number => {
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (text.trim() !== '' && value >= 0 && value <= 0.5) return value;
    problems.push(`--${name} ${text}: a share from 0 to 0.5`);
    return byDefault;
  };
  const duplicates = share('duplicates', flags.duplicates, 0.07);
  const clean = flags.duplicates !== undefined && duplicates === 0;
  const options: DemoOptions = {
    count: whole('count', flags.count, 1, 5_000_000),
    duplicates,
    malformed: share('malformed', flags.malformed, clean ? 0 : 0.01),
    late: share('late', flags.late, clean ? 0 : 0.02),
    hours: whole('hours', flags.hours, 1, 48),
    seed: whole('seed', flags.seed, 0, 2_147_483_647),
    keep: flags.keep === true,
    json: flags.json === true,
  };
  if (problems.length === 0) return options;
  throw new IngotError('INPUT_INVALID', problems.join('\n'), { retryable: false });
}
