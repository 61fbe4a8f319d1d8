import type { Pointer } from './pointer.ts';
import type { Table } from './table.ts';
import { type Window, windowDateAndHour } from './window.ts';

/* What the catalog must say of a window, given its pointer. */

export type RegisteredPartition = {
  readonly values: readonly string[];
  /** Folder in the bucket, with its trailing slash. */
  readonly folder: string;
  readonly rows: number;
};

/** Leading table partition values that a window owns alone: its date, and its hour if it is one. */
export function leadingValues(window: Window): readonly string[] {
  const { date, hour } = windowDateAndHour(window);
  return hour === null ? [date] : [date, hour];
}

/**
 * Whether a window has one table partition that no other window has, and its version has rows in it:
 * then there is nothing of the window to be taken out, and putting is enough.
 */
export function isOnlyPartition(
  table: Table,
  window: Window,
  wanted: readonly RegisteredPartition[],
): boolean {
  const own = leadingValues(window);
  return (
    own.length === table.partitionColumns.length &&
    wanted.length === 1 &&
    JSON.stringify(wanted[0]?.values) === JSON.stringify(own)
  );
}

/** The table partitions of a version: one for each folder that its files lie in. */
export function wantedPartitions(
  table: Table,
  pointer: Pick<Pointer, 'files'>,
): RegisteredPartition[] {
  const byFolder = new Map<string, RegisteredPartition>();
  for (const file of pointer.files) {
    const folder = file.key.slice(0, file.key.lastIndexOf('/') + 1);
    const values = table.partitionColumns.map(({ name }) => file.partition[name] ?? '');
    const rows = (byFolder.get(folder)?.rows ?? 0) + file.rows;
    byFolder.set(folder, { values, folder, rows });
  }
  return [...byFolder.values()];
}

/**
 * The values of all table partitions that a version or any before it has had, given the version that
 * it is made from; `null` where that one does not know. Only published versions are registered, and each
 * is made from the one that it replaces: so a registrar, however late it is, has put no others.
 */
export function partitionsEver(
  table: Table,
  version: Pick<Pointer, 'files'>,
  current: Pick<Pointer, 'partitionsEver'> | null,
): readonly (readonly string[])[] | null {
  if (current !== null && current.partitionsEver === undefined) return null;
  const own = wantedPartitions(table, version).map(({ values }) => values);
  const all = [...(current?.partitionsEver ?? []), ...own];
  const byName = new Map(all.map((values) => [JSON.stringify(values), values]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, values]) => values);
}

export type RegistrationDiff = {
  readonly put: readonly RegisteredPartition[];
  readonly remove: readonly (readonly string[])[];
};

/** Makes `found` equal to `wanted`: also what vanished in a rebuild vanishes from the catalog. */
export function diffPartitions(
  wanted: readonly RegisteredPartition[],
  found: readonly RegisteredPartition[],
): RegistrationDiff {
  const name = (partition: RegisteredPartition) => JSON.stringify(partition.values);
  const byName = new Map(found.map((partition) => [name(partition), partition]));
  const wantedNames = new Set(wanted.map(name));
  return {
    put: wanted.filter((partition) => {
      const known = byName.get(name(partition));
      return known?.folder !== partition.folder || known.rows !== partition.rows;
    }),
    remove: found
      .filter((partition) => !wantedNames.has(name(partition)))
      .map((partition) => partition.values),
  };
}
