import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import type { GateRef } from '../lake/cause.ts';
import type { WindowFacts } from '../lake/explain-facts.ts';
import { type Explanation, explain } from '../lake/explain.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { overlapping, parseWindowId } from '../lake/window.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { readWindowFacts } from './explain-read.ts';
import { gateNamed } from './gate.ts';
import { addExamples } from './help.ts';
import { withOwner } from './owner.ts';

export function addExplainCommand(program: Command, context: CliContext): void {
  const command = program
    .command('explain')
    .description(
      'Say why a window is as it is: what it waits for, why its version was built and who asked for ' +
        'that, and from which batches or versions of silver it was made. When the owner of the ' +
        'windows does not run, the lake alone answers.',
    )
    .argument('<table>', `${events.silver.name} (or ${events.name}), or a table of gold`)
    .argument(
      '<window>',
      'an hour such as 2026-08-21T13, or a day such as 2026-08-21; of a table by the hour, a day is ' +
        'each of its hours that there is something to say of',
    )
    .option('--json', 'print the explanation, and all that it was made from, as JSON')
    .action((table: string, window: string, { json }: { json?: true }) =>
      explainWindows(context, windowsNamed(table, window), json === true),
    );
  addExamples(command, [
    ['ingot explain events_cleaned 2026-08-21T13', 'One hour of silver.'],
    ['ingot explain top_products 2026-08-21', 'One day of gold, with the silver that it has read.'],
    ['ingot explain hourly_revenue 2026-08-21', 'Each of its hours on that day.'],
    ['ingot explain hourly_revenue 2026-08-21T13 --json', 'For a script.'],
  ]);
}

/** As for gates; silver goes by the name of its dataset, too. */
export function windowNamed(table: string, window: string): GateRef {
  return gateNamed(table === events.name ? events.silver.name : table, window);
}

/** A day of a table that is made by the hour stands for its hours. */
export function windowsNamed(table: string, window: string): readonly GateRef[] {
  const day = parseWindowId(window);
  const { grain } =
    [events.silver, ...events.gold].find(({ name }) => name === table) ?? events.silver;
  if (day?.grain !== 'day' || grain !== 'hour') return [windowNamed(table, window)];
  return overlapping(day, 'hour').map(({ id }) => windowNamed(table, id));
}

async function explainWindows(
  context: CliContext,
  refs: readonly GateRef[],
  json: boolean,
): Promise<void> {
  const { config } = await configForAsking(context.env);
  // Loaded on use: the SDK takes longer to load than the rest of a command.
  const { createS3Client } = await import('../adapters/aws-clients.ts');
  const { createS3ObjectStore } = await import('../adapters/s3-object-store.ts');
  const { describeLakehouse } = await import('../workers/wiring.ts');
  const client = createS3Client(config);
  let asked: Promise<OwnerState> | undefined;
  try {
    const sources = {
      objects: createS3ObjectStore({ client, bucket: config.lakeBucket }),
      status: () => (asked ??= withOwner(context, (owner) => owner.status())),
      settings: describeLakehouse(config, events).settings,
      now: Date.now,
    };
    const known = await context.console.step('Reading what is known of it', async ({ note }) => {
      const found: WindowFacts[] = [];
      for (const [index, ref] of refs.entries()) {
        if (refs.length > 1) note(`${index + 1} of ${refs.length}`);
        found.push(await readWindowFacts(sources, ref));
      }
      return found;
    });
    const explained = known.map((facts) => ({ facts, explanation: explain(facts) }));
    const [first] = explained;
    if (first !== undefined && explained.length === 1) {
      if (json) return context.console.printJson(explanationAsJson(first.facts, first.explanation));
      return context.console.printText(explanationAsText(first.explanation));
    }
    const told = explained.filter(({ facts }) => facts.pointer !== null || isKnown(facts));
    if (json) {
      const all = told.map(({ facts, explanation }) => explanationAsJson(facts, explanation));
      return context.console.printJson(all);
    }
    if (told.length === 0) return context.console.say('None of its hours was ever published.');
    const texts = told.map(({ explanation }) => explanationAsText(explanation));
    context.console.printText(
      texts.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
    );
  } finally {
    client.destroy();
  }
}

export function explanationAsText(explanation: Explanation): readonly string[] {
  const { headline, now, version, madeFrom } = explanation;
  const parts = [
    ['Now', now],
    ['Its version', version],
    ['Made from', madeFrom],
  ] as const;
  const told = parts.filter(([, sentences]) => sentences.length > 0);
  return [
    headline,
    ...told.flatMap(([title, sentences]) => ['', title, ...sentences.map((each) => `  ${each}`)]),
  ];
}

/** The sentences for a person, and beside them the facts for a script. */
export function explanationAsJson(facts: WindowFacts, explanation: Explanation): object {
  const { layer, table, window, owner, pointer, silverNow } = facts;
  const known = knownOf(facts);
  const silence = owner.kind === 'silent' ? owner.reason : null;
  return { layer, table, window, ...explanation, silence, known, pointer, silverNow };
}

/** What the owner has of the window in its state; null where it has nothing, or does not answer. */
function knownOf({ layer, table, window, owner }: WindowFacts): object | null {
  if (owner.kind === 'silent') return null;
  const { silver, gold } = owner.state;
  return (layer === 'silver' ? silver[window] : gold[`${table}/${window}`]) ?? null;
}

function isKnown(facts: WindowFacts): boolean {
  return knownOf(facts) !== null;
}
