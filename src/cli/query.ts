import { type Command, Option } from 'commander';
import type { Answer } from '../activities/query.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { silentLogger } from '../workers/logger.ts';
import type { Ports, Value } from '../ports.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';

type QueryOptions = {
  readonly sql?: string;
  readonly date?: string;
  readonly from?: string;
  readonly to?: string;
  readonly format: 'table' | 'json' | 'csv';
};

/** Dates of a question without bounds: every calendar has an end. */
const firstDate = '0001-01-01';
const lastDate = '9999-12-31';

export function addQueryCommand(program: Command, context: CliContext): void {
  const command = program
    .command('query')
    .description('Ask the lake: a named question, or any SELECT over its tables.')
    .argument('[name]', 'a question of sql/events/queries; without one, they are listed')
    .option('--sql <select>', 'ask this SELECT instead')
    .option('--date <date>', 'one UTC date, YYYY-MM-DD')
    .option('--from <date>', 'first UTC date')
    .option('--to <date>', 'last UTC date, inclusive')
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .action((name: string | undefined, options: QueryOptions) => query(context, name, options));
  addExamples(command, [
    ['ingot query', 'List the questions and the tables.'],
    ['ingot query hourly_revenue', 'Revenue by hour of day.'],
    ['ingot query top_products --date 2026-08-21 --format csv', 'Of one day, for a spreadsheet.'],
    [
      'ingot query --sql "SELECT event_type, count(*) AS events FROM events_cleaned GROUP BY event_type"',
      'Any SELECT; silver includes the live tail.',
    ],
  ]);
}

async function query(
  context: CliContext,
  name: string | undefined,
  options: QueryOptions,
): Promise<void> {
  const { config, demo } = await configForAsking(context.env);
  if (demo !== null) context.console.say(`Asking ${demo}, the demo that was left running.`);
  const { dateFrom, dateTo } = dateRange(options);
  // Loaded on use: the engine takes longer to load than the rest of a command.
  const { createPorts } = await import('../workers/wiring.ts');
  const { ask } = await import('../activities/query.ts');
  const { tableNames } = await import('../activities/query-tables.ts');
  const ports = await createPorts(config, events, silentLogger);
  if (name === undefined && options.sql === undefined) {
    return list(context, ports, tableNames(events));
  }
  const sql = options.sql ?? namedQuery(ports, name!);
  const parameters = { date_from: dateFrom ?? firstDate, date_to: dateTo ?? lastDate };
  const answer = await ask({ ports, dataset: events }, { sql, parameters, dateFrom, dateTo });
  printAnswer(context, answer, options.format);
}

function namedQuery(ports: Ports, name: string): string {
  const file = ports.sql.queries[name];
  if (file !== undefined) return file.sql;
  const names = Object.keys(ports.sql.queries).join(', ');
  throw new IngotError('INPUT_INVALID', `there is no question ${name}; there are: ${names}`, {
    retryable: false,
  });
}

function dateRange({ date, from, to }: QueryOptions): {
  dateFrom: string | null;
  dateTo: string | null;
} {
  const given = Object.entries({ date, from, to }).filter(([, text]) => text !== undefined);
  const wrong = given
    .filter(([, text]) => !isDate(text!))
    .map(([flag, text]) => `--${flag} ${text}`);
  if (wrong.length > 0) {
    throw new IngotError('INPUT_INVALID', `not a date YYYY-MM-DD: ${wrong.join(', ')}`, {
      retryable: false,
    });
  }
  if (date !== undefined && (from !== undefined || to !== undefined)) {
    throw new IngotError('INPUT_INVALID', '--date excludes --from and --to', { retryable: false });
  }
  if (from !== undefined && to !== undefined && from > to) {
    throw new IngotError('INPUT_INVALID', `--from ${from} is after --to ${to}`, {
      retryable: false,
    });
  }
  return { dateFrom: date ?? from ?? null, dateTo: date ?? to ?? null };
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function list({ console }: CliContext, { sql }: Ports, tables: readonly string[]): void {
  const questions = Object.values(sql.queries).map(({ name, header }) => [
    name,
    firstSentence(header.purpose ?? ''),
  ]);
  console.printTable(['question', 'what it answers'], questions);
  console.say(`Tables for --sql: ${tables.join(', ')}`);
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0].replace(/\s+/g, ' ') ?? text;
}

export function printAnswer(
  { console }: CliContext,
  answer: Answer,
  format: QueryOptions['format'],
): void {
  const rows = answer.rows.map((row) => answer.columns.map((column) => row[column] ?? null));
  if (format === 'json') console.printJson(answer.rows);
  else if (format === 'csv') console.printCsv(answer.columns, rows);
  else
    console.printTable(
      answer.columns,
      rows.map((row) => row.map(shortened)),
    );
  if (answer.tailRows > 0) console.say(`${answer.tailRows} rows came from the live tail.`);
  if (answer.tailRowsLeftOut > 0) {
    console.say(
      `NOT SHOWN: ${answer.tailRowsLeftOut} rows that no build has taken yet, too many for one reader. ` +
        'The next builds show them; `ingot status` tells what holds them up.',
    );
  }
}

/** A person reads four decimals of a rate; JSON and CSV have them all. */
function shortened(value: Value): Value {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : value;
}
