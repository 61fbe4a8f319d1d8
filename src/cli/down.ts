import type { Command } from 'commander';
import { partNames } from '../stack/parts.ts';
import { stopStack } from '../stack/stack.ts';
import { hasWorkerProcesses, stopWorkerProcesses } from '../stack/worker-processes.ts';
import type { Config } from '../config.ts';
import type { CliContext } from './context.ts';
import { forgetDemo } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { stackReport } from './stack-report.ts';
import { IngotError } from '../errors.ts';

export function addDownCommand(program: Command, context: CliContext): void {
  const command = program
    .command('down')
    .description('Stop what `ingot up` has started, and nothing else. The data stays.')
    .argument('[parts...]', `only these: ${partNames.join(', ')}`)
    .action((parts: string[]) => down(context, parts));
  addExamples(command, [
    ['ingot down', 'Stop everything that was started here.'],
    ['ingot down kafka', 'Stop Kafka only.'],
  ]);
}

async function down(context: CliContext, wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((name) => !partNames.some((part) => part === name));
  if (unknown.length > 0) {
    throw new IngotError(
      'INPUT_INVALID',
      `no such part: ${unknown.join(', ')}. There are: ${partNames.join(', ')}`,
      {
        retryable: false,
      },
    );
  }
  const config = context.loadConfig();
  const only = partNames.filter((name) => wanted.length === 0 || wanted.includes(name));
  const workers = wanted.length === 0 ? await stopWorkers(context, config) : [];
  await forgetDemo(config);
  const results = await stopStack({ config, env: context.env, report: stackReport(context), only });
  if (results.length + workers.length === 0) {
    context.console.say('Nothing to stop: nothing was started here.');
  }
}

/** Workers go first: they finish what is in flight while their parts still answer. */
async function stopWorkers(context: CliContext, config: Config): Promise<readonly unknown[]> {
  if (!(await hasWorkerProcesses(config))) return [];
  return context.console.step('Workers: finishing what is in flight', () =>
    stopWorkerProcesses(config),
  );
}
