import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { repairCatalog } from '../../src/activities/catalog-repair.ts';
import { createGlueClient } from '../../src/adapters/aws-clients.ts';
import { createGlueCatalog } from '../../src/adapters/glue-catalog.ts';
import { dropDatabase } from '../../src/adapters/namespace-cleanup.ts';
import { loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { databaseName } from '../../src/lake/table.ts';
import {
  build,
  createJanitorBed,
  goldOf,
  sealBatch,
  silverOf,
} from '../activities-unit/support/janitor-bed.ts';

describe('repairCatalog on Glue', function () {
  this.timeout(180_000);
  const id = `r${randomBytes(4).toString('hex')}`;
  const glue = createGlueClient(loadConfig(process.env));
  const catalog = createGlueCatalog(glue);
  const layers = ['bronze', 'silver', 'gold'] as const;
  const tables = [events.bronze, events.silver, ...events.gold];
  const drop = () =>
    Promise.all(layers.map((layer) => dropDatabase(glue, databaseName(layer, id))));
  after(async () => {
    await drop();
    glue.destroy();
  });

  async function content() {
    return Promise.all(
      tables.map(async (table) => {
        const target = { database: databaseName(table.layer, id), table, location: '' };
        const found = await catalog.listPartitions(target, []);
        return [...found].sort((a, b) => (String(a.values) < String(b.values) ? -1 : 1));
      }),
    );
  }

  it('makes a catalog whose databases were dropped what it was before', async () => {
    const bed = createJanitorBed();
    const ports = { objects: bed.objects, catalog, now: () => 0 };
    const deps = { ports, dataset: events, id, bucket: 'lake' };
    await sealBatch(bed, 0, { ingestedAt: '2026-08-21T15:00:00.000Z', windows: [] });
    await build(bed, silverOf('2026-08-21T13'), { types: ['search', 'purchase'] });
    await build(bed, goldOf('2026-08-21T13'));
    await repairCatalog(deps, { dryRun: false });
    const before = await content();
    assert.deepEqual(before.map(({ length }) => length).slice(0, 2), [1, 2]);
    await drop();
    const lost = await repairCatalog(deps, { dryRun: true });
    assert.ok(lost.every(({ isMissing }) => isMissing));
    await repairCatalog(deps, { dryRun: false });
    assert.deepEqual(await content(), before);
  });
});
