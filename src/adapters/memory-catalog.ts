import { isDeepStrictEqual } from 'node:util';
import { IngotError } from '../errors.ts';
import type { Column } from '../lake/table.ts';
import type { Catalog, CatalogPartition, CatalogTable } from '../ports.ts';

/** A catalog with what tests need to look at it from outside, and to lose it. */
export type MemoryCatalog = Catalog & {
  /** File columns, then table partition columns; `null` when there is no such table. */
  readonly columnsOf: (database: string, table: string) => readonly Column[] | null;
  readonly dropTable: (database: string, table: string) => void;
};

type Entry = { readonly table: CatalogTable; readonly partitions: Map<string, CatalogPartition> };

/** A catalog in the memory of this process, for tests and dry runs. */
export function createMemoryCatalog(): MemoryCatalog {
  const entries = new Map<string, Entry>();
  const entryOf = (table: CatalogTable): Entry => {
    const entry = entries.get(nameOf(table.database, table.table.name));
    if (entry !== undefined) return entry;
    throw new IngotError('CATALOG_UNSETTLED', 'the table is gone from the catalog', {
      retryable: true,
      facts: { database: table.database, table: table.table.name },
    });
  };
  return {
    ensureTable: async (table) => {
      const name = nameOf(table.database, table.table.name);
      const partitions = entries.get(name)?.partitions ?? new Map<string, CatalogPartition>();
      entries.set(name, { table, partitions });
    },
    listPartitions: async (table, leadingValues) =>
      [...entryOf(table).partitions.values()].filter(({ values }) =>
        isDeepStrictEqual(values.slice(0, leadingValues.length), [...leadingValues]),
      ),
    findPartitions: async (table, partitionValues) => {
      if (partitionValues.length === 0) return [];
      const { partitions } = entryOf(table);
      return partitionValues.flatMap((values) => partitions.get(JSON.stringify(values)) ?? []);
    },
    putPartitions: async (table, partitions) => {
      if (partitions.length === 0) return;
      const entry = entryOf(table);
      for (const { values, location, rows } of partitions) {
        entry.partitions.set(JSON.stringify(values), { values: [...values], location, rows });
      }
    },
    deletePartitions: async (table, partitionValues) => {
      if (partitionValues.length === 0) return;
      const entry = entryOf(table);
      for (const values of partitionValues) entry.partitions.delete(JSON.stringify(values));
    },
    columnsOf: (database, table) => {
      const entry = entries.get(nameOf(database, table));
      if (entry === undefined) return null;
      return [...entry.table.table.columns, ...entry.table.table.partitionColumns];
    },
    dropTable: (database, table) => {
      entries.delete(nameOf(database, table));
    },
  };
}

function nameOf(database: string, table: string): string {
  return `${database}.${table}`;
}
