import type { Command } from 'commander';
import { IngotError } from '../errors.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';

export function addDoctorCommand(program: Command, context: CliContext): void {
  const command = program
    .command('doctor')
    .description('Check what Ingot leans on, and register what may be registered.')
    .option('--json', 'print the results as JSON')
    .action((options: { json?: true }) => doctor(context, options.json === true));
  addExamples(command, [
    ['ingot doctor', 'Temporal, Kafka, conditional writes of the store, the catalog, the clock.'],
    ['ingot doctor --json', 'The same, for a script.'],
  ]);
}

async function doctor(context: CliContext, json: boolean): Promise<void> {
  const config = context.loadConfig();
  const { preflights, runPreflights } = await import('../workers/preflight.ts');
  const results = await context.console.step('Looking at every part', () =>
    runPreflights(preflights(config, silentLogger, { catalog: true })),
  );
  if (json) context.console.printJson(results);
  else {
    const rows = results.map(({ name, ok, detail }) => [name, ok ? 'good' : 'not good', detail]);
    context.console.printTable(['part', 'state', 'what was found'], rows);
  }
  const bad = results.filter(({ ok }) => !ok).map(({ name }) => name);
  if (bad.length === 0) return;
  throw new IngotError('PART_UNREACHABLE', `not fit to run: ${bad.join(', ')}`, {
    retryable: true,
  });
}
