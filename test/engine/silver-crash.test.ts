import assert from 'node:assert/strict';
import { createMemoryCatalog } from '../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events } from '../../src/datasets/events.ts';
import { databaseName } from '../../src/lake/table.ts';
import type { Catalog, ObjectStore } from '../../src/ports.ts';
import { Crash, aroundStore } from '../support/around-store.ts';
import {
  type LakeBed,
  bucket,
  buildSilver,
  createLakeBed,
  passed,
  publisherOver,
  sealBatch,
  silverRef,
  stageSilver,
  pointerOf,
  putPointer,
} from './support/lake-bed.ts';
import { catalogFolders, contentOf, copyOf, pointerFolders } from './support/lake-readers.ts';

/*
 * Promise 2, step by step: a process dies in a step of a build, another one does the step again,
 * and every object of the lake is to the byte what it is when nobody dies. So the next step begins
 * from the same in both lives, and all of them together end the same.
 */

const ref = silverRef();

/** A table partition that a version long gone had, and the catalog still has. */
const vanished = ['2026-08-21', '13', 'purchase'];

describe('a build of silver that dies', () => {
  const beds: LakeBed[] = [];
  /** What the lake is after each write of a step, beginning with what it is before the first. */
  let states: Readonly<Record<'stage' | 'gate', readonly ObjectStore[]>>;
  let version: string;

  /** A process with a cache of its own. */
  async function processOver(objects: ObjectStore): Promise<LakeBed> {
    const bed = await createLakeBed({ objects });
    beds.push(bed);
    return bed;
  }

  const stage = (bed: LakeBed) => stageSilver(bed, 'fold', 1);
  const check = (bed: LakeBed) => bed.activities.checkStaged({ ref, version });

  before(async () => {
    const bed = await processOver(createMemoryObjectStore());
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b', type: 'search' }]);
    await buildSilver(bed, 'fold', 0);
    const current = await pointerOf(bed, ref);
    const partitionsEver = [...(current.partitionsEver ?? []), vanished];
    await putPointer(bed, { ...current, partitionsEver });
    await sealBatch(bed, 1, [{ id: 'a' }, { id: 'c' }, { id: 'x', device: 'toaster' }]);
    const afterStage = await statesOf(bed.ports.objects, async (life) => {
      const staged = await stage(life);
      assert.equal(staged.kind, 'staged');
      version = staged.version;
    });
    states = { stage: afterStage, gate: await statesOf(afterStage.at(-1)!, check) };
  });
  after(() => Promise.all(beds.map((bed) => bed.remove())));

  /** Runs a step that nobody disturbs. A death at a write, or at a read, leaves one of these. */
  async function statesOf(
    from: ObjectStore,
    step: (bed: LakeBed) => Promise<unknown>,
  ): Promise<readonly ObjectStore[]> {
    const objects = await copyOf(from);
    const found = [await copyOf(from)];
    const watched = aroundStore(objects, async ({ isWrite }, run) => {
      const result = await run();
      if (isWrite) found.push(await copyOf(objects));
      return result;
    });
    await step(await processOver(watched));
    return found;
  }

  /** Whoever finds the lake as a death has left it, makes of it what nobody's death would have. */
  async function isCompleted(
    left: readonly ObjectStore[],
    step: (bed: LakeBed) => Promise<unknown>,
  ): Promise<void> {
    const wanted = await contentOf(left.at(-1)!);
    for (const [writes, state] of left.entries()) {
      // Before the first write it is the undisturbed run itself.
      if (writes === 0) continue;
      await step(await processOver(state));
      assert.deepEqual(await contentOf(state), wanted, `died after write ${writes}`);
    }
  }

  it('while it stages leaves what the next try completes, after every write', async () => {
    // The new file, the quarantine, the copy beside the file, and the staged pointer.
    assert.equal(states.stage.length, 1 + 4);
    await isCompleted(states.stage, stage);
  });

  it('while it checks leaves what the next try completes, after its one write', async () => {
    assert.equal(states.gate.length, 1 + 1);
    await isCompleted(states.gate, check);
  });

  for (const when of ['before', 'after'] as const) {
    it(`while it publishes and registers ends as if it had not, at every operation, just ${when} it`, async () => {
      const undisturbed = await copyOf(states.gate.at(-1)!);
      const total = await publishAndRegister(undisturbed, await createCatalog(undisturbed), null);
      assert.equal((await pointerOf({ ports: { objects: undisturbed } }, ref)).version, version);
      const wanted = await contentOf(undisturbed);
      assert.ok(total > 8, `${total} operations`);
      for (let at = 0; at < total; at += 1) {
        const objects = await copyOf(states.gate.at(-1)!);
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
    await catalog.putPartitions(
      table,
      [{ values: vanished, location: `s3://${bucket}/old/`, rows: 1 }],
      'new',
    );
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
        findPartitions: (...given) => mortal(() => catalog.findPartitions(...given)),
        putPartitions: (...given) => mortal(() => catalog.putPartitions(...given)),
        deletePartitions: (...given) => mortal(() => catalog.deletePartitions(...given)),
      },
      now: () => 0,
    });
    await publisher.publishVersion({ ref, version, gate: passed, cause: null });
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
