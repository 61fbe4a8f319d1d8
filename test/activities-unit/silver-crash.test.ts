import assert from 'node:assert/strict';
import { createMemoryCatalog } from '../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events } from '../../src/datasets/events.ts';
import { databaseName } from '../../src/lake/table.ts';
import type { Catalog, ObjectStore } from '../../src/ports.ts';
import { Crash, aroundStore, crashingStore, recordingStore } from '../support/around-store.ts';
import {
  type LakeBed,
  bucket,
  buildSilver,
  catalogFolders,
  contentOf,
  copyOf,
  createLakeBed,
  passed,
  pointerFolders,
  pointerOf,
  publisherOver,
  sealBatch,
  silverRef,
  stageSilver,
} from './support/lake-bed.ts';

/*
 * Promise 2, step by step: a process dies in a step of a build, another one does the step again,
 * and every object of the lake is to the byte what it is when nobody dies. So the next step begins
 * from the same in both lives, and all of them together end the same.
 */

const ref = silverRef();

/** A step that needs the engine. */
type Step = (bed: LakeBed) => Promise<unknown>;

describe('a build of silver that dies', () => {
  const beds: LakeBed[] = [];
  /** The lake before each step. */
  const lake = {
    stage: createMemoryObjectStore(),
    gate: createMemoryObjectStore(),
    publish: createMemoryObjectStore(),
  };
  const writes = { stage: 0, gate: 0 };
  let version: string;

  /** A process with a cache of its own. */
  async function processOver(objects: ObjectStore): Promise<LakeBed> {
    const bed = await createLakeBed({ objects });
    beds.push(bed);
    return bed;
  }

  before(async () => {
    const bed = await processOver(lake.stage);
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b', type: 'search' }]);
    await buildSilver(bed, 'fold', 0);
    await sealBatch(bed, 1, [{ id: 'a' }, { id: 'c' }, { id: 'x', device: 'toaster' }]);
    lake.gate = await copyOf(lake.stage);
    const staging = recordingStore(lake.gate);
    const staged = await stage(await processOver(staging.store));
    writes.stage = staging.steps.filter(({ isWrite }) => isWrite).length;
    assert.equal(staged.kind, 'staged');
    version = staged.version;
    lake.publish = await copyOf(lake.gate);
    const checking = recordingStore(lake.publish);
    await check(await processOver(checking.store));
    writes.gate = checking.steps.filter(({ isWrite }) => isWrite).length;
  });
  after(() => Promise.all(beds.map((bed) => bed.remove())));

  const stage = (bed: LakeBed) => stageSilver(bed, 'fold', 1);
  const check = (bed: LakeBed) => bed.activities.checkStaged({ ref, version });

  /**
   * Dies before each write, and after the last one: reads leave no trace, so a death before or
   * after them leaves what one of these leaves.
   */
  async function diesAtEveryWrite(
    step: Step,
    { from, to, writes }: { from: ObjectStore; to: ObjectStore; writes: number },
  ): Promise<void> {
    const wanted = await contentOf(to);
    for (let at = 0; at <= writes; at += 1) {
      const objects = await copyOf(from);
      const death =
        at < writes ? { at, when: 'before' as const } : { at: at - 1, when: 'after' as const };
      const dying = crashingWrites(objects, death);
      await assert.rejects(step(await processOver(dying)), Crash);
      await step(await processOver(objects));
      assert.deepEqual(await contentOf(objects), wanted, `died ${death.when} write ${death.at}`);
    }
  }

  it('while it stages leaves what the next try completes, after every write', async () => {
    // The new file, the copy beside it, the quarantine and the staged pointer.
    assert.equal(writes.stage, 4);
    await diesAtEveryWrite(stage, { from: lake.stage, to: lake.gate, writes: 4 });
  });

  it('while it checks leaves what the next try completes, after every write', async () => {
    assert.equal(writes.gate, 1);
    await diesAtEveryWrite(check, { from: lake.gate, to: lake.publish, writes: 1 });
  });

  for (const when of ['before', 'after'] as const) {
    it(`while it publishes and registers ends as if it had not, at every operation, just ${when} it`, async () => {
      const undisturbed = await copyOf(lake.publish);
      const total = await publishAndRegister(undisturbed, await createCatalog(undisturbed), null);
      assert.equal((await pointerOf({ ports: { objects: undisturbed } }, ref)).version, version);
      const wanted = await contentOf(undisturbed);
      assert.ok(total > 8, `${total} operations`);
      for (let at = 0; at < total; at += 1) {
        const objects = await copyOf(lake.publish);
        const catalog = await createCatalog(objects);
        const died = publishAndRegister(objects, catalog, { at, when });
        await assert.rejects(died, Crash, `operation ${at}`);
        await publishAndRegister(objects, catalog, null);
        assert.deepEqual(await contentOf(objects), wanted, `died ${when} operation ${at}`);
        await isCompleteAndRegistered(objects, catalog);
      }
    });
  }

  /** The catalog of the version before, and of a table partition that the build must take out. */
  async function createCatalog(objects: ObjectStore): Promise<Catalog> {
    const catalog = createMemoryCatalog();
    await publisherOver({ objects, catalog, now: () => 0 }).registerWindow(ref);
    const database = databaseName('silver', 'test');
    const table = { database, table: events.silver, location: `s3://${bucket}/` };
    const values = ['2026-08-21', '13', 'purchase'];
    await catalog.putPartitions(table, [{ values, location: `s3://${bucket}/old/`, rows: 1 }]);
    return catalog;
  }

  /** A process that may die at an operation on the store or the catalog; answers how many it did. */
  async function publishAndRegister(
    objects: ObjectStore,
    catalog: Catalog,
    death: { readonly at: number; readonly when: 'before' | 'after' } | null,
  ): Promise<number> {
    let count = 0;
    const mortal = async <T>(run: () => Promise<T>): Promise<T> => {
      const isLast = count === death?.at;
      count += 1;
      if (isLast && death?.when === 'before') throw new Crash('died before');
      const result = await run();
      if (isLast) throw new Crash('died after');
      return result;
    };
    const publisher = publisherOver({
      objects: aroundStore(objects, (_step, run) => mortal(run)),
      catalog: {
        ensureTable: (table) => mortal(() => catalog.ensureTable(table)),
        listPartitions: (...given) => mortal(() => catalog.listPartitions(...given)),
        putPartitions: (...given) => mortal(() => catalog.putPartitions(...given)),
        deletePartitions: (...given) => mortal(() => catalog.deletePartitions(...given)),
      },
      now: () => 0,
    });
    await publisher.publishVersion({ ref, version, gate: passed });
    await publisher.registerWindow(ref);
    return count;
  }

  async function isCompleteAndRegistered(objects: ObjectStore, catalog: Catalog): Promise<void> {
    const pointer = await pointerOf({ ports: { objects } }, ref);
    assert.deepEqual(
      await catalogFolders({ ports: { catalog } }, ref),
      pointerFolders(pointer),
      'the catalog is the pointer',
    );
    for (const { key } of pointer.files) {
      assert.ok((await objects.headObject(key)) !== null, `${key} is there`);
    }
  }
});

/** As `crashingStore`, where only writes count. */
function crashingWrites(
  store: ObjectStore,
  death: { readonly at: number; readonly when: 'before' | 'after' },
): ObjectStore {
  const dying = crashingStore(store, death);
  return {
    ...dying,
    readObject: (key) => store.readObject(key),
    headObject: (key) => store.headObject(key),
    listObjects: (prefix, options) => store.listObjects(prefix, options),
  };
}
