import type { Client } from '@temporalio/client';
import { ScheduleNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { scheduleId } from '../lake/messages.ts';
import {
  checkedHour,
  goldSchedule,
  noteOf,
  setPaused,
  triggerHour,
} from '../workers/schedule-requests.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { author } from './owner.ts';
import { rowsOf, shownSchedule } from './schedule-text.ts';

/* The Schedule of hourly gold, as a person sees, stops and pushes it. */

type Options = { readonly json?: true };

const pauses = [
  {
    verb: 'pause',
    description:
      'Call no hour due until it is resumed. Hours that pass meanwhile, and hours that wait, are ' +
      'not called later; `trigger` calls one.',
    done: 'is paused; `ingot schedule resume --reason …` lets it go on.',
    example: ['ingot schedule pause --reason "the source is being moved"', 'No hour is called.'],
  },
  {
    verb: 'resume',
    description: 'Call hours due again, from the next full hour on.',
    done: 'goes on.',
    example: ['ingot schedule resume --reason "the source is back"', 'Hours are called again.'],
  },
] as const;

export function addScheduleCommand(program: Command, context: CliContext): void {
  const schedule = program
    .command('schedule')
    .description('See, pause, resume and trigger the Schedule that calls hourly gold due.');
  const show = schedule
    .command('show')
    .description('Say when it runs next, which hours it has called due, and whether it is paused.')
    .option('--json', 'print JSON')
    .action((options: Options) => showSchedule(context, options));
  addExamples(show, [
    ['ingot schedule show', 'What it has done, and does next.'],
    ['ingot schedule show --json', 'For a script.'],
  ]);
  for (const pause of pauses) addPause(schedule, context, pause);
  addTrigger(schedule, context);
}

function addPause(
  schedule: Command,
  context: CliContext,
  { verb, description, done, example }: (typeof pauses)[number],
): void {
  const command = schedule
    .command(verb)
    .description(description)
    .requiredOption('--reason <text>', 'why; the Schedule keeps it, and `show` says it')
    .option('--json', 'print what the Schedule says now as JSON')
    .action(async ({ reason, json }: Options & { readonly reason: string }) => {
      const said = { author: author(), reason, atMs: Date.now() };
      noteOf(verb, said); // Nonsense is refused before anything is connected to.
      const answer = await withClient(context, `Asking it to ${verb}`, (client) =>
        setPaused(client, { dataset: events.name, verb, said }),
      );
      if (json === true) return context.console.printJson(answer);
      context.console.say(`${scheduleId(events.name)} ${done}`);
      if (answer.paused && answer.waiting > 0) {
        context.console.say(
          `${answer.waiting} hours wait for the owner, and are left out unless it is resumed before.`,
        );
      }
    });
  addExamples(command, [example]);
}

function addTrigger(schedule: Command, context: CliContext): void {
  const trigger = schedule
    .command('trigger')
    .description(
      'Call an hour due now, also while the Schedule is paused. Called twice, it is due once.',
    )
    .option('--hour <hour>', 'the hour in UTC, such as 2026-08-21T13 (default: the last whole one)')
    .option('--json', 'print the hour and the id of its run as JSON')
    .action(async ({ hour, json }: Options & { readonly hour?: string }) => {
      const named = checkedHour(hour, Date.now());
      const answer = await withClient(context, `Calling ${named} due`, (client) =>
        triggerHour(client, events.name, named),
      );
      if (json === true) return context.console.printJson(answer);
      context.console.say(
        answer.started
          ? `${named} is called due by ${answer.workflowId}.`
          : `${named} is being called due already: ${answer.workflowId} waits for the owner.`,
      );
    });
  addExamples(trigger, [
    ['ingot schedule trigger', 'The hour that ended last.'],
    ['ingot schedule trigger --hour 2026-08-21T13', 'One that was left out.'],
  ]);
}

async function showSchedule(context: CliContext, { json }: Options): Promise<void> {
  const shown = await withClient(context, 'Asking the Schedule', async (client) =>
    shownSchedule(await goldSchedule(client, events.name).describe()),
  );
  if (json === true) context.console.printJson(shown);
  else context.console.printTable(['what', 'value'], rowsOf(shown));
}

async function withClient<T>(
  context: CliContext,
  what: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { config, demo } = await configForAsking(context.env);
  if (demo !== null) context.console.say(`Asking ${demo}, the demo that was left running.`);
  const { connectClient } = await import('../workers/temporal.ts');
  const { client, connection } = await connectClient(config);
  try {
    return await context.console.step(what, () => work(client));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    const sentence = 'there is no Schedule yet; `ingot worker transform` makes it';
    throw new IngotError('INPUT_INVALID', sentence, {
      retryable: false,
      facts: { schedule: scheduleId(events.name) },
      cause: error,
    });
  } finally {
    await connection.close();
  }
}
