import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { decide, readTaken, takenOf, versionOf } from '../activities/drop-index.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { type DropVerdict, dropFormat } from '../lake/drop.ts';
import { formatInstant } from '../lake/time.ts';
import type { CliContext } from './context.ts';
import { openDropFolder } from './drop-open.ts';
import { addExamples } from './help.ts';

export function addDropCommand(program: Command, context: CliContext): void {
  const drop = program
    .command('drop')
    .description('Drop event files into the lake, and decide about files that were replaced.');
  const put = drop
    .command('put')
    .description('Copy files into the drop folder; one that lies there already stays as it is.')
    .argument('<file...>', 'JSON Lines or CSV, plain or in gzip')
    .action((files: readonly string[]) => putFiles(context, files));
  addExamples(put, [['ingot drop put sample-data/dt=2026-08-21/*.json.gz', 'Some files.']]);
  const decision = drop
    .command('decide')
    .description('Say what becomes of an object that was replaced after it was taken.')
    .argument('<key>', 'the object, as `ingot lanes status` names it')
    .option('--take', 'take the version that lies there now; equal events are duplicates at silver')
    .option('--ignore', 'leave it: what was taken before stays')
    .requiredOption('--reason <text>', 'why; it is kept beside the lake')
    .action((key: string, flags: DecideFlags) => decideAbout(context, key, flags));
  const example = 'ingot drop decide landing/events/a.csv';
  addExamples(decision, [
    [`${example} --take --reason "corrected prices"`, 'The new version comes to bronze too.'],
    [`${example} --ignore --reason "uploaded twice"`, 'The new version is never read.'],
  ]);
  addExamples(drop, [
    ['ingot drop put events.csv', 'One file.'],
    ['ingot lanes status', 'What was taken, what waits, what needs a decision.'],
  ]);
}

async function putFiles(context: CliContext, files: readonly string[]): Promise<void> {
  const odd = files.filter((file) => dropFormat(file) === null);
  if (odd.length > 0) {
    throw invalid(`not of a kind that can be read, by their names: ${odd.join(', ')}`);
  }
  const { config, objects } = await openDropFolder(context);
  const there: string[] = [];
  await context.console.step(`Dropping ${files.length} files`, async (line) => {
    for (const [index, file] of files.entries()) {
      const bytes = await readFile(file).catch((cause: Error) => {
        throw invalid(`${file} cannot be read: ${cause.message}`);
      });
      const key = `${config.DROP_PREFIX}${basename(file)}`;
      const { kind } = await objects.createObject(key, bytes);
      if (kind === 'alreadyExists') there.push(key);
      line.update(index + 1, key);
    }
  });
  if (!config.DROP_ENABLED) {
    context.console.say('DROP_ENABLED is not true: what is dropped lies there until it is.');
  }
  if (there.length > 0) {
    throw invalid(`an object of this name lies there already, and stays: ${there.join(', ')}`);
  }
}

type DecideFlags = { readonly take?: true; readonly ignore?: true; readonly reason: string };

async function decideAbout(context: CliContext, key: string, flags: DecideFlags): Promise<void> {
  if ((flags.take === true) === (flags.ignore === true)) {
    throw invalid('say either --take or --ignore');
  }
  const verdict: DropVerdict = flags.take === true ? 'take' : 'ignore';
  const { objects } = await openDropFolder(context);
  const head = await objects.headObject(key);
  if (head === null) throw invalid(`there is no object ${key}`);
  const taken = takenOf(await readTaken(objects, events.name), versionOf(head));
  if (taken.size === 0) throw invalid(`nothing is to be decided: ${key} was never taken`);
  if (taken.has(versionOf(head).versionId)) {
    throw invalid(`nothing is to be decided: the version of ${key} that lies there was taken`);
  }
  const counts = await decide(objects, events.name, {
    schema: 1,
    key,
    etag: head.etag,
    verdict,
    author: loginName(),
    reason: flags.reason,
    time: formatInstant(Date.now()),
  });
  if (counts.verdict !== verdict) {
    throw invalid(
      `${counts.author} decided at ${counts.time} to ${counts.verdict} this version: ${counts.reason}`,
    );
  }
  const then = verdict === 'take' ? 'is taken at the next look' : 'is left alone';
  context.console.say(`${key} ${then}; decided by ${counts.author} at ${counts.time}.`);
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no file has a name for.
    return 'unknown';
  }
}

function invalid(message: string): IngotError {
  return new IngotError('INPUT_INVALID', message, { retryable: false });
}
