import assert from 'node:assert/strict';
import { createPointerStore } from '../../src/activities/pointer-store.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { stagedKey } from '../../src/lake/paths.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { build, createBed, publish, ref, stage, versionOf } from './support/catalog-bed.ts';
import { passed, publisherOver, pointerOf } from './support/lake-bed.ts';

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

  it('is not misled by a pointer that it saw before others published', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['search']));
    const other = publisherOver(bed.ports);
    await stage(bed, versionOf('2', '1', ['search']));
    await other.publishVersion({ ref, version: '2', gate: passed, cause: null });
    await stage(bed, versionOf('2b', '1', ['page_view']));
    assert.deepEqual(await publish(bed, '2b'), { kind: 'superseded', by: '2' });
    await other.publishVersion({ ref, version: '2b', gate: passed, cause: null });
    assert.equal((await pointerOf(bed, ref)).version, '2');
  });

  it('publishes after a version of others that this process has not seen', async () => {
    const bed = createBed();
    await build(bed, versionOf('1', null, ['search']));
    await stage(bed, versionOf('2', '1', ['search']));
    await publisherOver(bed.ports).publishVersion({
      ref,
      version: '2',
      gate: passed,
      cause: null,
    });
    await build(bed, versionOf('3', '2', ['page_view']));
    assert.equal((await pointerOf(bed, ref)).version, '3');
  });

  it('publishes what lies staged in the lake, not what this process remembers of it', async () => {
    const bed = createBed();
    const pointers = createPointerStore(bed.ports);
    const publisher = publisherOver(bed.ports, pointers);
    const version = versionOf('1', null, ['search']);
    await pointers.stage({ ...version, complete: false });
    await stage(bed, { ...version, complete: true });
    const publishing = { ref, version: '1', gate: passed, cause: null };
    assert.deepEqual(await publisher.publishVersion(publishing), { kind: 'published' });
    assert.equal((await pointerOf(bed, ref)).complete, true);
    await pointers.stage(versionOf('2', '1', ['search']));
    const table = { layer: ref.layer, name: ref.table };
    await bed.ports.objects.deleteObjects([stagedKey(table, ref.window, '2')]);
    await assert.rejects(publisher.publishVersion({ ...publishing, version: '2' }), {
      code: 'OBJECT_MISSING',
    });
  });

  it('says which object is gone when nothing was staged', async () => {
    const key = '_staged/silver/events_cleaned/2026-08-21T13/1.json';
    await assert.rejects(publish(createBed(), '1'), { code: 'OBJECT_MISSING', facts: { key } });
  });
});
