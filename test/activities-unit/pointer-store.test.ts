import assert from 'node:assert/strict';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { createPointerStore } from '../../src/activities/pointer-store.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import { overlapping, windowOf } from '../../src/lake/window.ts';
import type { Pointer } from '../../src/lake/pointer.ts';
import { aroundStore } from '../support/around-store.ts';

const table = { layer: 'silver', name: 'events_cleaned' } as const;
const hours = overlapping(windowOf('2026-08-21'), 'hour').map(({ id }) => id);

const clock = { nowMs: 0 };
const now = () => clock.nowMs;

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

const madeUp = {
  ...{ layer: 'silver', table: table.name, window: hours[0] },
  version: '1',
} as Pointer;

describe('a pointer store', () => {
  it('reads the pointers of a day that are there, in the order of the windows, and no others', async () => {
    const there = ['2026-08-21T03', '2026-08-21T13', '2026-08-21T23'];
    const { objects, read } = await storeOf(['2026-08-20T23', ...there, '2026-08-22T00']);
    const found = await createPointerStore({ objects, now }).readCurrentOf(
      table,
      [...hours].reverse(),
    );
    assert.deepEqual(
      found.map(({ window }) => window),
      [...there].reverse(),
    );
    assert.equal(read.length, there.length);
  });

  it('leaves out a window that is there and was not asked for', async () => {
    const { objects } = await storeOf(hours);
    const others = hours.filter((hour) => hour !== '2026-08-21T13');
    const found = await createPointerStore({ objects, now }).readCurrentOf(table, others);
    assert.deepEqual(
      found.map(({ window }) => window),
      others,
    );
  });

  it('asks for one or two windows without a listing', async () => {
    const { objects, read } = await storeOf(['2026-08-21T03']);
    const found = await createPointerStore({ objects, now }).readCurrentOf(table, [
      '2026-08-21T03',
      '2026-08-21T04',
    ]);
    assert.deepEqual([found.length, read.length], [1, 2]);
  });

  it('reads of many windows only those again whose pointers are others by now', async () => {
    const { objects, read } = await storeOf(hours);
    const pointers = createPointerStore({ objects, now });
    await pointers.readCurrentOf(table, hours);
    read.length = 0;
    const [moved, gone] = ['2026-08-21T03', '2026-08-21T04'] as const;
    await objects.replaceObject(pointerKey(table, moved), jsonBytes({ window: 'another' }));
    await objects.deleteObjects([pointerKey(table, gone)]);
    const found = await pointers.readCurrentOf(table, hours);
    assert.deepEqual(read, [pointerKey(table, moved)]);
    const wanted = hours.filter((hour) => hour !== gone);
    assert.deepEqual(
      found.map(({ window }) => window),
      wanted.map((hour) => (hour === moved ? 'another' : hour)),
    );
  });

  it('need not read what it has published, nor what it has staged', async () => {
    const { objects, read } = await storeOf([]);
    const pointers = createPointerStore({ objects, now });
    const [first, ...others] = hours.map((hour) => ({ ...madeUp, window: hour }));
    for (const pointer of [first!, ...others]) await pointers.swap(pointer, null);
    await pointers.stage(first!);
    await pointers.readCurrentOf(table, hours);
    const ref = { ...table, dataset: 'events', table: table.name, window: first!.window };
    assert.deepEqual(await pointers.readStaged(ref, '1'), first);
    assert.deepEqual(read, []);
    assert.deepEqual(await createPointerStore({ objects, now }).readStaged(ref, '1'), first);
  });

  it('has seen nothing of a window whose swap met a conflict', async () => {
    const { objects } = await storeOf([]);
    const pointers = createPointerStore({ objects, now });
    const pointer = madeUp;
    const { window } = pointer;
    assert.equal(pointers.lastSeen(table, window), undefined);
    await pointers.readCurrent(table, window);
    assert.equal(pointers.lastSeen(table, window), null);
    await createPointerStore({ objects, now }).swap(pointer, null);
    assert.deepEqual(await pointers.swap({ ...pointer, version: '2' }, null), { kind: 'conflict' });
    assert.equal(pointers.lastSeen(table, window), undefined);
  });

  it('asks the lake again for what it staged a while ago: the janitor may have removed it', async () => {
    const { objects, read } = await storeOf([]);
    const pointers = createPointerStore({ objects, now });
    const ref = { ...table, dataset: 'events', table: table.name, window: madeUp.window };
    await pointers.stage(madeUp);
    clock.nowMs += 600_000;
    assert.deepEqual(await pointers.readStaged(ref, '1'), madeUp);
    assert.deepEqual(read, []);
    clock.nowMs += 1;
    assert.deepEqual(await pointers.readStaged(ref, '1'), madeUp);
    assert.equal(read.length, 1);
    await objects.deleteObjects([read[0]!]);
    clock.nowMs += 600_001;
    await assert.rejects(pointers.readStaged(ref, '1'), { code: 'OBJECT_MISSING' });
  });
});
