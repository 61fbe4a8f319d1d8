import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError, messageOf } from '../errors.ts';
import {
  type Backfill,
  type BackfillLayer,
  type BackfillOnly,
  type BackfillOrder,
  type BackfillRange,
  backfillLayers,
  backfillOnly,
  backfillOrders,
  countedOf,
  rangeOf,
  rangeRefusal,
} from '../lake/backfill.ts';
import { backfillActions } from '../lake/backfill-control.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { silentLogger } from '../workers/logger.ts';
import type { BackfillPreview } from './backfill-preview.ts';
import {
  backfillColumns,
  backfillRow,
  endText,
  progressNote,
  shownBackfill,
} from './backfill-text.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';
import { type AskedOwner, author, withOwner } from './owner.ts';

type BackfillOptions = {
  readonly from?: string;
  readonly to?: string;
  readonly layers: string;
  readonly only: BackfillOnly;
  readonly order: BackfillOrder;
  readonly reason?: string;
  readonly dryRun?: true;
  readonly detach?: true;
  readonly json?: true;
};

export function addBackfillCommand(program: Command, context: CliContext): void {
  const command = program
    .command('backfill')
    .description(
      'Build a range of windows again. Regular builds go on meanwhile, and readers see the version ' +
        'before until the new one has passed its gate. Ctrl-C leaves the backfill running.',
    )
    .option('--from <window>', 'first hour or day (2026-08-21T13, 2026-08-21), in UTC')
    .option('--to <window>', 'last hour or day, inclusive')
    .option('--layers <list>', 'silver, gold or both', backfillLayers.join(','))
    .addOption(new Option('--only <what>', 'which windows').choices(backfillOnly).default('all'))
    .addOption(
      new Option('--order <order>', 'where to begin').choices(backfillOrders).default('oldest'),
    )
    .option('--reason <text>', 'why; it is kept in history and in every version that it makes')
    .option('--dry-run', 'say what would be built, and ask for nothing')
    .option('--detach', 'do not follow it to its end')
    .option('--json', 'print JSON')
    .action((options: BackfillOptions) => backfill(context, options));
  addExamples(command, [
    ['ingot backfill --from 2026-08-01 --to 2026-08-31 --dry-run', 'What a month would take.'],
    [
      'ingot backfill --from 2026-08-21T13 --to 2026-08-21T15 --reason "new prices"',
      'Three hours and their gold.',
    ],
    ['ingot backfill --from 2024-08-01 --to 2026-07-31 --order newest --detach --reason "…"', ''],
    ['ingot backfill list', 'All of them, and how far they are.'],
  ]);
  const list = command
    .command('list')
    .description('List the backfills that wait or run, and those that have ended last.')
    .option('--json', 'print JSON')
    .action((_: object, self: Command) => listBackfills(context, isJson(self)));
  addExamples(list, [['ingot backfill list --json', 'For a script.']]);
  for (const action of backfillActions) addControl(command, context, action);
}

const done = { pause: 'is paused', resume: 'goes on', cancel: 'is cancelled' } as const;

function addControl(
  command: Command,
  context: CliContext,
  action: (typeof backfillActions)[number],
): void {
  const control = command
    .command(action)
    .description(
      `${action[0]!.toUpperCase()}${action.slice(1)} a backfill. What runs comes to its end.`,
    )
    .argument('<id>', 'as `ingot backfill list` names it')
    .option('--reason <text>', 'why; it is kept in history')
    .action(async (id: string, _: object, self: Command) => {
      const { reason } = self.optsWithGlobals<{ reason?: string }>();
      const request = { id, action, author: author(), reason: needed(reason, '--reason') };
      await withOwner(context, (owner) => owner.update('controlBackfill', request));
      context.console.say(`Backfill ${id} ${done[action]}.`);
    });
  addExamples(control, [[`ingot backfill ${action} 20260821-133000 --reason "…"`, '']]);
}

/** The options of the parent come first in the line, so both may have been given it. */
function isJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: true }>().json === true;
}

async function listBackfills(context: CliContext, json: boolean): Promise<void> {
  const { backfills, ignored } = await withOwner(context, (owner) => owner.status());
  const shown = backfills.map((each) => shownBackfill(each, backfills, Date.now()));
  if (json) return context.console.printJson(shown);
  if (shown.length === 0) context.console.say('There is no backfill.');
  else context.console.printTable(backfillColumns, shown.map(backfillRow));
  for (const { at, reason } of ignored.filter(({ message }) => message === 'backfill')) {
    context.console.say(`A signal of ${at} was ignored: ${reason}`);
  }
}

async function backfill(context: CliContext, options: BackfillOptions): Promise<void> {
  const range = checkedRange(options, Date.now());
  const reason = options.dryRun === true ? '' : needed(options.reason, '--reason');
  await withOwner(context, async (owner) => {
    const preview = await previewed(context, await owner.status(), range);
    if (options.dryRun === true) {
      if (options.json === true) return context.console.printJson(preview);
      return printPreview(context, preview);
    }
    const request = { ...range, author: author(), reason };
    const { id } = (await owner.update('requestBackfill', request)) as { id: string };
    if (options.detach !== true) {
      context.console.say(previewText(preview));
      return follow(context, owner, id, options.json === true);
    }
    if (options.json === true) return context.console.printJson({ id, preview });
    context.console.say(
      `${previewText(preview)} It is backfill ${id}; \`ingot backfill list\` says how far it is.`,
    );
  });
}

/** The range that the options ask for; `INPUT_INVALID` naming what is wrong with them. */
export function checkedRange(
  options: Pick<BackfillOptions, 'from' | 'to' | 'layers' | 'only' | 'order'>,
  nowMs: number,
): BackfillRange {
  const layers = options.layers.split(',').map((layer) => layer.trim());
  const strange = layers.find((layer) => !backfillLayers.some((known) => known === layer));
  if (strange !== undefined)
    throw wrong(`there is no layer ${strange}; there are: ${backfillLayers.join(', ')}`);
  const [from, to] = [needed(options.from, '--from'), needed(options.to, '--to')];
  const { only, order } = options;
  try {
    const range = { ...rangeOf(from, to), layers: layers as BackfillLayer[], only, order };
    const refused = rangeRefusal(range, nowMs);
    if (refused === null) return range;
    throw wrong(refused);
  } catch (error) {
    throw error instanceof IngotError ? error : wrong(messageOf(error));
  }
}

function needed(value: string | undefined, option: string): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw wrong(`${option} is needed; \`ingot backfill --help\` has examples`);
}

function wrong(sentence: string): IngotError {
  return new IngotError('INPUT_INVALID', sentence, { retryable: false });
}

async function previewed(
  context: CliContext,
  state: OwnerState,
  range: BackfillRange,
): Promise<BackfillPreview> {
  const { config } = await configForAsking(context.env);
  const { createPorts } = await import('../workers/wiring.ts');
  const { previewBackfill } = await import('./backfill-preview.ts');
  const ports = await createPorts(config, events, silentLogger);
  return context.console.step('Looking at the range', (progress) =>
    previewBackfill({ ports, dataset: events, state }, range, {
      // Only a terminal redraws a line; in a log each day would be one.
      note: (text) => progress.update(0, text),
    }),
  );
}

function previewText({ windows, toBuild, leftOut, failed, missing }: BackfillPreview): string {
  return `${toBuild} of ${windows} windows are built, ${leftOut} are left out; ${missing} have no version yet, ${failed} are parked.`;
}

function printPreview({ console }: CliContext, preview: BackfillPreview): void {
  const { estimated, ...figures } = preview;
  const names: Readonly<Record<keyof typeof figures, string>> = {
    from: 'first hour',
    to: 'last hour',
    windows: 'windows of the range',
    published: 'have a version',
    missing: 'have none',
    failed: 'are parked',
    toBuild: 'would be built',
    leftOut: 'would be left out (open, empty, past retention, or not wanted)',
    rows: `silver rows of what has a version${estimated ? ', about' : ''}`,
    bytes: `silver bytes of it${estimated ? ', about' : ''}`,
  };
  const keys = Object.keys(names) as (keyof typeof figures)[];
  console.printTable(
    ['what', 'value'],
    keys.map((key) => [names[key], String(figures[key])]),
  );
}

const lookMs = 1_000;

/** Shows how far it is until it has ended; a fault where windows have failed or it was stopped. */
export async function follow(
  context: CliContext,
  owner: Pick<AskedOwner, 'status'>,
  id: string,
  json: boolean,
  everyMs = lookMs,
): Promise<void> {
  const signal = context.interruption();
  const first = backfillOf(await owner.status(), id);
  const line = context.console.progress(`Backfill ${id}`, first.total ?? undefined);
  for (;;) {
    const state = await owner.status();
    const found = backfillOf(state, id);
    if (found.ended !== null || found.paused) return report(context, line, found, json);
    line.update(countedOf(found.counts), progressNote(found, state.backfills, Date.now()));
    if (signal.aborted) {
      line.fail('goes on by itself; `ingot backfill list` says how far it is');
      signal.throwIfAborted();
    }
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

function report(
  { console }: CliContext,
  line: { readonly succeed: (note?: string) => void; readonly fail: (note?: string) => void },
  backfill: Backfill,
  json: boolean,
): void {
  const isGood = backfill.ended?.kind === 'done' && backfill.counts.failed === 0;
  if (isGood) line.succeed(endText(backfill));
  else line.fail(endText(backfill));
  if (json) console.printJson(shownBackfill(backfill, [], Date.now()));
  if (isGood) return;
  throw new IngotError(
    'BACKFILL_INCOMPLETE',
    'not every window was built; `ingot gate list` has those that wait for a decision',
    { retryable: false, facts: { backfill: backfill.id, failed: backfill.counts.failed } },
  );
}

function backfillOf({ backfills }: OwnerState, id: string): Backfill {
  const found = backfills.find((each) => each.id === id);
  if (found !== undefined) return found;
  throw wrong(`backfill ${id} has ended and is not remembered any more`);
}
