import { Argument, type Command } from 'commander';
import { events } from '../datasets/events.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';
import { author, withOwner } from './owner.ts';

export function addPauseCommands(program: Command, context: CliContext): void {
  const pause = program
    .command('pause')
    .description('Start no new builds of a dataset. Running ones end, and ingest goes on.');
  addUpdate(pause, context, 'is paused; `ingot resume --reason …` lets it go on.');
  const resume = program.command('resume').description('Start builds of a dataset again.');
  addUpdate(resume, context, 'goes on.');
}

/** The owner's update has the name of the verb. */
function addUpdate(command: Command, context: CliContext, done: string): void {
  const verb = command.name();
  command
    .addArgument(
      new Argument('[dataset]', 'the dataset').choices([events.name]).default(events.name),
    )
    .requiredOption('--reason <text>', 'why; it is kept in history')
    .action(async (dataset: string, { reason }: { reason: string }) => {
      await withOwner(context, (owner) => owner.update(verb, { author: author(), reason }));
      context.console.say(`${dataset} ${done}`);
    });
  addExamples(command, [[`ingot ${verb} --reason "a look at the source"`, 'All its windows.']]);
}
