import assert from 'node:assert/strict';
import { createKeptFiles, foldPlans } from '../../src/activities/silver-files.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events } from '../../src/datasets/events.ts';
import { versionFolder } from '../../src/lake/paths.ts';
import type { Pointer, PointerFile } from '../../src/lake/pointer.ts';
import type { ObjectStore } from '../../src/ports.ts';

/* What a fold has of the version before: which files it copies, and which stay where they are. */

const before = '000001-aaaaaaaaaaaa';
const version = '000002-bbbbbbbbbbbb';
const partitionOf = (eventType: string): PointerFile['partition'] => ({
  event_date: '2026-08-21',
  hour: '13',
  event_type: eventType,
});

async function keeping(eventTypes: readonly string[]) {
  const objects = createMemoryObjectStore();
  const files = eventTypes.map((eventType): PointerFile => {
    const partition = partitionOf(eventType);
    const key = `${versionFolder(events.silver, partition, before)}${before}.parquet`;
    // Large enough that a fold does not write it anew.
    return { key, partition, rows: 10_000_000, bytes: 1_000_000_000 };
  });
  for (const { key } of files) await objects.createObject(key, Buffer.from(key));
  const plans = foldPlans({ files } as unknown as Pointer);
  const make = (store: ObjectStore = objects) =>
    createKeptFiles(store, { dataset: events, version, plans });
  return { objects, files, make };
}

describe('createKeptFiles', () => {
  it('copies a table partition that got rows, and leaves the others where they are', async () => {
    const { objects, files, make } = await keeping(['page_view', 'purchase']);
    const kept = make();
    kept.begin([partitionOf('page_view'), partitionOf('search')]);

    const [copy, left, ...more] = await kept.files();
    const key = `${versionFolder(events.silver, partitionOf('page_view'), version)}${before}.parquet`;
    assert.deepEqual(copy, { ...files[0], key });
    assert.deepEqual(left, files[1]);
    assert.equal(more.length, 0);
    assert.equal(Buffer.from((await objects.readObject(key))!.bytes).toString(), files[0]!.key);
  });

  it('loses no file of the version before when an engine does not tell what it writes', async () => {
    const { make } = await keeping(['page_view']);
    await assert.rejects(make().files(), /tells the table partitions/);
  });

  it('fails with the copy that failed, and then none is on its way', async () => {
    const { objects, make } = await keeping(['page_view', 'purchase']);
    let running = 0;
    const kept = make({
      ...objects,
      copyObject: async (from, to) => {
        running += 1;
        await objects.copyObject(from, to);
        running -= 1;
        if (from.includes('page_view')) throw new Error('no room');
      },
    });
    kept.begin([partitionOf('page_view'), partitionOf('purchase')]);

    await kept.idle();
    assert.equal(running, 0);
    await assert.rejects(kept.files(), /no room/);
  });
});
