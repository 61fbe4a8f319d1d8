import type { Command } from 'commander';
import type { DeadLetterDeps, FoundLetter } from '../activities/dead-letters.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import type { DeadLetterFilter } from '../lake/dead-letters.ts';
import type { Ports } from '../ports.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliConsole, Progress } from './console.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';

/* Finding dead letters for the commands that list, show and send them. */

/** The lake that is asked, and the settings that name it. */
export type OpenLake = {
  readonly config: Config;
  readonly ports: Ports;
  readonly deps: DeadLetterDeps;
};

export async function openLake(context: CliContext): Promise<OpenLake> {
  const { config, demo } = await configForAsking(context.env);
  if (demo !== null) context.console.say(`Asking ${demo}, the demo that was left running.`);
  // Loaded on use: the engine takes longer to load than the rest of a command.
  const { createPorts } = await import('../workers/wiring.ts');
  const ports = await createPorts(config, events, silentLogger);
  return { config, ports, deps: { ports, dataset: events.name } };
}

/** The options by which dead letters are chosen. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--reason <reason>', 'only this reason, such as NOT_JSON')
    .option('--topic <name>', 'only of this Kafka topic')
    .option('--from <time>', 'ingested since this UTC date or time')
    .option('--to <time>', 'ingested before this time, or up to the end of this date')
    .option('--limit <n>', 'at most so many (100)');
}

/** Reads what matches; a line says how far that is, once it has taken a second. */
export async function readWithProgress(
  where: {
    readonly context: CliContext;
    readonly deps: DeadLetterDeps;
    readonly filter: DeadLetterFilter;
  },
  found: (letters: readonly FoundLetter[]) => void,
): Promise<void> {
  const { context, deps, filter } = where;
  const { readDeadLetters } = await import('../activities/dead-letters.ts');
  const line = lateProgress(context.console, 'Reading dead letters');
  try {
    await readDeadLetters(deps, filter, {
      found,
      progress: line.update,
      signal: context.interruption(),
    });
    line.get()?.succeed();
  } catch (error) {
    line.get()?.fail();
    throw error;
  }
}

const quietMs = 1_000;

function lateProgress(
  console: CliConsole,
  title: string,
): {
  readonly update: (done: number, total: number) => void;
  readonly get: () => Progress | undefined;
} {
  const startedMs = performance.now();
  let line: Progress | undefined;
  return {
    update: (done, total) => {
      if (performance.now() - startedMs >= quietMs) line ??= console.progress(title, total);
      line?.update(done);
    },
    get: () => line,
  };
}

/** In the order of the ids. Throws `INPUT_INVALID` naming all that there are not. */
export async function findAll(
  deps: DeadLetterDeps,
  ids: readonly string[],
): Promise<readonly FoundLetter[]> {
  const { findDeadLetter } = await import('../activities/dead-letters.ts');
  const found: FoundLetter[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    const letter = await findDeadLetter(deps, id);
    if (letter === null) missing.push(id);
    else found.push(letter);
  }
  if (missing.length === 0) return found;
  const names = missing.join(', ');
  throw new IngotError(
    'INPUT_INVALID',
    `there is no dead letter ${names}; \`ingot dead-letters list\` has those that there are`,
    { retryable: false },
  );
}
