import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import { messageOf } from '../errors.ts';
import { formatInstant } from '../lake/time.ts';
import type { DropFile } from '../producer/drop-files.ts';
import type { CliContext } from './context.ts';
import {
  type GenerateDefaults,
  type GenerateFlags,
  type GenerateRequest,
  generateDefaults,
  parseGenerateFlags,
  sampleDefaults,
} from './generate-options.ts';
import { addExamples } from './help.ts';

type Flags = GenerateFlags & { readonly json?: true };

export function addGenerateCommand(program: Command, context: CliContext): void {
  const command = addOptions(
    program
      .command('generate')
      .description('Make event files, one for each interval, and drop them into the lake.'),
    generateDefaults,
  ).action((flags: Flags) => generate(context, flags, generateDefaults));
  addExamples(command, [
    ['ingot generate', 'The last five minutes: one file of 500,000 to 750,000 events.'],
    ['ingot generate --scale 0.01 --format csv', 'A hundredth of that, as CSV.'],
    [
      'ingot generate --start 2026-08-21T00:00:00Z --end 2026-08-22T00:00:00Z --to files',
      'A day of files in the folder files/.',
    ],
  ]);
}

export function addSampleCommand(program: Command, context: CliContext): void {
  const command = addOptions(
    program
      .command('sample')
      .description('Make two hours of event files, scaled down, to try things with.'),
    sampleDefaults,
  ).action((flags: Flags) => generate(context, flags, sampleDefaults));
  addExamples(command, [
    ['ingot sample', '24 files in sample-data/.'],
    ['ingot sample --to drop', 'The same, dropped into the lake.'],
  ]);
}

function addOptions(command: Command, { to, scale, hours }: GenerateDefaults): Command {
  const span = hours === null ? 'one interval' : `${hours} hours`;
  return command
    .option('--to <where>', `drop: the drop folder of the lake; else a folder here (${to})`)
    .option('--start <time>', `first event time (${span} before the end)`)
    .option('--end <time>', 'up to this time (the last whole interval)')
    .option('--interval <minutes>', 'one file for so many minutes (5)')
    .option('--events <range>', 'events of a file, before the scale (500000-750000)')
    .option('--duplicates <range>', 'share of a file that repeats an earlier event (0.05-0.1)')
    .option('--scale <factor>', `make so much of that (${scale})`)
    .option('--seed <n>', 'the same seed and times make the same files (1)')
    .option('--format <format>', 'jsonl or csv, both in gzip (jsonl)')
    .option('--json', 'print what was made as JSON');
}

type Made = {
  readonly file: string;
  readonly start: string;
  readonly records: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** False: an object of this name lies there already, and stays as it is. */
  readonly created: boolean;
};

async function generate(
  context: CliContext,
  flags: Flags,
  defaults: GenerateDefaults,
): Promise<void> {
  const { json, ...options } = flags;
  const request = parseGenerateFlags(options, defaults, Date.now());
  // Loaded on use: Faker takes longer to load than the rest of a command.
  const { dropFiles } = await import('../producer/drop-files.ts');
  const files = dropFiles(request.files);
  const { console } = context;
  const signal = context.interruption();
  const put = await openTarget(context, request);
  const total = files.reduce((sum, { records }) => sum + records, 0);
  const line = console.progress(`Making ${files.length} files`, total);
  const made: Made[] = [];
  let before = 0;
  try {
    for (const file of files) {
      signal.throwIfAborted();
      const done = await put(file, (records) => line.update(before + records, file.name), signal);
      made.push(done);
      before += file.records;
      line.update(before, file.name);
    }
    line.succeed();
  } catch (error) {
    line.fail(messageOf(error).split('\n')[0]);
    throw error;
  } finally {
    report(context, made, json === true);
  }
}

type Put = (
  file: DropFile,
  onProgress: (records: number) => void,
  signal: AbortSignal,
) => Promise<Made>;

const fields = events.fields.map(({ wireName }) => wireName);

async function openTarget(context: CliContext, { to }: GenerateRequest): Promise<Put> {
  const { encodeDropFile, writeDropFile } = await import('../producer/drop-files.ts');
  if (to !== 'drop') {
    return async (file, onProgress, signal) => {
      const written = await writeDropFile(file, to, { fields, onProgress, signal });
      return { ...madeOf(file, `${to}/${file.name}`), ...written, created: true };
    };
  }
  const { openDropFolder } = await import('./drop-open.ts');
  const { objects, config } = await openDropFolder(context);
  if (!config.DROP_ENABLED) {
    context.console.say('DROP_ENABLED is not true: what is dropped lies there until it is.');
  }
  return async (file, onProgress, signal) => {
    const key = `${config.DROP_PREFIX}${file.name}`;
    const { bytes, duplicates } = await encodeDropFile(file, { fields, onProgress, signal });
    const { kind } = await objects.createObject(key, bytes);
    const created = kind === 'created';
    return { ...madeOf(file, key), duplicates, bytes: bytes.byteLength, created };
  };
}

function madeOf(
  { startMs, records }: DropFile,
  name: string,
): Pick<Made, 'file' | 'start' | 'records'> {
  return { file: name, start: formatInstant(startMs), records };
}

function report({ console }: CliContext, made: readonly Made[], isJson: boolean): void {
  if (isJson) return console.printJson(made);
  if (made.length === 0) return;
  console.printTable(
    ['file', 'records', 'duplicates', 'bytes', 'state'],
    made.map(({ file, records, duplicates, bytes, created }) => [
      file,
      records,
      duplicates,
      bytes,
      created ? 'made' : 'was there, left as it is',
    ]),
  );
}
