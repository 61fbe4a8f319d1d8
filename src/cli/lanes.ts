import { WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import { readControl } from '../activities/control.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import type { AcceptedGap, LogRequest } from '../lake/messages.ts';
import { laneId } from '../lake/messages.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { laneOfLog } from './lane-states.ts';
import { notRunning, printLogStates, readLogStates } from './lane-report.ts';
import { author, updateOrRefusal, withOwner } from './owner.ts';

type Decision = 'pauseLog' | 'resumeLog' | 'acceptOffsetGap';

export function addLanesCommand(program: Command, context: CliContext): void {
  const lanes = program
    .command('lanes')
    .description('See how far ingest is, and decide about source logs that need a person.');
  const status = lanes
    .command('status')
    .description('Say for each topic partition where it is, how far behind, and what stops it.')
    .option('--json', 'print them as JSON')
    .action((options: { json?: true }) => showStatus(context, options.json === true));
  addExamples(status, [['ingot lanes status', 'Lag and frontier of each topic partition.']]);
  addDecision(lanes, context, {
    verb: 'pause',
    update: 'pauseLog',
    description: 'Stop one source log; the others go on. Windows that it may have rows for wait.',
    done: (log) =>
      `${log} stops within seconds; \`ingot lanes resume ${log} --reason …\` lets it go on.`,
  });
  addDecision(lanes, context, {
    verb: 'resume',
    update: 'resumeLog',
    description: 'Let a source log go on that is paused, or that another writer has taken over.',
    done: (log) => `${log} goes on within seconds.`,
  });
  const retire = lanes
    .command('retire')
    .description(
      'Say that nothing serves a source log any more, such as one of a topic that was taken out of ' +
        'KAFKA_TOPICS: windows wait for it no more. What it has brought stays, and when it brings ' +
        'something new it counts again.',
    )
    .argument('<log>', 'the source log, as `ingot bookmark show` names it')
    .requiredOption('--reason <text>', 'why; it is kept in history and in the ledger')
    .action((log: string, { reason }: { reason: string }) => retireLog(context, log, reason));
  addExamples(retire, [
    ['ingot lanes retire old-events-0 --reason "the topic is gone"', 'One topic partition.'],
  ]);
  addDecision(lanes, context, {
    verb: 'accept-gap',
    update: 'acceptOffsetGap',
    description:
      'Go on behind records that Kafka has lost, or in a topic that was made anew. The log keeps ' +
      'what is missing, who decided it and why.',
    done: (log, answer) => {
      const { offsetFirst, offsetNext } = answer as AcceptedGap;
      return `${log} goes on at offset ${offsetNext}; missing from offset ${offsetFirst} on.`;
    },
  });
}

type DecisionVerb = {
  readonly verb: string;
  readonly update: Decision;
  readonly description: string;
  readonly done: (log: string, answer: unknown) => string;
};

function addDecision(lanes: Command, context: CliContext, decision: DecisionVerb): void {
  const { verb, update, description, done } = decision;
  const command = lanes
    .command(verb)
    .description(description)
    .argument('<log>', 'the source log, as `ingot lanes status` names it')
    .requiredOption('--reason <text>', 'why; it is kept in history')
    .action(async (log: string, { reason }: { reason: string }) => {
      const answer = await decide(context, update, { log, reason, author: author() });
      context.console.say(done(log, answer));
    });
  addExamples(command, [
    [`ingot lanes ${verb} ecommerce-events-0 --reason "asked for by ops"`, 'One topic partition.'],
  ]);
}

async function retireLog(context: CliContext, log: string, reason: string): Promise<void> {
  const { config } = await configForAsking(context.env);
  const topic = /^(.+)-\d+$/.exec(log)?.[1];
  if (config.KAFKA_TOPICS.split(',').some((each) => each === topic)) {
    const sentence = `${topic} is one of KAFKA_TOPICS, so that ${log} would count again at once`;
    throw new IngotError('INPUT_INVALID', sentence, { retryable: false });
  }
  await withOwner(context, (owner) => owner.update('retireLog', { log, reason, author: author() }));
  context.console.say(`No window waits for ${log} any more.`);
}

async function decide(
  context: CliContext,
  update: Decision,
  request: LogRequest,
): Promise<unknown> {
  const { config } = await configForAsking(context.env);
  const { connectClient } = await import('../workers/temporal.ts');
  const { createGroupPorts } = await import('../workers/ingest-wiring.ts');
  const { objects } = await createGroupPorts(config, silentLogger);
  const { lanes } = await readControl(objects, events.name);
  const { client, connection } = await connectClient(config);
  const workflowId = laneId(events.name, laneOfLog(request.log, lanes));
  try {
    const handle = client.workflow.getHandle(workflowId);
    return await context.console.step(`Asking ${workflowId}`, () =>
      updateOrRefusal(handle, update, request),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notRunning(workflowId, error);
    throw error;
  } finally {
    await connection.close();
  }
}

async function showStatus(context: CliContext, json: boolean): Promise<void> {
  const { config } = await configForAsking(context.env);
  const states = await readLogStates(config);
  if (json) context.console.printJson(states);
  else printLogStates(context, states);
}
