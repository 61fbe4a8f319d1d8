import assert from 'node:assert/strict';
import fc from 'fast-check';
import { repairCatalog } from '../../src/activities/catalog-repair.ts';
import { createPointerStore } from '../../src/activities/pointer-store.ts';
import { events } from '../../src/datasets/events.ts';
import { databaseName } from '../../src/lake/table.ts';
import type { Catalog, CatalogPartition } from '../../src/ports.ts';
import {
  type JanitorBed,
  build,
  createJanitorBed,
  goldOf,
  publish,
  sealBatch,
  silverOf,
  stage,
} from '../activities-unit/support/janitor-bed.ts';
import { createCatalogActivities } from '../../src/activities/catalog.ts';

const hour = '2026-08-21T13';
const tables = [events.bronze, events.silver, ...events.gold];
const depsOf = ({ objects, catalog }: JanitorBed) => ({
  ports: { objects, catalog, now: () => 0 },
  dataset: events,
  id: 'test',
  bucket: 'lake',
  pointers: createPointerStore({ objects, now: () => 0 }),
});

/** Everything in the catalog, by table; `null` for a table that it does not have. */
async function contentOf({ catalog }: Pick<JanitorBed, 'catalog'>) {
  const content: Record<string, readonly CatalogPartition[] | null> = {};
  for (const table of tables) {
    const target = { database: databaseName(table.layer, 'test'), table, location: '' };
    content[table.name] = await catalog.listPartitions(target, []).then(
      (found) => [...found].sort((a, b) => (String(a.values) < String(b.values) ? -1 : 1)),
      () => null,
    );
  }
  return content;
}

function wipe({ catalog }: JanitorBed): void {
  for (const { layer, name } of tables) catalog.dropTable(databaseName(layer, 'test'), name);
}

async function createLake(): Promise<JanitorBed> {
  const bed = createJanitorBed();
  for (const [number, ingested] of ['2026-08-21T13', '2026-08-21T15'].entries()) {
    await sealBatch(bed, number, { ingestedAt: `${ingested}:10:00.000Z`, windows: [hour] });
    await bed.publisher.registerBronzeHours({ dataset: 'events', hours: [ingested] });
  }
  await build(bed, silverOf(hour), { types: ['search', 'purchase'] });
  await build(bed, silverOf(hour), { types: ['search'] });
  await build(bed, silverOf('2026-08-21T14'));
  for (const { name, grain } of events.gold) {
    await build(bed, goldOf(grain === 'hour' ? hour : '2026-08-21', name));
  }
  return bed;
}

describe('repairCatalog', () => {
  it('makes a wiped catalog what it was: tables, and table partitions of every layer', async () => {
    const bed = await createLake();
    const before = await contentOf(bed);
    wipe(bed);
    const repaired = await repairCatalog(depsOf(bed), { dryRun: false });
    assert.deepEqual(await contentOf(bed), before);
    assert.deepEqual(
      repaired.map(({ isMissing, put, partitions }) => [isMissing, put === partitions]),
      tables.map(() => [true, true]),
    );
  });

  it('takes out what no pointer names, and puts right what points elsewhere', async () => {
    const bed = await createLake();
    const before = await contentOf(bed);
    const target = {
      database: databaseName('silver', 'test'),
      table: events.silver,
      location: '',
    };
    await bed.catalog.putPartitions(
      target,
      [
        { values: ['2026-08-21', '13', 'search'], location: 's3://lake/old/', rows: 1 },
        { values: ['2020-01-01', '00', 'search'], location: 's3://lake/gone/', rows: 1 },
      ],
      'new',
    );
    const dry = await repairCatalog(depsOf(bed), { dryRun: true });
    const silver = dry.find(({ table }) => table === events.silver.name)!;
    assert.deepEqual([silver.put, silver.removed], [1, 1]);
    assert.notDeepEqual(await contentOf(bed), before);
    assert.deepEqual(await repairCatalog(depsOf(bed), { dryRun: false }), dry);
    assert.deepEqual(await contentOf(bed), before);
    const again = await repairCatalog(depsOf(bed), { dryRun: true });
    assert.ok(again.every(({ put, removed }) => put + removed === 0));
  });

  it('changes nothing in a dry run, and says which tables are missing', async () => {
    const bed = await createLake();
    wipe(bed);
    const found = await repairCatalog(depsOf(bed), { dryRun: true });
    assert.ok(found.every(({ isMissing }) => isMissing));
    assert.ok(Object.values(await contentOf(bed)).every((table) => table === null));
  });

  it('does not put an older version back that is overtaken while it runs', async () => {
    const bed = await createLake();
    wipe(bed);
    let overtaken = false;
    const slow: Catalog = {
      ...bed.catalog,
      putPartitions: async (table, partitions, expected) => {
        if (!overtaken && table.table.name === events.silver.name) {
          overtaken = true;
          await build(bed, silverOf(hour), { types: ['page_view'] });
        }
        await bed.catalog.putPartitions(table, partitions, expected);
      },
    };
    const deps = depsOf(bed);
    await repairCatalog({ ...deps, ports: { ...deps.ports, catalog: slow } }, { dryRun: false });
    const left = await repairCatalog(deps, { dryRun: true });
    assert.ok(left.every(({ put, removed }) => put + removed === 0));
  });
});

describe('a registrar that finds its table gone', () => {
  for (const [when, isNew] of [
    ['in the life of its process', false],
    ['when its process begins', true],
  ] as const) {
    it(`puts all windows of the table back, ${when}`, async () => {
      const bed = await createLake();
      const before = await contentOf(bed);
      wipe(bed);
      const registrar = isNew ? createCatalogActivities(depsOf(bed)) : bed.publisher;
      await registrar.registerWindow(silverOf(hour));
      await registrar.registerBronzeHours({ dataset: 'events', hours: [hour] });
      const after = await contentOf(bed);
      assert.deepEqual(after[events.silver.name], before[events.silver.name]);
      assert.deepEqual(after[events.bronze.name], before[events.bronze.name]);
    });
  }
});

describe('registrars of several processes', () => {
  it('end with what the pointer says, however their steps lie between each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const bed = createJanitorBed();
        await build(bed, silverOf(hour), { types: ['search', 'purchase'] });
        const late = (): Catalog => {
          const { catalog } = bed;
          return {
            ensureTable: (table) =>
              scheduler.schedule(Promise.resolve()).then(() => catalog.ensureTable(table)),
            listPartitions: (...given) =>
              scheduler.schedule(Promise.resolve()).then(() => catalog.listPartitions(...given)),
            findPartitions: (...given) =>
              scheduler.schedule(Promise.resolve()).then(() => catalog.findPartitions(...given)),
            putPartitions: (...given) =>
              scheduler.schedule(Promise.resolve()).then(() => catalog.putPartitions(...given)),
            deletePartitions: (...given) =>
              scheduler.schedule(Promise.resolve()).then(() => catalog.deletePartitions(...given)),
          };
        };
        const processes = [1, 2].map(() => {
          const deps = depsOf(bed);
          return createCatalogActivities({ ...deps, ports: { ...deps.ports, catalog: late() } });
        });
        const older = processes[0]!.registerWindow(silverOf(hour));
        const newer = (async () => {
          await scheduler.schedule(Promise.resolve());
          const staged = await stage(bed, silverOf(hour), { types: ['page_view'] });
          await publish(bed, staged!);
          await processes[1]!.registerWindow(silverOf(hour));
        })();
        await scheduler.waitFor(Promise.all([older, newer]));
        const left = await repairCatalog(depsOf(bed), { dryRun: true });
        const silver = left.find(({ table }) => table === events.silver.name)!;
        assert.deepEqual([silver.put, silver.removed], [0, 0]);
      }),
      { numRuns: 100 },
    );
  });
});
