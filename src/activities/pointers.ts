import { pointerKey, pointerPrefix, stagedKey } from '../lake/paths.ts';
import type { WindowRef } from '../lake/messages.ts';
import type { Pointer } from '../lake/pointer.ts';
import type { Table } from '../lake/table.ts';
import { IngotError } from '../errors.ts';
import type { ObjectStore, ObjectSummary, TableFile } from '../ports.ts';
import { type JsonObject, jsonBytes, readJson } from './json-objects.ts';

/* Pointers as objects: the current one of a window, and the staged one of a build. */

export async function readPointer(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
  window: string,
): Promise<JsonObject<Pointer> | null> {
  return readJson<Pointer>(objects, pointerKey(table, window));
}

/** Pointers of several windows; windows that were never published are left out. */
export async function readPointers(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
  windows: readonly string[],
): Promise<readonly Pointer[]> {
  const found = await Promise.all(windows.map((window) => readPointer(objects, table, window)));
  return found.flatMap((pointer) => (pointer === null ? [] : [pointer.value]));
}

/** Which pointers there are of these windows' days, and their etags; perhaps of other windows too. */
export async function listPointers(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
  windows: readonly string[],
): Promise<readonly ObjectSummary[]> {
  const prefix = pointerPrefix(table);
  const dates = [...new Set(windows.map((window) => window.slice(0, 10)))];
  const listed = await Promise.all(dates.map((date) => objects.listObjects(`${prefix}${date}`)));
  return listed.flat();
}

/** Ids of the windows of a table that were ever published, ascending. */
async function listWindows(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
): Promise<readonly string[]> {
  const prefix = pointerPrefix(table);
  const listed = await objects.listObjects(prefix);
  return listed.map(({ key }) => key.slice(prefix.length, -'.json'.length));
}

/** The pointers of all windows of a table. */
export async function readAllPointers(
  objects: ObjectStore,
  table: Pick<Table, 'layer' | 'name'>,
): Promise<readonly Pointer[]> {
  return readPointers(objects, table, await listWindows(objects, table));
}

export function tableFiles(pointers: readonly Pointer[]): readonly TableFile[] {
  return pointers.flatMap(({ files }) => files.map(({ key, partition }) => ({ key, partition })));
}

/** Keeps what a build would publish. Staging again overwrites it with the same. */
export async function writeStaged(objects: ObjectStore, pointer: Pointer): Promise<void> {
  const table = { layer: pointer.layer, name: pointer.table };
  const key = stagedKey(table, pointer.window, pointer.version);
  await objects.replaceObject(key, jsonBytes(pointer));
}

export async function readStaged(
  objects: ObjectStore,
  ref: WindowRef,
  version: string,
): Promise<Pointer> {
  const key = stagedKey({ layer: ref.layer, name: ref.table }, ref.window, version);
  const found = await readJson<Pointer>(objects, key);
  if (found !== null) return found.value;
  throw new IngotError('OBJECT_MISSING', 'a staged version is gone', {
    retryable: false,
    facts: { key },
  });
}
