import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { type Command, Option } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { describeTally } from '../lake/janitor-tally.ts';
import { type JanitorReport, janitorDryRunId, janitorId, taskQueues } from '../lake/messages.ts';
import type { Progress } from './console.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';

type JanitorOptions = { readonly dryRun?: true; readonly format: 'table' | 'json' };

const lookEveryMs = 500;
/** Without an answer of a worker for so long, the progress says what may be missing. */
const patienceMs = 5_000;

export function addJanitorCommand(program: Command, context: CliContext): void {
  const command = program
    .command('janitor')
    .description(
      'Remove what is past its time: versions that nothing names, what crashed builds left, and ' +
        'whatever has a RETENTION_ setting. A Schedule does the same every day.',
    )
    .option('--dry-run', 'say what would be removed, and change nothing')
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'),
    )
    .action((options: JanitorOptions) => janitor(context, options));
  addExamples(command, [
    ['ingot janitor --dry-run', 'What is due now, and what waits for its grace.'],
    ['ingot janitor', 'Remove it; safe at any time, beside builds and queries.'],
    ['ingot janitor --dry-run --format json', 'For a script.'],
  ]);
}

async function janitor(context: CliContext, options: JanitorOptions): Promise<void> {
  const { config } = await configForAsking(context.env);
  const { connectClient } = await import('../workers/temporal.ts');
  const { client, connection } = await connectClient(config);
  const signal = context.interruption();
  const dryRun = options.dryRun === true;
  try {
    const handle = await startJanitor(client, dryRun);
    const title = dryRun ? 'Looking for what is past its time' : 'Removing what is past its time';
    const report = await context.console.step(title, (line) => follow(handle, line, signal));
    print(context, report, options.format);
  } finally {
    await connection.close();
  }
}

async function startJanitor(client: Client, dryRun: boolean): Promise<WorkflowHandle> {
  const dataset = events.name;
  const workflowId = dryRun ? janitorDryRunId(dataset) : janitorId(dataset);
  try {
    return await client.workflow.start('janitor', {
      workflowId,
      taskQueue: taskQueues.workflows,
      staticSummary: dryRun ? 'what the janitor would remove' : 'removes what is past its time',
      args: [{ dataset, dryRun }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new IngotError('INPUT_INVALID', 'the janitor runs already', {
      retryable: false,
      facts: { workflow: workflowId },
      cause: error,
    });
  }
}

/** Ctrl-C leaves the run going: the workflow does not need this command. */
async function follow(
  handle: WorkflowHandle,
  line: Progress,
  signal: AbortSignal,
): Promise<JanitorReport> {
  const result = handle.result() as Promise<JanitorReport>;
  const ended = result.then(
    () => true,
    () => true,
  );
  const startedMs = performance.now();
  let pages = 0;
  while (!(await Promise.race([ended, pause(lookEveryMs, false, { signal })]))) {
    if (pages === 0 && performance.now() - startedMs > patienceMs) {
      line.note('waits for a worker: does `ingot worker transform` run?');
    }
    const found = await progressOf(handle);
    if (found === null) continue;
    pages = found.pages;
    line.update(0, `page ${found.pages}, now at ${found.at}`);
  }
  return result;
}

/** `null` while no worker answers; the run itself goes on when one comes. */
async function progressOf(
  handle: WorkflowHandle,
): Promise<(JanitorReport & { readonly at: string }) | null> {
  const asked = handle.query<JanitorReport & { readonly at: string }>('progress');
  // A query without a worker waits long, and is only asked for the sake of the progress line.
  return Promise.race([asked.catch(() => null), pause(lookEveryMs, null)]);
}

function print({ console }: CliContext, report: JanitorReport, format: 'table' | 'json'): void {
  if (format === 'json') return console.printJson(report);
  const { removed, waiting, building, notBuilt } = report.tally;
  console.printTable(
    [report.dryRun ? 'would be removed' : 'removed', 'objects', 'bytes'],
    Object.entries(removed).map(([kind, { objects, bytes }]) => [kind, objects, bytes]),
  );
  console.say(describeTally(report.tally, report.dryRun));
  if (waiting > 0)
    console.say(`${waiting} are named by nothing, and wait for JANITOR_GRACE_HOURS.`);
  if (building > 0) console.say(`${building} are due, and stay while builds of their window run.`);
  if (notBuilt > 0) {
    console.say(
      `${notBuilt} batches are past their retention, and stay until silver has their rows.`,
    );
  }
}
