import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import { type FilterFlags, parseFilterFlags, requireIds } from './dead-letters-options.ts';
import { addFilterOptions, findAll, openLake, readWithProgress } from './dead-letters-read.ts';
import { addRedriveCommand } from './dead-letters-redrive.ts';
import {
  cellsOf,
  countsLine,
  listColumns,
  listed,
  type ListedLetter,
  shownJson,
  shownLines,
  tableCells,
  tableColumns,
} from './dead-letters-text.ts';
import { addExamples } from './help.ts';

export function addDeadLettersCommand(program: Command, context: CliContext): void {
  const command = program
    .command('dead-letters')
    .description('List, show and send again the records that could not be placed.');
  addExamples(command, [
    ['ingot dead-letters list', 'What could not be placed, and why.'],
    ['ingot dead-letters show clicks-0-000000000007/4711', 'Everything about one.'],
    ['ingot dead-letters redrive clicks-0-000000000007/4711', 'Send it through its topic again.'],
  ]);
  addListCommand(command, context);
  addShowCommand(command, context);
  addRedriveCommand(command, context);
}

type ListFlags = FilterFlags & {
  readonly format: 'table' | 'json' | 'csv';
  readonly json?: true;
};

function addListCommand(parent: Command, context: CliContext): void {
  const command = addFilterOptions(
    parent
      .command('list')
      .description('List dead letters in the order of their ingest, and count them by reason.'),
  )
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .option('--json', 'the same as --format json')
    .action((flags: ListFlags) => list(context, flags));
  addExamples(command, [
    ['ingot dead-letters list --from 2026-08-21', 'Since the beginning of a day.'],
    ['ingot dead-letters list --reason NOT_JSON --limit 20', 'The first of one kind.'],
    ['ingot dead-letters list --format csv --limit 100000', 'For a spreadsheet.'],
  ]);
}

async function list(context: CliContext, flags: ListFlags): Promise<void> {
  const { filter, limit } = parseFilterFlags(flags);
  const { deps } = await openLake(context);
  const shown: ListedLetter[] = [];
  const counts = new Map<string, number>();
  await readWithProgress({ context, deps, filter }, (letters) => {
    for (const found of letters) {
      const { reason } = found.letter;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      if (shown.length < limit) shown.push(listed(found));
    }
  });
  const { console } = context;
  const format = flags.json === true ? 'json' : flags.format;
  if (format === 'json') console.printJson(shown);
  else if (format === 'csv') console.printCsv(listColumns, shown.map(cellsOf));
  else if (shown.length > 0) console.printTable(tableColumns, shown.map(tableCells));
  console.say(countsLine(counts));
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (all > shown.length) console.say(`The first ${shown.length} are shown; --limit has more.`);
}

function addShowCommand(parent: Command, context: CliContext): void {
  const command = parent
    .command('show')
    .description('Show everything about one dead letter, its bytes included.')
    .argument('<id>', 'as `ingot dead-letters list` has it')
    .option('--json', 'print it as JSON')
    .action((id: string, flags: { readonly json?: true }) => show(context, id, flags));
  addExamples(command, [
    ['ingot dead-letters show clicks-0-000000000007/4711', 'For a person.'],
    ['ingot dead-letters show clicks-0-000000000007/4711 --json', 'For a program.'],
  ]);
}

async function show(
  context: CliContext,
  id: string,
  flags: { readonly json?: true },
): Promise<void> {
  requireIds([id]);
  const { deps } = await openLake(context);
  const [found] = await findAll(deps, [id]);
  const { lastAttempt } = await import('../activities/redrive.ts');
  const attempt = await lastAttempt(deps.ports.objects, deps.dataset, id);
  const { console } = context;
  if (flags.json === true) console.printJson(shownJson(found!, attempt));
  else console.printTable(['what', 'value'], shownLines(found!, attempt));
}
