import assert from 'node:assert/strict';
import { createMemoryCatalog } from '../../src/adapters/memory-catalog.ts';
import type { StageResult } from '../../src/lake/messages.ts';
import type { Catalog, ObjectStore } from '../../src/ports.ts';
import { Crash, crashingStore, recordingStore } from '../support/around-store.ts';
import {
  type LakeBed,
  activitiesOver,
  buildSilver,
  catalogFolders,
  contentOf,
  copyOf,
  createLakeBed,
  hour,
  passed,
  pointerFolders,
  pointerOf,
  sealBatch,
  silverRef,
  stageSilver,
} from './support/lake-bed.ts';

/*
 * Promise 2, step by step: a process dies in a step of a build, the step is done again, and every
 * object of the lake is to the byte what it is when nobody died. So the next step finds the same in
 * both lives, and all of them together end the same.
 */

/** What the lake is before a step, by the name of the step; each step is run once undisturbed. */
type Step = {
  readonly name: string;
  readonly before: ObjectStore;
  readonly after: ReadonlyMap<string, Uint8Array>;
  readonly run: (objects: ObjectStore) => Promise<unknown>;
};

describe('a build of silver that dies', () => {
  let beds: LakeBed[];
  let staged: StageResult;
  let steps: Readonly<Record<'stage' | 'gate' | 'publish', Step>>;

  /** Another process: over this store, with a cache of its own. */
  async function processOver(objects: ObjectStore): Promise<LakeBed> {
    const bed = await createLakeBed({ objects });
    beds.push(bed);
    return bed;
  }

  async function undisturbed(
    name: string,
    before: ObjectStore,
    run: Step['run'],
  ): Promise<Step> {
    const objects = await copyOf(before);
    await run(objects);
    return { name, before, run, after: await contentOf(objects) };
  }

  const storeOf = async (content: ReadonlyMap<string, Uint8Array>): Promise<ObjectStore> =>
    copyOf({ ...(await createLakeBedStore(content)) });

  before(async () => {
    beds = [];
    const bed = await createLakeBed();
    beds.push(bed);
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b', type: 'search' }]);
    await buildSilver(bed, 'fold', 0);
    await sealBatch(bed, 1, [{ id: 'a' }, { id: 'c' }, { id: 'x', device: 'toaster' }]);
    const stage = await undisturbed('stage', bed.ports.objects, async (objects) => {
      staged = await stageSilver(await processOver(objects), 'fold', 1);
      assert.equal(staged.kind, 'staged');
    });
  });
});
