import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import type { Environment } from '../config.ts';
import { IngotError, messageOf, type ErrorCode } from '../errors.ts';
import { addBackfillCommand } from './backfill.ts';
import { addBookmarkCommand } from './bookmark.ts';
import { addCatalogCommand } from './catalog.ts';
import { createConsole } from './console.ts';
import { createContext, Interrupted, type CliContext } from './context.ts';
import { addDeadLettersCommand } from './dead-letters.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addDownCommand } from './down.ts';
import { addDropCommand } from './drop.ts';
import { addExplainCommand } from './explain.ts';
import { addGateCommand } from './gate.ts';
import { addGenerateCommand, addSampleCommand } from './generate.ts';
import { addExamples } from './help.ts';
import { addJanitorCommand } from './janitor.ts';
import { addLanesCommand } from './lanes.ts';
import { addPauseCommands } from './pause.ts';
import { addProduceCommand } from './produce.ts';
import { addQueryCommand } from './query.ts';
import { addReplayCommand } from './replay.ts';
import { addScheduleCommand } from './schedule.ts';
import { addStatusCommand } from './status.ts';
import { addUpCommand } from './up.ts';
import { addWorkerCommand } from './worker.ts';

/** Every verb of `ingot`, in the order of the help. */
const verbs: readonly ((program: Command, context: CliContext) => void)[] = [
  addDemoCommand,
  addUpCommand,
  addDownCommand,
  addStatusCommand,
  addDoctorCommand,
  addWorkerCommand,
  addLanesCommand,
  addExplainCommand,
  addGateCommand,
  addBookmarkCommand,
  addPauseCommands,
  addBackfillCommand,
  addScheduleCommand,
  addProduceCommand,
  addGenerateCommand,
  addSampleCommand,
  addDropCommand,
  addQueryCommand,
  addDeadLettersCommand,
  addJanitorCommand,
  addCatalogCommand,
  addReplayCommand,
];

/** Faults that a person corrects by asking differently or by installing something. */
const usageCodes: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'INPUT_INVALID',
  'PREREQUISITE_MISSING',
];
const exitUsage = 2;

async function main(): Promise<number> {
  if (existsSync('.env')) {
    // Variables that are set already win over the file.
    process.loadEnvFile('.env');
  }
  // eslint-disable-next-line no-restricted-properties -- the entry point hands the environment on; config.ts reads it
  const env: Environment = process.env;
  const { stdout, stderr } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? 0 : 1),
  );
  const console = createConsole({ stdout, stderr, env, now: () => performance.now() });
  const context = createContext({
    env,
    console,
    onSignal: (name, listener) => void process.on(name, listener),
  });
  try {
    await createProgram(context).parseAsync();
    return 0;
  } catch (error) {
    return report(error, context);
  }
}

function createProgram(context: CliContext): Command {
  const program = new Command('ingot');
  program
    .description(
      'An event lakehouse on Temporal: Kafka in, trustworthy bronze, silver and gold tables out.',
    )
    .version(packageVersion())
    .showHelpAfterError('(`ingot --help` lists the verbs, `ingot <verb> --help` has examples)')
    .exitOverride();
  for (const addVerb of verbs) {
    addVerb(program, context);
  }
  addExamples(program, [
    ['ingot up', 'Start the local stack.'],
    ['ingot status', 'See what runs.'],
    ['ingot down', 'Stop what was started.'],
  ]);
  return program;
}

function report(error: unknown, { console, env }: CliContext): number {
  if (error instanceof CommanderError) {
    // Commander has already said it; help and version are not failures.
    return error.exitCode === 0 ? 0 : exitUsage;
  }
  if (error instanceof Interrupted) {
    console.say(error.message);
    return error.exitCode;
  }
  if (error instanceof IngotError) {
    console.say(`ingot: ${error.message}`);
    return usageCodes.includes(error.code) ? exitUsage : 1;
  }
  const missing = missingPlace(error);
  if (missing !== null) {
    console.say(`ingot: ${missing} \`ingot doctor\` says what is there.`);
    return exitUsage;
  }
  const debug = env['LOG_LEVEL'] === 'debug' || env['LOG_LEVEL'] === 'trace';
  const detail =
    debug && error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  console.say(
    `ingot: unexpected: ${detail}${debug ? '' : '\n(LOG_LEVEL=debug shows where it happened)'}`,
  );
  return 1;
}

/** A namespace or a bucket that is not there, whichever call met that: mostly it is of another name. */
function missingPlace(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const namespace = /Namespace not found: '?([^']+)'?|Namespace (\S+) is not found/.exec(
      at.message,
    );
    if (namespace !== null) {
      const name = namespace[1] ?? namespace[2] ?? '';
      return `Temporal has no namespace ${name}. Is INGOT_ID or TEMPORAL_NAMESPACE right?`;
    }
    const bucket = /NoSuchBucket.*\[bucket=([^,\]]+)/.exec(at.message)?.[1];
    if (bucket !== undefined) {
      return `S3 has no bucket ${bucket}. Is INGOT_ID or LAKE_BUCKET right?`;
    }
  }
  return null;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

process.exitCode = await main();
