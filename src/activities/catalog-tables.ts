import type { Dataset } from '../lake/dataset.ts';
import { tableFolder } from '../lake/paths.ts';
import type { RegisteredPartition, RegistrationDiff } from '../lake/registration.ts';
import { type Table, databaseName } from '../lake/table.ts';
import type { CatalogPartition, CatalogTable, ExpectedPartitions, Ports } from '../ports.ts';

/* Tables and their partitions as the catalog has them, and what the lake calls them. */

export type CatalogDeps = {
  readonly ports: Pick<Ports, 'objects' | 'catalog' | 'now'>;
  readonly dataset: Dataset;
  readonly id: string;
  readonly bucket: string;
};

export function catalogTable(
  { id, bucket }: Pick<CatalogDeps, 'id' | 'bucket'>,
  table: Table,
): CatalogTable {
  return {
    database: databaseName(table.layer, id),
    table,
    location: `s3://${bucket}/${tableFolder(table)}`,
  };
}

/** Table partitions of the catalog with folders of the lake instead of locations. */
export function registeredPartitions(
  { bucket }: Pick<CatalogDeps, 'bucket'>,
  found: readonly CatalogPartition[],
): readonly RegisteredPartition[] {
  const root = `s3://${bucket}/`;
  return found.map(({ values, location, rows }) => ({
    values,
    folder: location.startsWith(root) ? location.slice(root.length) : location,
    rows,
  }));
}

export async function applyDiff(
  { ports, bucket }: CatalogDeps,
  target: CatalogTable,
  { put, remove }: RegistrationDiff,
  expected: ExpectedPartitions,
): Promise<void> {
  const partitions = put.map(({ values, folder, rows }) => ({
    values,
    location: `s3://${bucket}/${folder}`,
    rows,
  }));
  if (partitions.length > 0) await ports.catalog.putPartitions(target, partitions, expected);
  if (remove.length > 0) await ports.catalog.deletePartitions(target, remove);
}
