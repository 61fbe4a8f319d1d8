import assert from 'node:assert/strict';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { events } from '../../src/datasets/events.ts';
import { databaseName } from '../../src/lake/table.ts';
import type { Catalog } from '../../src/ports.ts';
import { aroundStore } from '../support/around-store.ts';
import { build, catalogIsPointer, createBed, ref, versionOf } from './support/catalog-bed.ts';
import { bucket, hour, putPointer, publisherOver, pointerOf } from './support/lake-bed.ts';
import { catalogFolders } from './support/lake-readers.ts';

describe('registerWindow', () => {
  it('makes the catalog equal to the pointer: new, moved and vanished table partitions', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['page_view', 'search']));
    assert.deepEqual(await bed.registerWindow(ref), { version: '1' });
    await catalogIsPointer(bed);
    await build(bed, versionOf('2', '1', ['search', 'purchase']));
    await bed.registerWindow(ref);
    await catalogIsPointer(bed);
    await build(bed, versionOf('3', '2', []));
    await bed.registerWindow(ref);
    assert.deepEqual(await catalogFolders(bed, ref), []);
  });

  it('does not touch the table partitions of other hours', async () => {
    const bed = createBed();
    const other = {
      values: ['2026-08-21', '12', 'search'],
      location: `s3://${bucket}/o/`,
      rows: 1,
    };
    const database = databaseName('silver', 'test');
    const table = { database, table: events.silver, location: `s3://${bucket}/` };
    await bed.catalog.ensureTable(table);
    await bed.catalog.putPartitions(table, [other], 'new');
    await build(bed, versionOf('1', null, ['search']));
    await bed.registerWindow(ref);
    assert.ok((await catalogFolders(bed, ref)).includes('o/'));
  });

  it('does not put the catalog back when it began with an older version and was overtaken', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['page_view', 'search']));
    let overtaken = false;
    // A registrar of another process has read the pointer, and is slow before it writes.
    const slow: Catalog = {
      ...bed.catalog,
      putPartitions: async (table, partitions, expected) => {
        if (!overtaken) {
          overtaken = true;
          await build(bed, versionOf('2', '1', ['purchase']));
          await bed.registerWindow(ref);
        }
        await bed.catalog.putPartitions(table, partitions, expected);
      },
    };
    const late = publisherOver({ ...bed.ports, catalog: slow });
    assert.deepEqual(await late.registerWindow(ref), { version: '2' });
    await catalogIsPointer(bed);
    assert.equal((await catalogFolders(bed, ref)).length, 1);
  });

  it('removes what a registrar of a version long gone has put back before it died', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['page_view', 'search']));
    // It has read version 1, is slow, and dies before it looks at the pointer again.
    const late: Catalog = {
      ...bed.catalog,
      putPartitions: async (table, partitions, expected) => {
        // Nobody registers version 2: its publisher dies after the pointer.
        await build(bed, versionOf('2', '1', ['purchase']));
        await build(bed, versionOf('3', '2', ['search']));
        await bed.registerWindow(ref);
        await bed.catalog.putPartitions(table, partitions, expected);
        throw new Error('died');
      },
    };
    const registrar = publisherOver({ ...bed.ports, catalog: late });
    await assert.rejects(registrar.registerWindow(ref), /died/);
    assert.equal((await catalogFolders(bed, ref)).length, 2);
    await build(bed, versionOf('4', '3', ['add_to_cart']));
    await bed.registerWindow(ref);
    await catalogIsPointer(bed);
    assert.equal((await catalogFolders(bed, ref)).length, 1);
  });

  it('lists nothing for a version that knows what those before it had', async () => {
    const bed = createBed();
    const never = () => Promise.reject(new Error('listed'));
    await bed.registerWindow(ref);
    const registrar = publisherOver({
      ...bed.ports,
      catalog: {
        ...bed.catalog,
        listPartitions: (_table, [date]) => (date === '0001-01-01' ? Promise.resolve([]) : never()),
      },
    });
    await build(bed, versionOf('1', null, ['search']));
    await build(bed, versionOf('2', '1', ['purchase']));
    await registrar.registerWindow(ref);
    await catalogIsPointer(bed);
  });

  it('lists the window for a version that does not know it, and for those made from that', async () => {
    const bed = createBed();
    await putPointer(bed, versionOf('1', null, ['page_view', 'search']));
    await bed.registerWindow(ref);
    await build(bed, versionOf('2', '1', ['purchase']));
    assert.equal((await pointerOf(bed, ref)).partitionsEver, undefined);
    await bed.registerWindow(ref);
    await catalogIsPointer(bed);
  });

  it('registers one window of a table at a time', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['search']));
    let running = 0;
    let most = 0;
    const counting: Catalog = {
      ...bed.catalog,
      findPartitions: async (table, values) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return bed.catalog.findPartitions(table, values);
      },
    };
    const registrar = publisherOver({ ...bed.ports, catalog: counting });
    await Promise.all(Array.from({ length: 4 }, () => registrar.registerWindow(ref)));
    // None at all would not be one at a time.
    assert.equal(most, 1);
  });

  it('makes a table again that the catalog has lost', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['search']));
    await bed.registerWindow(ref);
    bed.catalog.dropTable(databaseName('silver', 'test'), events.silver.name);
    await bed.registerWindow(ref);
    await catalogIsPointer(bed);
  });

  it('gives up with CATALOG_UNSETTLED on a pointer that does not stand still', async () => {
    const store = createMemoryObjectStore();
    let version = 0;
    const restless = aroundStore(store, async (step, run) => {
      if (step.name === 'readObject' && step.key.startsWith('_current/')) {
        version += 1;
        const pointer = versionOf(String(version), null, ['search']);
        await store.replaceObject(step.key, jsonBytes(pointer));
      }
      return run();
    });
    const failing = createBed(restless).registerWindow(ref);
    await assert.rejects(failing, { code: 'CATALOG_UNSETTLED', retryable: true });
  });

  it('registers nothing for a window that was never published', async () => {
    const bed = createBed();
    assert.deepEqual(await bed.registerWindow(ref), { version: null });
    assert.deepEqual(await catalogFolders(bed, ref), []);
  });
});

describe('registerBronzeHours', () => {
  it('registers the folders of ingest hours, again and again', async () => {
    const bed = createBed();
    for (const hours of [[hour], [hour, '2026-08-21T14'], []]) {
      await bed.registerBronzeHours({ dataset: 'events', hours });
    }
    const database = databaseName('bronze', 'test');
    const location = `s3://${bucket}/bronze/events/`;
    const found = await bed.catalog.listPartitions(
      { database, table: events.bronze, location },
      [],
    );
    assert.deepEqual(
      found.map(({ values }) => values),
      [
        ['2026', '08', '21', '13'],
        ['2026', '08', '21', '14'],
      ],
    );
    assert.deepEqual(
      found.map((partition) => partition.location),
      [
        `${location}year=2026/month=08/day=21/hour=13/`,
        `${location}year=2026/month=08/day=21/hour=14/`,
      ],
    );
  });
});
