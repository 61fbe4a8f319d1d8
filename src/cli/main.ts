import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import type { Environment } from '../config.ts';
import { IngotError, messageOf, type ErrorCode } from '../errors.ts';
import { createConsole } from './console.ts';
import { createContext, Interrupted, type CliContext } from './context.ts';
import { addExamples } from './help.ts';

type AddVerb = (program: Command, context: CliContext) => void;

/**
 * Every verb of `ingot`, in the order of the help. Loaded is only the one that was called: the clients
 * of Temporal, Kafka and AWS take longer to load than most verbs take to answer.
 */
const verbs: readonly {
  readonly names: readonly string[];
  readonly load: () => Promise<AddVerb>;
}[] = [
  { names: ['demo'], load: async () => (await import('./demo.ts')).addDemoCommand },
  { names: ['up'], load: async () => (await import('./up.ts')).addUpCommand },
  { names: ['down'], load: async () => (await import('./down.ts')).addDownCommand },
  { names: ['status'], load: async () => (await import('./status.ts')).addStatusCommand },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).addDoctorCommand },
  { names: ['worker'], load: async () => (await import('./worker.ts')).addWorkerCommand },
  { names: ['lanes'], load: async () => (await import('./lanes.ts')).addLanesCommand },
  { names: ['explain'], load: async () => (await import('./explain.ts')).addExplainCommand },
  { names: ['gate'], load: async () => (await import('./gate.ts')).addGateCommand },
  { names: ['bookmark'], load: async () => (await import('./bookmark.ts')).addBookmarkCommand },
  { names: ['pause', 'resume'], load: async () => (await import('./pause.ts')).addPauseCommands },
  { names: ['backfill'], load: async () => (await import('./backfill.ts')).addBackfillCommand },
  { names: ['schedule'], load: async () => (await import('./schedule.ts')).addScheduleCommand },
  { names: ['produce'], load: async () => (await import('./produce.ts')).addProduceCommand },
  { names: ['generate'], load: async () => (await import('./generate.ts')).addGenerateCommand },
  { names: ['sample'], load: async () => (await import('./generate.ts')).addSampleCommand },
  { names: ['drop'], load: async () => (await import('./drop.ts')).addDropCommand },
  { names: ['query'], load: async () => (await import('./query.ts')).addQueryCommand },
  {
    names: ['dead-letters'],
    load: async () => (await import('./dead-letters.ts')).addDeadLettersCommand,
  },
  { names: ['janitor'], load: async () => (await import('./janitor.ts')).addJanitorCommand },
  { names: ['catalog'], load: async () => (await import('./catalog.ts')).addCatalogCommand },
  { names: ['replay'], load: async () => (await import('./replay.ts')).addReplayCommand },
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
    const program = await createProgram(context, process.argv[2] ?? '');
    await program.parseAsync();
    return 0;
  } catch (error) {
    return report(error, context);
  }
}

/** With the verb that was called, or with all of them for help and for what there is not. */
async function createProgram(context: CliContext, called: string): Promise<Command> {
  const program = new Command('ingot');
  program
    .description(
      'An event lakehouse on Temporal: Kafka in, trustworthy bronze, silver and gold tables out.',
    )
    .version(packageVersion())
    .showHelpAfterError('(`ingot --help` lists the verbs, `ingot <verb> --help` has examples)')
    .exitOverride();
  const wanted = verbs.filter(({ names }) => names.includes(called));
  const loaded = await Promise.all((wanted.length > 0 ? wanted : verbs).map(({ load }) => load()));
  for (const addVerb of loaded) {
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
