import assert from 'node:assert/strict';
import { readPointer } from '../../src/activities/pointers.ts';
import { events } from '../../src/datasets/events.ts';
import { pointerKey, redriveClaimKey } from '../../src/lake/paths.ts';
import { databaseName } from '../../src/lake/table.ts';
import { dayMs } from '../../src/lake/time.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { Crash } from '../support/around-store.ts';
import {
  type JanitorBed,
  buildIdOf,
  build,
  createJanitorBed,
  goldOf,
  graceMs,
  keysOf,
  pass,
  publish,
  sealBatch,
  silverOf,
  stage,
  sweepAll,
} from './support/janitor-bed.ts';

const hour = '2026-08-21T13';
const ref = silverOf(hour);

/** Two runs with the grace between them: what was there before the first is removed by the second. */
async function sweepTwice(bed: JanitorBed) {
  await sweepAll(bed);
  pass(bed, graceMs);
  return sweepAll(bed);
}

async function foldersOnCatalog(bed: JanitorBed, layer: 'bronze' | 'silver') {
  const table = layer === 'bronze' ? events.bronze : events.silver;
  const database = databaseName(layer, 'test');
  return bed.catalog.listPartitions({ database, table, location: '' }, []);
}

describe('sweep', () => {
  it('removes versions that nothing names, after their grace, and what was staged for them', async () => {
    const bed = createJanitorBed();
    await build(bed, ref, { types: ['search', 'purchase'] });
    await build(bed, ref, { types: ['search'] });
    const before = await keysOf(bed);
    assert.deepEqual((await sweepAll(bed)).removed, {});
    pass(bed, graceMs - 1);
    assert.deepEqual((await sweepAll(bed)).removed, {});
    pass(bed, 1);
    const { removed } = await sweepAll(bed);
    assert.deepEqual(removed, {
      versions: { objects: 1, bytes: 2 },
      staged: { objects: 1, bytes: removed.staged?.bytes },
    });
    const gone = before.filter((key) => key.includes('/000001-') && !key.includes('purchase'));
    assert.deepEqual(
      before.filter((key) => !gone.includes(key)),
      (await keysOf(bed)).filter((key) => !key.startsWith('_janitor/')),
    );
    assert.deepEqual(await keysOf(bed, '_janitor/marks/'), []);
  });

  it('says in a dry run what it would remove, and changes nothing', async () => {
    const bed = createJanitorBed({ days: { silver: 1, bronze: 1 } });
    await build(bed, ref);
    await build(bed, ref);
    await sealBatch(bed, 0, { ingestedAt: `${hour}:10:00.000Z`, windows: [hour] });
    await sweepAll(bed);
    pass(bed, graceMs);
    const before = await keysOf(bed);
    const { removed } = await sweepAll(bed, { dryRun: true });
    assert.deepEqual(await keysOf(bed), before);
    assert.ok((removed.versions?.objects ?? 0) > 0);
    assert.deepEqual((await sweepAll(bed)).removed, removed);
  });

  it('finds what a crashed build has left, and removes it when nobody can publish it', async () => {
    const bed = createJanitorBed();
    await build(bed, ref);
    await stage(bed, ref, {
      types: ['search', 'purchase'],
      fingerprint: '111111111111',
      diesAfter: 1,
    });
    await stage(bed, ref, { types: ['search'], fingerprint: '222222222222' });
    await sweepTwice(bed);
    // What was staged goes first; its file goes when it cannot be published any more.
    assert.equal((await keysOf(bed, '_staged/')).length, 1);
    assert.equal((await keysOf(bed, 'silver/')).length, 2);
    await sweepAll(bed);
    assert.equal((await keysOf(bed, 'silver/')).length, 1);
  });

  it('leaves everything of a window alone whose build runs or is parked', async () => {
    const bed = createJanitorBed();
    await build(bed, ref);
    await build(bed, ref);
    bed.inUse.add(buildIdOf(goldOf(hour)));
    const tally = await sweepTwice(bed);
    assert.deepEqual([tally.removed, tally.building], [{}, 2]);
    bed.inUse.clear();
    assert.equal((await sweepAll(bed)).removed.versions?.objects, 1);
  });

  it('regression: no marks stay behind a run that dies when all else of a date is gone', async () => {
    const bed = createJanitorBed();
    await stage(bed, ref, { diesAfter: 1 });
    await sweepAll(bed);
    pass(bed, graceMs);
    const marks = await keysOf(bed, '_janitor/marks/');
    assert.equal(marks.length, 1);
    const mortal: ObjectStore = {
      ...bed.objects,
      deleteObjects: async (keys) => {
        if (keys.some((key) => marks.includes(key))) throw new Crash();
        await bed.objects.deleteObjects(keys);
      },
    };
    await assert.rejects(sweepAll(bed, { objects: mortal }), Crash);
    assert.deepEqual(await keysOf(bed), marks);
    await sweepAll(bed);
    assert.deepEqual(await keysOf(bed), []);
  });

  it('makes the catalog equal to the pointers where a publisher has died, and keeps for the grace what it named', async () => {
    const bed = createJanitorBed();
    const types = ['search', 'purchase'];
    await build(bed, ref, { types });
    await build(bed, goldOf(hour));
    await publish(bed, (await stage(bed, ref, { types }))!);
    const version = (await readPointer(bed.objects, events.silver, hour))!.value.version;
    const named = async () =>
      (await foldersOnCatalog(bed, 'silver')).map(({ location }) => location.includes(version));

    assert.equal((await sweepAll(bed, { dryRun: true })).settled, 2);
    assert.deepEqual(await named(), [false, false]);
    const first = await sweepAll(bed);
    assert.deepEqual(
      [first.settled, first.waiting],
      [2, 1],
      'only what was staged is unneeded yet',
    );
    assert.deepEqual(await named(), [true, true]);
    const second = await sweepTwice(bed);
    assert.equal(second.settled, undefined);
    assert.deepEqual(second.removed.versions, { objects: 2, bytes: 4 });
  });

  it('takes windows past their retention from readers at once, and their files after the grace', async () => {
    const bed = createJanitorBed({ days: { silver: 3 } });
    const young = silverOf('2026-08-24T13');
    await build(bed, ref);
    await build(bed, young);
    const { removed } = await sweepAll(bed);
    assert.equal(removed.pointers?.objects, 1);
    assert.equal(await readPointer(bed.objects, events.silver, hour), null);
    assert.equal((await foldersOnCatalog(bed, 'silver')).length, 1);
    assert.equal((await keysOf(bed, 'silver/')).length, 2);
    pass(bed, graceMs);
    await sweepAll(bed);
    assert.equal((await keysOf(bed, 'silver/')).length, 1);
    assert.deepEqual(await keysOf(bed, '_current/'), [pointerKey(events.silver, young.window)]);
  });

  it('keeps all batches for ever unless a retention is set', async () => {
    const bed = createJanitorBed();
    await sealBatch(bed, 0, { ingestedAt: '2020-01-01T10:00:00.000Z', windows: [] });
    assert.deepEqual((await sweepTwice(bed)).removed, {});
  });

  it('removes batches past their retention that are in silver, takes their hour off the catalog first, and keeps their seals', async () => {
    const bed = createJanitorBed({ days: { bronze: 3 } });
    const ingested = { windows: [hour], ingestedAt: `${hour}:10:00.000Z` };
    const first = await sealBatch(bed, 0, ingested);
    const second = await sealBatch(bed, 1, ingested);
    const open = await sealBatch(bed, 2, { ...ingested, sealed: false });
    await bed.publisher.registerBronzeHours({ dataset: 'events', hours: [hour] });
    await build(bed, ref, { through: 0 });
    await sweepAll(bed);
    assert.deepEqual(await foldersOnCatalog(bed, 'bronze'), []);
    assert.ok((await keysOf(bed)).includes(first.bronze));
    pass(bed, graceMs);
    const tally = await sweepAll(bed);
    assert.equal(tally.removed.bronze?.objects, 1);
    // The second is in no version yet, and the third is not even sealed.
    assert.deepEqual(
      [tally.notBuilt, await keysOf(bed, 'bronze/')],
      [1, [second.bronze, open.bronze]],
    );
    assert.equal((await keysOf(bed, '_log/')).length, 2);
    assert.equal((await keysOf(bed, 'raw/')).length, 3);
  });

  it('removes dead letters together with what was noted about sending them again', async () => {
    const bed = createJanitorBed({ days: { deadLetters: 3, raw: 3 } });
    await sealBatch(bed, 0, { ingestedAt: `${hour}:10:00.000Z`, windows: [] });
    const place = { dataset: 'events', batch: 'clicks-0-000000000000', offset: '4711' };
    await bed.objects.createObject(redriveClaimKey(place, 1), new Uint8Array(1));
    const { removed } = await sweepTwice(bed);
    assert.deepEqual(removed, {
      raw: { objects: 1, bytes: 3 },
      deadLetters: { objects: 1, bytes: 3 },
      redrives: { objects: 1, bytes: 1 },
    });
    assert.deepEqual(await keysOf(bed, '_redrive/'), []);
  });

  it('leaves alone what Ingot has not written', async () => {
    const bed = createJanitorBed({ days: { bronze: 1, raw: 1 } });
    const foreign = [
      'bronze/events/year=2026/month=01/day=01/hour=00/notes.parquet',
      'gold/hourly_revenue/event_date=2026-01-01/hour=00/readme.txt',
      'raw/events/somebody.txt',
    ];
    for (const key of foreign) await bed.objects.createObject(key, new Uint8Array(1));
    await sweepTwice(bed);
    for (const key of foreign) assert.ok((await keysOf(bed)).includes(key), key);
  });

  it('goes through many dates in pages that each end', async () => {
    const bed = createJanitorBed();
    for (let day = 0; day < 60; day += 1) {
      const date = new Date(Date.UTC(2026, 0, 1) + day * dayMs).toISOString().slice(0, 10);
      await stage(bed, goldOf(`${date}T00`));
    }
    const page = { dataset: 'events', dryRun: false, cursor: { step: 0, after: '' } };
    const first = await bed.janitorOver(bed.objects).sweep(page);
    assert.equal(first.tally.waiting > 0 && first.tally.waiting < 120, true);
    assert.notEqual(first.next, null);
    assert.equal((await sweepAll(bed)).waiting, 120);
  });

  it('records what a run has done', async () => {
    const bed = createJanitorBed();
    const tally = await sweepAll(bed);
    const startedAt = '2026-08-25T03:00:00.000Z';
    const report = { dataset: 'events', dryRun: false, startedAt, pages: 1, tally };
    await bed.janitorOver(bed.objects).recordSweep(report);
    assert.deepEqual(await keysOf(bed, '_janitor/runs/'), [
      `_janitor/runs/events/${startedAt}.json`,
    ]);
  });
});
