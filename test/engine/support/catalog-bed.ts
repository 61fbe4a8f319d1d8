import assert from 'node:assert/strict';
import { jsonBytes } from '../../../src/activities/json-objects.ts';
import { readPointer } from '../../../src/activities/pointers.ts';
import { createMemoryCatalog } from '../../../src/adapters/memory-catalog.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { events } from '../../../src/datasets/events.ts';
import { stagedKey, versionFolder } from '../../../src/lake/paths.ts';
import type { Pointer, PointerFile } from '../../../src/lake/pointer.ts';
import { partitionsEver } from '../../../src/lake/registration.ts';
import type { ObjectStore } from '../../../src/ports.ts';
import { emptyPointer, passed, pointerOf, publisherOver, silverRef } from './lake-bed.ts';
import { catalogFolders, pointerFolders } from './lake-readers.ts';

/* No engine: what a build has staged is given. */

type Types = readonly string[];

export function versionOf(version: string, previous: string | null, types: Types): Pointer {
  const files = types.map((event_type): PointerFile => {
    const partition = { event_date: '2026-08-21', hour: '13', event_type };
    const key = `${versionFolder(events.silver, partition, version)}${version}.parquet`;
    return { key, partition, rows: 1, bytes: 10 };
  });
  return { ...emptyPointer(version, previous), files, rows: files.length };
}

export const ref = silverRef();

export function createBed(objects: ObjectStore = createMemoryObjectStore()) {
  const catalog = createMemoryCatalog();
  const ports = { objects, catalog, now: () => 0 };
  return { ports, catalog, ...publisherOver(ports) };
}

export type Bed = ReturnType<typeof createBed>;

/** As a build stages it, which knows the version that it replaces. */
export async function stage(bed: Bed, made: Pointer): Promise<void> {
  const table = { layer: made.layer, name: made.table };
  const current = (await readPointer(bed.ports.objects, table, made.window))?.value ?? null;
  const ever = partitionsEver(events.silver, made, current);
  const pointer: Pointer = { ...made, ...(ever === null ? {} : { partitionsEver: ever }) };
  const key = stagedKey(table, pointer.window, pointer.version);
  await bed.ports.objects.replaceObject(key, jsonBytes(pointer));
}

export async function publish(bed: Bed, version: string) {
  return bed.publishVersion({ ref, version, gate: passed, cause: null });
}

export async function build(bed: Bed, pointer: Pointer): Promise<void> {
  await stage(bed, pointer);
  assert.deepEqual(await publish(bed, pointer.version), { kind: 'published' });
}

export async function catalogIsPointer(bed: Bed): Promise<void> {
  const pointer = await pointerOf(bed, ref);
  assert.deepEqual(await catalogFolders(bed, ref), pointerFolders(pointer));
}
