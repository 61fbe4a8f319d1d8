import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import type { LedgerEntry } from '../lake/ledger.ts';
import { unpackOwner } from '../lake/owner-packed.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { parseBatchName } from '../lake/paths.ts';
import { parseInstant } from '../lake/time.ts';
import type { ObjectStore } from '../ports.ts';
import { addRebuildCommand } from './bookmark-rebuild.ts';
import { causeOf, movesOf } from './bookmark-text.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { author, formatOption, withOwner } from './owner.ts';

type Format = { readonly format: 'table' | 'json' };
type HistoryFlags = Format & { readonly limit: string; readonly log?: string };
type RewindFlags = { readonly to: string; readonly reason: string; readonly log?: string };

export function addBookmarkCommand(program: Command, context: CliContext): void {
  const bookmark = program
    .command('bookmark')
    .description('See up to which batch each source log was routed to windows, and go back.');
  const show = bookmark
    .command('show')
    .description('Say for each source log where the bookmark stands.')
    .addOption(formatOption())
    .action(async ({ format }: Format) => {
      const state = await withOwner(context, (owner) => owner.status());
      printPositions(context, state, format);
    });
  addExamples(show, [['ingot bookmark show', 'All source logs.']]);
  const history = bookmark
    .command('history')
    .description('List what became of the bookmark, newest first, as the ledger in the lake says.')
    .option('--limit <count>', 'how many entries; 0 for all', '20')
    .option('--log <log>', 'only entries that moved this source log')
    .addOption(formatOption())
    .action((flags: HistoryFlags) => showHistory(context, flags));
  addExamples(history, [
    ['ingot bookmark history', 'The last twenty entries.'],
    ['ingot bookmark history --limit 0 --format json', 'All, with the whole chain checked.'],
  ]);
  const at = bookmark
    .command('at')
    .description('Say where the bookmark stood at a time.')
    .argument('<time>', 'such as 2026-08-21T13:00:00Z')
    .addOption(formatOption())
    .action(async (time: string, { format }: Format) => {
      const entry = await entryThen(await openObjects(context), time);
      context.console.say(`Entry ${entry.number} of the ledger, kept at ${entry.at}.`);
      printPositions(context, unpackOwner(entry.state), format);
    });
  addExamples(at, [['ingot bookmark at 2026-08-21T13:00:00Z', 'Where it stood at one o’clock.']]);
  const rewind = bookmark
    .command('rewind')
    .description(
      'Route batches once more, and rebuild every window that they touch. Readers see the versions ' +
        'before until the new ones are published.',
    )
    .requiredOption('--to <batch|time>', 'the batch to stand at, or a time in the ledger')
    .requiredOption('--reason <text>', 'why; it is kept in the ledger')
    .option('--log <log>', 'the source log; by a time, all of them')
    .action((flags: RewindFlags) => rewindTo(context, flags));
  addExamples(rewind, [
    ['ingot bookmark rewind --log clicks-0 --to 41 --reason "new SQL"', 'All after batch 41.'],
    ['ingot bookmark rewind --to 2026-08-21T13:00:00Z --reason "new SQL"', 'Where it stood then.'],
  ]);
  addRebuildCommand(bookmark, context);
}

/** Loaded on use: the SDK takes longer to load than the rest of a command. */
async function openObjects(context: CliContext): Promise<ObjectStore> {
  const { config } = await configForAsking(context.env);
  const { createS3Client } = await import('../adapters/aws-clients.ts');
  const { createS3ObjectStore } = await import('../adapters/s3-object-store.ts');
  return createS3ObjectStore({ client: createS3Client(config), bucket: config.lakeBucket });
}

function printPositions(
  { console }: CliContext,
  { logs }: Pick<OwnerState, 'logs'>,
  format: Format['format'],
): void {
  const rows = Object.entries(logs).map(([log, { routedTo, sealedTo, frontier, retired }]) => ({
    log,
    routedTo,
    sealedTo,
    lag: sealedTo - routedTo,
    frontier,
    retired: retired === true,
  }));
  if (format === 'json') return console.printJson(rows);
  if (rows.length === 0) return console.say('No source log has reported yet.');
  console.printTable(
    ['source log', 'routed to', 'sealed to', 'lag', 'frontier'],
    rows.map(({ log, routedTo, sealedTo, lag, frontier, retired }) => [
      ...[log, routedTo, sealedTo, lag],
      retired ? `${frontier}, retired` : frontier,
    ]),
  );
}

async function showHistory(context: CliContext, flags: HistoryFlags): Promise<void> {
  const limit = Number(flags.limit);
  if (!Number.isSafeInteger(limit) || limit < 0) throw wrong(`not a limit: ${flags.limit}`);
  const { ledgerHead, walkLedger } = await import('../activities/ledger.ts');
  const objects = await openObjects(context);
  const head = await ledgerHead(objects, events.name);
  const found: LedgerEntry[] = [];
  if (head !== null) {
    for await (const { entry } of walkLedger(objects, events.name, head.next - 1)) {
      if (flags.log === undefined || isAbout(entry, flags.log)) found.push(entry);
      if (limit > 0 && found.length >= limit) break;
    }
  }
  if (flags.format === 'json') return context.console.printJson(found);
  if (found.length === 0) return context.console.say('The ledger has no such entry.');
  context.console.printTable(
    ['entry', 'at', 'bookmark', 'windows', 'rows', 'cause'],
    found.map((entry) => [
      entry.number,
      entry.at,
      movesOf(entry),
      entry.touched,
      entry.rows,
      causeOf(entry),
    ]),
  );
}

function isAbout({ moved, events: told }: LedgerEntry, log: string): boolean {
  return log in moved || told.some((event) => event.kind === 'rewound' && log in event.moved);
}

async function rewindTo(context: CliContext, flags: RewindFlags): Promise<void> {
  const to = await targetOf(context, flags);
  const request = { to, author: author(), reason: flags.reason };
  await withOwner(context, (owner) => owner.update('rewind', request));
  const where = Object.entries(to).map(([log, number]) => `${log} to batch ${number}`);
  context.console.say(
    `Rewound ${where.join(', ')}. What comes after is routed and built once more.`,
  );
}

/** A batch by its number or name, or where the bookmarks stood at a time. */
async function targetOf(
  context: CliContext,
  { to, log }: RewindFlags,
): Promise<Readonly<Record<string, number>>> {
  const named = parseBatchName(to);
  if (named !== null) return { [named.log]: named.number };
  if (/^-?\d+$/.test(to)) {
    if (log === undefined) throw wrong(`say of which source log ${to} is a batch: --log <log>`);
    return { [log]: Number(to) };
  }
  const then = unpackOwner((await entryThen(await openObjects(context), to)).state).logs;
  if (log !== undefined && then[log] === undefined) {
    throw wrong(`the ledger knows no source log ${log} at ${to}`);
  }
  const now = await withOwner(context, (owner) => owner.status());
  const moved = Object.keys(log === undefined ? now.logs : { [log]: true })
    .map((name) => [name, then[name]?.routedTo ?? -1] as const)
    .filter(([name, number]) => log !== undefined || number < (now.logs[name]?.routedTo ?? -1));
  if (moved.length === 0) throw wrong(`the bookmark has not moved since ${to}`);
  return Object.fromEntries(moved);
}

async function entryThen(objects: ObjectStore, time: string): Promise<LedgerEntry> {
  const ms = parseInstant(time);
  if (ms === null) throw wrong(`not a time: ${time}; one is written as 2026-08-21T13:00:00Z`);
  const { entryAtTime } = await import('../activities/ledger.ts');
  const entry = await entryAtTime(objects, events.name, ms);
  if (entry === null) throw wrong(`the ledger begins after ${time}`);
  return entry;
}

function wrong(sentence: string): IngotError {
  return new IngotError('INPUT_INVALID', sentence, { retryable: false });
}
