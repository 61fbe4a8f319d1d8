import { type Command, Option } from 'commander';
import type { TableRepair } from '../activities/catalog-repair.ts';
import type { CatalogDeps } from '../activities/catalog-tables.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';
import { addExamples } from './help.ts';

type RepairFlags = { readonly dryRun?: true; readonly format: 'table' | 'json' };

export function addCatalogCommand(program: Command, context: CliContext): void {
  const catalog = program
    .command('catalog')
    .description('Compare the Glue catalog with the lake, and make it anew.');
  const repair = catalog
    .command('repair')
    .description(
      'Make the catalog equal to the lake: databases, tables, and table partitions as the pointers ' +
        'and the ingest hours say. Safe at any time, also beside running workers.',
    )
    .option('--dry-run', 'say what is different, and change nothing')
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'),
    )
    .action(async (flags: RepairFlags) => {
      const { config } = await configForAsking(context.env);
      const repairs = await repairLake(context, config, flags.dryRun === true);
      printRepairs(context, repairs, flags);
    });
  addExamples(repair, [
    ['ingot catalog repair --dry-run', 'What is missing, wrong or too much.'],
    ['ingot catalog repair', 'Put it right, such as after the catalog was lost.'],
    ['ingot catalog repair --dry-run --format json', 'For a script.'],
  ]);
}

async function repairLake(
  { console }: CliContext,
  config: Config,
  dryRun: boolean,
): Promise<readonly TableRepair[]> {
  const { repairCatalog } = await import('../activities/catalog-repair.ts');
  const deps = await openDeps(config);
  const title = dryRun
    ? 'Comparing the catalog with the lake'
    : 'Making the catalog equal to the lake';
  return console.step(title, (line) =>
    repairCatalog(deps, {
      dryRun,
      onProgress: (table, windows) => line.update(windows, `windows of ${table}`),
    }),
  );
}

/** Loaded on use: the SDKs take longer to load than the rest of a command. */
async function openDeps(config: Config): Promise<CatalogDeps> {
  const { createGlueClient, createS3Client } = await import('../adapters/aws-clients.ts');
  const { createGlueCatalog } = await import('../adapters/glue-catalog.ts');
  const { createS3ObjectStore } = await import('../adapters/s3-object-store.ts');
  const store = { client: createS3Client(config), bucket: config.lakeBucket };
  const ports = {
    objects: createS3ObjectStore(store),
    catalog: createGlueCatalog(createGlueClient(config)),
    now: Date.now,
  };
  return { ports, dataset: events, id: config.INGOT_ID, bucket: config.lakeBucket };
}

function printRepairs(
  { console }: CliContext,
  repairs: readonly TableRepair[],
  { dryRun, format }: RepairFlags,
): void {
  if (format === 'json') return console.printJson(repairs);
  const [put, removed] = dryRun ? ['to put', 'to remove'] : ['put', 'removed'];
  console.printTable(
    ['table', dryRun ? 'is there' : 'was there', 'table partitions', put, removed],
    repairs.map((repair) => [
      `${repair.layer}.${repair.table}`,
      repair.isMissing ? 'no' : 'yes',
      repair.partitions,
      repair.put,
      repair.removed,
    ]),
  );
  const isEqual = repairs.every((repair) => !repair.isMissing && repair.put + repair.removed === 0);
  console.say(
    isEqual ? 'The catalog was equal to the lake.' : 'The catalog differed from the lake.',
  );
}

/** For `ingot up`: a lake with windows and a catalog without their table is a catalog that was lost. */
export async function repairIfLost(context: CliContext, config: Config): Promise<void> {
  const { createS3Client, ensureBucket } = await import('../adapters/aws-clients.ts');
  const { partitionsOf } = await import('../activities/catalog-repair.ts');
  const { catalogTable } = await import('../activities/catalog-tables.ts');
  await ensureBucket(createS3Client(config), config.lakeBucket, config.AWS_REGION);
  const deps = await openDeps(config);
  const published = await deps.ports.objects.listObjects('_current/', { limit: 1 });
  if (published.length === 0) return;
  const silver = catalogTable(deps, events.silver);
  if ((await partitionsOf(deps, silver, ['0001-01-01'])) !== null) return;
  context.console.say('The lake has windows that the catalog does not know: it is made anew.');
  await repairLake(context, config, false);
}
