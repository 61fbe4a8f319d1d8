import assert from 'node:assert/strict';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { readPointersThere } from '../../src/activities/pointers.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import { overlapping, windowOf } from '../../src/lake/window.ts';
import { aroundStore } from '../support/around-store.ts';

const table = { layer: 'silver', name: 'events_cleaned' } as const;
const hours = overlapping(windowOf('2026-08-21'), 'hour').map(({ id }) => id);

/** A store with pointers of these windows, and the keys that were read of it. */
async function storeOf(windows: readonly string[]) {
  const store = createMemoryObjectStore();
  for (const window of windows) {
    await store.replaceObject(pointerKey(table, window), jsonBytes({ window }));
  }
  const read: string[] = [];
  const objects = aroundStore(store, (step, run) => {
    if (step.name === 'readObject') read.push(step.key);
    return run();
  });
  return { objects, read };
}

describe('readPointersThere', () => {
  it('reads the pointers of a day that are there, in the order of the windows, and no others', async () => {
    const there = ['2026-08-21T03', '2026-08-21T13', '2026-08-21T23'];
    const { objects, read } = await storeOf(['2026-08-20T23', ...there, '2026-08-22T00']);
    const found = await readPointersThere(objects, table, [...hours].reverse());
    assert.deepEqual(
      found.map(({ window }) => window),
      [...there].reverse(),
    );
    assert.equal(read.length, there.length);
  });

  it('leaves out a window that is there and was not asked for', async () => {
    const { objects } = await storeOf(hours);
    const others = hours.filter((hour) => hour !== '2026-08-21T13');
    const found = await readPointersThere(objects, table, others);
    assert.deepEqual(
      found.map(({ window }) => window),
      others,
    );
  });

  it('asks for one or two windows without a listing', async () => {
    const { objects, read } = await storeOf(['2026-08-21T03']);
    const found = await readPointersThere(objects, table, ['2026-08-21T03', '2026-08-21T04']);
    assert.deepEqual([found.length, read.length], [1, 2]);
  });
});
