import type { Command } from 'commander';
import { messageOf } from '../errors.ts';
import { nameOf } from '../lake/owner-events.ts';
import { parkedWindows } from '../lake/owner-gates.ts';
import { stackStatus } from '../stack/status.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { printLogStates, readLogStates } from './lane-report.ts';
import { withOwner } from './owner.ts';

export function addStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description(
      'Say for each part where it is, whether it answers, and who started it; and where ingest is.',
    )
    .option('--json', 'print the parts as JSON')
    .action((options: { json?: true }) => status(context, options.json === true));
  addExamples(command, [
    ['ingot status', 'A table of the parts, and one of the topic partitions.'],
    ['ingot status --json', 'The parts for a script; `ingot lanes status --json` has the rest.'],
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
  await sayWhereIngestIs(
    context,
    parts.every(({ state }) => state === 'up'),
  );
}

/** What is down is in the table above already. */
async function sayWhereIngestIs(context: CliContext, isUp: boolean): Promise<void> {
  if (!isUp) return;
  const { config } = await configForAsking(context.env);
  try {
    printLogStates(context, await readLogStates(config));
  } catch (error) {
    context.console.say(`Where ingest is cannot be said: ${messageOf(error)}`);
  }
  await sayWhatWaits(context);
}

/** What waits for a person waits for ever, so whoever looks is told. */
async function sayWhatWaits(context: CliContext): Promise<void> {
  try {
    const parked = parkedWindows(await withOwner(context, (owner) => owner.status()));
    if (parked.length === 0) return;
    const [first] = parked;
    context.console.say(
      `${parked.length} of its gates wait for a decision (\`ingot gate list\`), the first of them ` +
        `${nameOf(first!)}: ${first!.reason}`,
    );
  } catch (error) {
    context.console.say(`What waits for a decision cannot be said: ${messageOf(error)}`);
  }
}
