import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { IngotError, messageOf } from '../errors.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';

type ReplayFlags = { readonly running?: true; readonly json?: true };

type Replayed = {
  readonly workflowId: string;
  readonly runId: string;
  readonly error: string | null;
};

export function addReplayCommand(program: Command, context: CliContext): void {
  const command = program
    .command('replay')
    .description(
      'Replay the history of a workflow with the code of this folder, to see before a release ' +
        'whether the two fit. Changes nothing.',
    )
    .argument('[id...]', 'workflow ids, such as lakehouse/events; of each, its newest run')
    .option('--running', 'every workflow that is open now')
    .option('--json', 'print the outcome as JSON')
    .action((ids: readonly string[], flags: ReplayFlags) => replay(context, ids, flags));
  addExamples(command, [
    ['ingot replay lakehouse/events', 'The owner of all windows.'],
    [
      'ingot replay --running',
      'All that a release would take over; ends with 1 if one does not fit.',
    ],
  ]);
}

async function replay(
  context: CliContext,
  ids: readonly string[],
  flags: ReplayFlags,
): Promise<void> {
  if (ids.length === 0 && flags.running !== true)
    throw invalid('name a workflow, or say --running');
  const { config } = await configForAsking(context.env);
  const { connectClient } = await import('../workers/temporal.ts');
  const { client, connection } = await connectClient(config);
  try {
    const wanted = flags.running === true ? [...ids, ...(await runningIds(client))] : ids;
    const replayed = await replayAll(context, config, client, [...new Set(wanted)]);
    print(context, replayed, flags.json === true);
    const broken = replayed.filter(({ error }) => error !== null).length;
    if (broken > 0) throw new Error(`${broken} of ${replayed.length} histories do not replay`);
  } finally {
    await connection.close();
  }
}

async function runningIds(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  const query = 'ExecutionStatus = "Running"';
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

async function replayAll(
  { console }: CliContext,
  config: Config,
  client: Client,
  ids: readonly string[],
): Promise<readonly Replayed[]> {
  // Loaded on use: the worker and its bundler take longer to load than the rest of a command.
  const { Worker } = await import('@temporalio/worker');
  const { cachedWorkflowBundle } = await import('../workers/workflow-bundle.ts');
  const workflowBundle = await console.step('Bundling the workflow code', () =>
    cachedWorkflowBundle(config),
  );
  return console.step('Replaying', async (line) => {
    const replayed: Replayed[] = [];
    for (const workflowId of ids) {
      line.update(replayed.length, workflowId);
      const handle = client.workflow.getHandle(workflowId);
      const { runId } = await describe(handle);
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const error = await Worker.runReplayHistory({ workflowBundle }, history, workflowId).then(
        () => null,
        messageOf,
      );
      replayed.push({ workflowId, runId, error });
    }
    return replayed;
  });
}

async function describe(
  handle: ReturnType<Client['workflow']['getHandle']>,
): Promise<{ readonly runId: string }> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw invalid(`there is no workflow ${handle.workflowId}`);
    throw error;
  }
}

function print({ console }: CliContext, replayed: readonly Replayed[], json: boolean): void {
  if (json) return console.printJson(replayed);
  console.printTable(
    ['workflow', 'run', 'outcome'],
    replayed.map(({ workflowId, runId, error }) => [workflowId, runId, error ?? 'replays']),
  );
}

function invalid(sentence: string): IngotError {
  return new IngotError('INPUT_INVALID', sentence, { retryable: false });
}
