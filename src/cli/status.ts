import type { Command } from 'commander';
import { stackStatus } from '../stack/status.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';

export function addStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description('Say for each part where it is, whether it answers, and who started it.')
    .option('--json', 'print the parts as JSON')
    .action((options: { json?: true }) => status(context, options.json === true));
  addExamples(command, [
    ['ingot status', 'A table of the parts.'],
    ['ingot status --json', 'The same for a script.'],
  ]);
}

async function status(context: CliContext, json: boolean): Promise<void> {
  const config = context.loadConfig();
  const parts = await stackStatus({ config, env: context.env });
  if (json) {
    context.console.printJson(parts);
    return;
  }
  context.console.printTable(
    ['part', 'address', 'state', 'how', 'pid', 'data'],
    parts.map(({ title, address, state, how, pid, dataFolder }) => [
      title,
      address,
      state,
      how,
      pid,
      dataFolder,
    ]),
  );
}
