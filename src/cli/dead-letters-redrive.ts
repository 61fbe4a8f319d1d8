import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { FoundLetter } from '../activities/dead-letters.ts';
import type { RedriveDeps } from '../activities/redrive.ts';
import { IngotError } from '../errors.ts';
import { dropTopic } from '../lake/dropped-object.ts';
import {
  type Correction,
  type DeadLetter,
  type RedriveSent,
  correct,
  decideRedrive,
} from '../lake/dead-letters.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import {
  type CorrectionFlags,
  type FilterFlags,
  parseCorrection,
  parseFilterFlags,
  requireIds,
  requireOneWay,
} from './dead-letters-options.ts';
import {
  addFilterOptions,
  findAll,
  type OpenLake,
  openLake,
  readWithProgress,
} from './dead-letters-read.ts';
import { addExamples } from './help.ts';

type RedriveFlags = FilterFlags &
  CorrectionFlags & {
    readonly yes?: true;
    readonly dryRun?: true;
    readonly force?: true;
    readonly json?: true;
    readonly author?: string;
  };

export function addRedriveCommand(parent: Command, context: CliContext): void {
  const command = addFilterOptions(
    parent
      .command('redrive')
      .description('Send dead letters through their topic again, as they came or corrected.')
      .argument('[id...]', 'as `ingot dead-letters list` has them; or choose by the filters'),
  )
    .option('--value-file <file>', 'send the bytes of this file instead')
    .option(
      '--set <field=json>',
      'set a field of the JSON object; may be repeated',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--yes', 'send more than one')
    .option('--dry-run', 'say what would be sent, and send nothing')
    .option('--force', 'also send what was sent, or may have been')
    .option('--author <name>', 'who asks for it, kept beside the lake (the login name)')
    .option('--json', 'print what was done as JSON')
    .action((ids: readonly string[], flags: RedriveFlags) => redriveAll(context, ids, flags));
  const id = 'clicks-0-000000000007/4711';
  addExamples(command, [
    [`ingot dead-letters redrive ${id}`, 'As it came.'],
    [`ingot dead-letters redrive ${id} --set 'event_id="e-1"'`, 'With a field corrected.'],
    [`ingot dead-letters redrive ${id} --value-file fixed.json`, 'With other bytes.'],
    ['ingot dead-letters redrive --reason TIME_OUT_OF_RANGE --dry-run', 'What would be sent.'],
    ['ingot dead-letters redrive --reason TIME_OUT_OF_RANGE --yes', 'All of one kind.'],
  ]);
}

type Planned = FoundLetter & { readonly value: Uint8Array | null };

async function redriveAll(
  context: CliContext,
  ids: readonly string[],
  flags: RedriveFlags,
): Promise<void> {
  requireOneWay(ids, flags);
  requireIds(ids);
  const correction = await parseCorrection(flags, readIfThere);
  const { limit } = parseFilterFlags(flags);
  const lake = await openLake(context);
  const letters =
    ids.length > 0
      ? await findAll(lake.deps, [...new Set(ids)])
      : await findByFilter({ context, lake, flags, limit });
  if (letters.length === 0) return context.console.say('There is nothing to send.');
  requireTopics(letters);
  requireOneForFile(letters.length, correction);
  const planned = withValues(letters, correction);
  if (flags.dryRun === true) return printPlan(context, planned, flags);
  if (planned.length > 1 && flags.yes !== true) {
    throw invalid(
      `${planned.length} dead letters are chosen; --yes sends them, --dry-run lists them`,
    );
  }
  await send({ context, lake, planned, flags, corrected: correction.kind !== 'none' });
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  // Whatever keeps it from being read, the person is told which file it is.
  return readFile(path).catch(() => null);
}

/** By filter, what was sent or may have been is left out unless a person insists. */
async function findByFilter(options: {
  readonly context: CliContext;
  readonly lake: OpenLake;
  readonly flags: RedriveFlags;
  readonly limit: number;
}): Promise<readonly FoundLetter[]> {
  const { context, lake, flags, limit } = options;
  const { filter } = parseFilterFlags(flags);
  const letters: FoundLetter[] = [];
  let tooMany = 0;
  let leftOut = 0;
  await readWithProgress({ context, deps: lake.deps, filter }, (found) => {
    for (const each of found) {
      if (decideRedrive(each.state, flags.force === true).kind === 'refuse') leftOut += 1;
      else if (letters.length < limit) letters.push(each);
      else tooMany += 1;
    }
  });
  const { say } = context.console;
  if (leftOut > 0) say(`${leftOut} were sent before, or may have been, and are left out.`);
  if (tooMany > 0) say(`${tooMany} more match; --limit has them.`);
  return letters;
}

function withValues(letters: readonly FoundLetter[], correction: Correction): readonly Planned[] {
  const problems: string[] = [];
  const planned = letters.flatMap((found): readonly Planned[] => {
    const corrected = correct(found.letter, correction);
    if (corrected.kind === 'value') return [{ ...found, value: corrected.value }];
    problems.push(`--set cannot correct ${found.letter.id}: ${corrected.why}`);
    return [];
  });
  if (problems.length === 0) return planned;
  throw invalid(problems.join('\n'));
}

/** What was dropped as a file has no topic to go through again. */
function requireTopics(letters: readonly FoundLetter[]): void {
  const dropped = letters.filter(({ letter }) => letter.topic === dropTopic);
  if (dropped.length === 0) return;
  const [first] = dropped;
  throw invalid(
    `${first!.letter.id} came in a dropped file (${first!.letter.detail.split(': ')[0]}), not through a topic: ` +
      'correct the lines and drop them in a file of another name',
  );
}

function requireOneForFile(count: number, correction: Correction): void {
  if (count === 1 || correction.kind !== 'value') return;
  throw invalid(`--value-file is the value of one dead letter, and ${count} are chosen`);
}

function invalid(message: string): IngotError {
  return new IngotError('INPUT_INVALID', message, { retryable: false });
}

function printPlan(
  { console }: CliContext,
  planned: readonly Planned[],
  flags: RedriveFlags,
): void {
  const rows = planned.map(({ letter, state, value }) => ({
    id: letter.id,
    reason: letter.reason,
    topic: letter.topic,
    partition: letter.partition,
    bytes: value?.byteLength ?? 0,
    state: state.kind,
    would_be: decideRedrive(state, flags.force === true).kind === 'send' ? 'sent' : 'refused',
  }));
  if (flags.json === true) return console.printJson(rows);
  const columns = ['id', 'reason', 'topic', 'partition', 'bytes', 'state', 'would_be'] as const;
  console.printTable(
    columns,
    rows.map((row) => columns.map((column) => row[column])),
  );
  console.say('Nothing was sent.');
}

type Sending = {
  readonly context: CliContext;
  readonly lake: OpenLake;
  readonly planned: readonly Planned[];
  readonly flags: RedriveFlags;
  readonly corrected: boolean;
};

async function send({ context, lake, planned, flags, corrected }: Sending): Promise<void> {
  const { redrive } = await import('../activities/redrive.ts');
  const { createKafka } = await import('../adapters/kafka-client.ts');
  const { withRedriveSender } = await import('../producer/redrive-sender.ts');
  const signal = context.interruption();
  const kafka = createKafka(lake.config, silentLogger);
  const topics = [...new Set(planned.map(({ letter }) => letter.topic))];
  const sent: RedriveSent[] = [];
  const refused: IngotError[] = [];
  const sendOne = async (deps: RedriveDeps, { letter, value }: Planned): Promise<void> => {
    try {
      sent.push(await redrive(deps, letter, { value, corrected, force: flags.force === true }));
    } catch (error) {
      if (error instanceof IngotError && error.code === 'REDRIVE_REFUSED') {
        refused.push(error);
        return;
      }
      context.console.say(`\`ingot dead-letters show ${letter.id}\` says whether it was claimed.`);
      throw error;
    }
  };
  try {
    await context.console.step(`Sending ${nameOf(planned)}`, (line) =>
      withRedriveSender({ kafka, topics }, async (send) => {
        const deps = depsOf(lake, send, flags);
        for (const each of planned) {
          // After a failure nothing more may be sent, so the first one ends it.
          signal.throwIfAborted();
          await sendOne(deps, each);
          line.update(sent.length + refused.length);
        }
        line.succeed(
          `${sent.length} sent${refused.length > 0 ? `, ${refused.length} refused` : ''}`,
        );
      }),
    );
  } finally {
    printSent(context, sent, flags);
  }
  if (refused.length === 0) return;
  const message = refused.map(({ message }) => message).join('\n');
  throw new IngotError('REDRIVE_REFUSED', message, { retryable: false });
}

function nameOf(planned: readonly { readonly letter: DeadLetter }[]): string {
  return planned.length === 1 ? planned[0]!.letter.id : `${planned.length} dead letters`;
}

function depsOf(lake: OpenLake, send: RedriveDeps['send'], flags: RedriveFlags): RedriveDeps {
  return {
    objects: lake.ports.objects,
    dataset: lake.deps.dataset,
    send,
    author: flags.author ?? loginName(),
    uniqueId: randomUUID,
    now: lake.ports.now,
  };
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no file has a name for.
    return 'unknown';
  }
}

function printSent(
  { console }: CliContext,
  sent: readonly RedriveSent[],
  flags: RedriveFlags,
): void {
  if (flags.json === true) return console.printJson(sent);
  if (sent.length === 0) return;
  console.printTable(
    ['id', 'topic', 'partition', 'offset'],
    sent.map(({ id, topic, partition, offset }) => [id, topic, partition, offset]),
  );
}
