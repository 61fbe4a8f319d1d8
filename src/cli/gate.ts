import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import type { GateRef } from '../lake/cause.ts';
import type { GateDecision } from '../lake/owner-events.ts';
import { type ParkedWindow, parkedWindows } from '../lake/owner-gates.ts';
import { isWildGate, wildGate } from '../lake/owner-wild.ts';
import { formatInstant } from '../lake/time.ts';
import { wildTimesId } from '../lake/wild-times.ts';
import { parseWindowId } from '../lake/window.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';
import { author, formatOption, withOwner } from './owner.ts';

type Format = { readonly format: 'table' | 'json' };

const decisions: readonly {
  readonly verb: GateDecision;
  readonly description: string;
  readonly needsReason: boolean;
  readonly done: string;
  /** Of the rows that were held because of wild event times. */
  readonly doneWild: string;
}[] = [
  {
    verb: 'retry',
    description: 'Build a parked window again: its cause has been corrected.',
    needsReason: false,
    done: 'is built again',
    doneWild: 'are looked at again, by the limit of now',
  },
  {
    verb: 'waive',
    description:
      'Build a parked window again and publish it in spite of the checks that have failed. Any ' +
      'other check that fails parks it again. The version says who waived what, and why.',
    needsReason: true,
    done: 'is built again and published in spite of its gate',
    doneWild: 'go into their windows, a few at a time',
  },
  {
    verb: 'abandon',
    description: 'Leave a parked window at its last good version until new rows come.',
    needsReason: true,
    done: 'stays at its last good version',
    doneWild: 'stay in bronze, and nowhere else',
  },
];

export function addGateCommand(program: Command, context: CliContext): void {
  const gate = program
    .command('gate')
    .description('See the windows that wait for a person, and decide about them.');
  const list = gate
    .command('list')
    .description('List the parked windows, those that wait longest first.')
    .addOption(formatOption())
    .action((options: Format) => listGates(context, options));
  addExamples(list, [['ingot gate list --format json', 'For a script.']]);
  const show = gate
    .command('show')
    .description('Say everything that is known of one parked window.')
    .argument('<table>', 'the table, such as events_cleaned')
    .argument('<window>', 'the window, such as 2026-08-21T13')
    .addOption(formatOption())
    .action((table: string, window: string, options: Format) =>
      showGate(context, parkedNamed(table, window), options),
    );
  addExamples(show, [['ingot gate show events_cleaned 2026-08-21T13', 'One hour of silver.']]);
  for (const { verb, description, needsReason, done, doneWild } of decisions) {
    const command = gate
      .command(verb)
      .description(description)
      .argument('<table>', 'the table, such as events_cleaned')
      .argument('<window>', 'the window, such as 2026-08-21T13')
      .action(async (table: string, window: string, { reason }: { reason?: string }) => {
        const ref = parkedNamed(table, window);
        const request = { ...ref, decision: verb, author: author(), reason: reason ?? '' };
        await withOwner(context, (owner) => owner.update('resolveGate', request));
        context.console.say(
          isWildGate(ref) ? `Rows of ${window} ${doneWild}.` : `${table} ${window} ${done}.`,
        );
      });
    const why = 'why; it is kept in history and in dq_results';
    if (needsReason) command.requiredOption('--reason <text>', why);
    else command.option('--reason <text>', why);
    addExamples(command, [
      [`ingot gate ${verb} events_cleaned 2026-08-21T13 --reason "seen by ops"`, 'One hour.'],
    ]);
  }
}

async function listGates(context: CliContext, { format }: Format): Promise<void> {
  const parked = parkedWindows(await withOwner(context, (owner) => owner.status())).map(shown);
  if (format === 'json') return context.console.printJson(parked);
  if (parked.length === 0) return context.console.say('No window is parked.');
  context.console.printTable(
    ['table', 'window', 'since', 'why'],
    parked.map(({ table, window, since, reason }) => [table, window, since, reason]),
  );
}

async function showGate(context: CliContext, ref: GateRef, { format }: Format): Promise<void> {
  const state = await withOwner(context, (owner) => owner.status());
  const found = parkedWindows(state).find(
    ({ layer, table, window }) =>
      layer === ref.layer && table === ref.table && window === ref.window,
  );
  if (found === undefined) throw wrong(`${ref.table ?? 'silver'} ${ref.window} is not parked`);
  const facts = shown(found);
  if (format === 'json') return context.console.printJson(facts);
  context.console.printTable(
    ['what', 'value'],
    Object.entries(facts).map(([what, value]) => [
      what,
      typeof value === 'string' ? value : value.join(', '),
    ]),
  );
}

function shown({ layer, table, window, sinceMs, reason, checks }: ParkedWindow) {
  const name = table ?? events.silver.name;
  return { layer, table: name, window, since: formatInstant(sinceMs), reason, checks };
}

/** A gate also of rows that are held because of wild event times, which are of no one window. */
function parkedNamed(table: string, window: string): GateRef {
  const isWild = table === events.silver.name && window === wildTimesId;
  return isWild ? wildGate : gateNamed(table, window);
}

/** The gate that a person means by a table and a window; `INPUT_INVALID` for none. */
export function gateNamed(table: string, window: string): GateRef {
  const tables = [events.silver, ...events.gold];
  const found = tables.find(({ name }) => name === table);
  if (found === undefined) {
    throw wrong(`there is no table ${table}; there are: ${tables.map((t) => t.name).join(', ')}`);
  }
  if (parseWindowId(window)?.grain !== found.grain) {
    const like = found.grain === 'hour' ? '2026-08-21T13' : '2026-08-21';
    throw wrong(`${window} is no window of ${table}; one is written as ${like}`);
  }
  return { layer: found.layer, table: found.layer === 'silver' ? null : table, window };
}

function wrong(sentence: string): IngotError {
  return new IngotError('INPUT_INVALID', sentence, { retryable: false });
}
