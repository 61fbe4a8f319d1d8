import type { Command } from 'commander';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { ownerId } from '../lake/messages.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';

/** `ingot bookmark rebuild`: an owner that Temporal has lost goes on from what the lake says. */
export function addRebuildCommand(bookmark: Command, context: CliContext): void {
  const rebuild = bookmark
    .command('rebuild')
    .description(
      'Begin the owner of the windows anew from the ledger in the lake, after Temporal has lost it. ' +
        'Workers do the same by themselves when they start; this checks the whole ledger first.',
    )
    .option('--dry-run', 'check the ledger, and start nothing')
    .action(async ({ dryRun }: { dryRun?: true }) => rebuildOwner(context, dryRun === true));
  addExamples(rebuild, [
    ['ingot bookmark rebuild --dry-run', 'What there is to go on from.'],
    ['ingot bookmark rebuild', 'After the database of Temporal was lost.'],
  ]);
}

async function rebuildOwner({ console, env }: CliContext, dryRun: boolean): Promise<void> {
  const { config } = await configForAsking(env);
  const { createS3Client } = await import('../adapters/aws-clients.ts');
  const { createS3ObjectStore } = await import('../adapters/s3-object-store.ts');
  const { ledgerHead, walkLedger } = await import('../activities/ledger.ts');
  const store = { client: createS3Client(config), bucket: config.lakeBucket };
  const objects = createS3ObjectStore(store);
  const checked = await console.step('Checking the ledger', async (line) => {
    const head = await ledgerHead(objects, events.name);
    let entries = 0;
    if (head !== null) {
      for await (const _ of walkLedger(objects, events.name, head.next - 1)) {
        entries += 1;
        line.update(entries, 'entries');
      }
    }
    return head;
  });
  console.say(
    checked === null
      ? 'There is no ledger: every batch is routed again, and versions that are current stay.'
      : `The ledger is whole; its newest entry is ${checked.next - 1}, of ${checked.newest.at}.`,
  );
  if (dryRun) return;
  const { connectClient, startOwner } = await import('../workers/temporal.ts');
  const { client, connection } = await connectClient(config);
  try {
    if (!(await startOwner(client, events.name))) {
      const sentence = `${ownerId(events.name)} runs: it was not lost, and there is nothing to rebuild`;
      throw new IngotError('INPUT_INVALID', sentence, { retryable: false });
    }
    console.say(
      `${ownerId(events.name)} begins from there; \`ingot bookmark show\` says where it is.`,
    );
  } finally {
    await connection.close();
  }
}
