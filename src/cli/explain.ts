import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import type { GateRef } from '../lake/cause.ts';
import type { WindowFacts } from '../lake/explain-facts.ts';
import { type Explanation, explain } from '../lake/explain.ts';
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
    .argument('<window>', 'an hour such as 2026-08-21T13, or a day such as 2026-08-21')
    .option('--json', 'print the explanation, and all that it was made from, as JSON')
    .action((table: string, window: string, { json }: { json?: true }) =>
      explainWindow(context, windowNamed(table, window), json === true),
    );
  addExamples(command, [
    ['ingot explain events_cleaned 2026-08-21T13', 'One hour of silver.'],
    ['ingot explain top_products 2026-08-21', 'One day of gold, with the silver that it has read.'],
    ['ingot explain hourly_revenue 2026-08-21T13 --json', 'For a script.'],
  ]);
}

/** As for gates; silver goes by the name of its dataset, too. */
export function windowNamed(table: string, window: string): GateRef {
  return gateNamed(table === events.name ? events.silver.name : table, window);
}

async function explainWindow(context: CliContext, ref: GateRef, json: boolean): Promise<void> {
  const { config } = await configForAsking(context.env);
  // Loaded on use: the SDK takes longer to load than the rest of a command.
  const { createS3Client } = await import('../adapters/aws-clients.ts');
  const { createS3ObjectStore } = await import('../adapters/s3-object-store.ts');
  const { describeLakehouse } = await import('../workers/wiring.ts');
  const client = createS3Client(config);
  try {
    const sources = {
      objects: createS3ObjectStore({ client, bucket: config.lakeBucket }),
      status: () => withOwner(context, (owner) => owner.status()),
      settings: describeLakehouse(config, events).settings,
      now: Date.now,
    };
    const facts = await context.console.step('Reading what is known of it', () =>
      readWindowFacts(sources, ref),
    );
    const explanation = explain(facts);
    if (json) context.console.printJson(explanationAsJson(facts, explanation));
    else context.console.printText(explanationAsText(explanation));
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
  const known =
    owner.kind === 'silent'
      ? null
      : ((layer === 'silver'
          ? owner.state.silver[window]
          : owner.state.gold[`${table}/${window}`]) ?? null);
  const silence = owner.kind === 'silent' ? owner.reason : null;
  return { layer, table, window, ...explanation, silence, known, pointer, silverNow };
}
