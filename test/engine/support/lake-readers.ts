import { type Answer, ask } from '../../../src/activities/query.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { events } from '../../../src/datasets/events.ts';
import type { WindowRef } from '../../../src/lake/messages.ts';
import type { Pointer } from '../../../src/lake/pointer.ts';
import { databaseName } from '../../../src/lake/table.ts';
import type { ObjectStore, Ports } from '../../../src/ports.ts';
import { type LakeBed, bucket } from './lake-bed.ts';

/* Who looks at a lake in memory: at its objects, its pointers, its catalog, and by SQL. */

/** A store with the same objects. */
export async function copyOf(store: ObjectStore): Promise<ObjectStore> {
  const copy = createMemoryObjectStore();
  for (const [key, bytes] of await contentOf(store)) await copy.createObject(key, bytes);
  return copy;
}

/** Every object, by key. */
export async function contentOf(store: ObjectStore): Promise<ReadonlyMap<string, Uint8Array>> {
  const listed = await store.listObjects('');
  return new Map(
    await Promise.all(
      listed.map(async ({ key }) => [key, (await store.readObject(key))!.bytes] as const),
    ),
  );
}

export function query(
  { ports }: Pick<LakeBed, 'ports'>,
  text: string,
  dates: { readonly dateFrom?: string; readonly dateTo?: string } = {},
): Promise<Answer> {
  const { dateFrom = null, dateTo = null } = dates;
  return ask({ ports, dataset: events }, { sql: text, parameters: {}, dateFrom, dateTo });
}

/** Ids that a reader of the catalog or of the pointers sees, ascending, with repeats. */
export async function idsOf(
  bed: Pick<LakeBed, 'ports'>,
  from = 'events_cleaned',
): Promise<readonly string[]> {
  const { rows } = await query(bed, `SELECT event_id FROM ${from} ORDER BY event_id`);
  return rows.map(({ event_id }) => String(event_id));
}

/** Folders of the table partitions of a table in the catalog, sorted. */
export async function catalogFolders(
  { ports }: { readonly ports: Pick<Ports, 'catalog'> },
  ref: WindowRef,
): Promise<readonly string[]> {
  const table = [events.silver, ...events.gold].find(({ name }) => name === ref.table)!;
  const database = databaseName(ref.layer, 'test');
  const location = `s3://${bucket}/`;
  const found = await ports.catalog.listPartitions({ database, table, location }, []);
  return found.map((partition) => partition.location.slice(location.length)).sort();
}

/** Folders of the files that a pointer names, sorted. */
export function pointerFolders({ files }: Pick<Pointer, 'files'>): readonly string[] {
  const folders = files.map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1));
  return [...new Set(folders)].sort();
}
