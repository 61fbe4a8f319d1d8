import assert from 'node:assert/strict';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { createMemoryCatalog } from '../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events } from '../../src/datasets/events.ts';
import { readPointer } from '../../src/activities/pointers.ts';
import { stagedKey, versionFolder } from '../../src/lake/paths.ts';
import type { Pointer, PointerFile } from '../../src/lake/pointer.ts';
import { partitionsEver } from '../../src/lake/registration.ts';
import { databaseName } from '../../src/lake/table.ts';
import type { Catalog, ObjectStore } from '../../src/ports.ts';
import { aroundStore } from '../support/around-store.ts';
import {
  bucket,
  emptyPointer,
  hour,
  passed,
  putPointer,
  publisherOver,
  silverRef,
  pointerOf,
} from './support/lake-bed.ts';
import { catalogFolders, pointerFolders } from './support/lake-readers.ts';

/* No engine: what a build has staged is given. */

type Types = readonly string[];

function versionOf(version: string, previous: string | null, types: Types): Pointer {
  const files = types.map((event_type): PointerFile => {
    const partition = { event_date: '2026-08-21', hour: '13', event_type };
    const key = `${versionFolder(events.silver, partition, version)}${version}.parquet`;
    return { key, partition, rows: 1, bytes: 10 };
  });
  return { ...emptyPointer(version, previous), files, rows: files.length };
}

const ref = silverRef();

function createBed(objects: ObjectStore = createMemoryObjectStore()) {
  const catalog = createMemoryCatalog();
  const ports = { objects, catalog, now: () => 0 };
  return { ports, catalog, ...publisherOver(ports) };
}

type Bed = ReturnType<typeof createBed>;

/** As a build stages it, which knows the version that it replaces. */
async function stage(bed: Bed, made: Pointer): Promise<void> {
  const table = { layer: made.layer, name: made.table };
  const current = (await readPointer(bed.ports.objects, table, made.window))?.value ?? null;
  const ever = partitionsEver(events.silver, made, current);
  const pointer: Pointer = { ...made, ...(ever === null ? {} : { partitionsEver: ever }) };
  const key = stagedKey(table, pointer.window, pointer.version);
  await bed.ports.objects.replaceObject(key, jsonBytes(pointer));
}

async function publish(bed: Bed, version: string) {
  return bed.publishVersion({ ref, version, gate: passed, cause: null });
}

async function build(bed: Bed, pointer: Pointer): Promise<void> {
  await stage(bed, pointer);
  assert.deepEqual(await publish(bed, pointer.version), { kind: 'published' });
}

async function catalogIsPointer(bed: Bed): Promise<void> {
  const pointer = await pointerOf(bed, ref);
  assert.deepEqual(await catalogFolders(bed, ref), pointerFolders(pointer));
}

describe('publishVersion', () => {
  it('lets one of two builders of a window publish, whoever comes first', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['search']));
    await stage(bed, versionOf('2a', '1', ['search']));
    await stage(bed, versionOf('2b', '1', ['page_view']));
    assert.deepEqual(await publish(bed, '2b'), { kind: 'published' });
    assert.deepEqual(await publish(bed, '2a'), { kind: 'superseded', by: '2b' });
    assert.equal((await pointerOf(bed, ref)).version, '2b');
  });

  it('lets one of two publish that have read the same pointer at the same moment', async () => {
    for (const first of [null, '1']) {
      const bed = createBed();
      if (first !== null) await build(bed, versionOf(first, null, []));
      await stage(bed, versionOf('2a', first, ['search']));
      await stage(bed, versionOf('2b', first, ['page_view']));
      const [a, b] = await Promise.all([publish(bed, '2a'), publish(bed, '2b')]);
      const kinds = [a.kind, b.kind].sort();
      assert.deepEqual(kinds, ['published', 'superseded']);
      const winner = a.kind === 'published' ? '2a' : '2b';
      assert.equal((await pointerOf(bed, ref)).version, winner);
    }
  });

  it('knows its own version again when the answer of the swap was lost', async () => {
    const store = createMemoryObjectStore();
    const lossy: ObjectStore = {
      ...store,
      swapObject: async (key, bytes, etag) => {
        await store.swapObject(key, bytes, etag);
        return { kind: 'conflict' };
      },
    };
    const bed = createBed(lossy);
    await stage(bed, versionOf('1', null, ['search']));
    assert.deepEqual(await publish(bed, '1'), { kind: 'alreadyPublished' });
    assert.deepEqual(await publish(bed, '1'), { kind: 'alreadyPublished' });
  });

  it('says which object is gone when nothing was staged', async () => {
    const key = '_staged/silver/events_cleaned/2026-08-21T13/1.json';
    await assert.rejects(publish(createBed(), '1'), { code: 'OBJECT_MISSING', facts: { key } });
  });
});

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
    await bed.catalog.putPartitions(table, [other]);
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
      putPartitions: async (table, partitions) => {
        if (!overtaken) {
          overtaken = true;
          await build(bed, versionOf('2', '1', ['purchase']));
          await bed.registerWindow(ref);
        }
        await bed.catalog.putPartitions(table, partitions);
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
      putPartitions: async (table, partitions) => {
        // Nobody registers version 2: its publisher dies after the pointer.
        await build(bed, versionOf('2', '1', ['purchase']));
        await build(bed, versionOf('3', '2', ['search']));
        await bed.registerWindow(ref);
        await bed.catalog.putPartitions(table, partitions);
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
