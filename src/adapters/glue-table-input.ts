import type {
  Column as GlueColumn,
  PartitionInput,
  StorageDescriptor,
  Table as GlueTable,
  TableInput,
} from '@aws-sdk/client-glue';
import { glueType, type Column } from '../lake/table.ts';
import type { CatalogPartition, CatalogTable } from '../ports.ts';

/** Parameter of every database and table that Ingot made; its value is the layer. */
export const catalogMarker = 'ingot.layer';

/** Parameter of a table partition that Hive, Trino and Athena read as its row count. */
export const rowsParameter = 'numRows';

/** The table as Glue wants it. Parameters that others have set on it are kept. */
export function tableInput(
  { table, location }: CatalogTable,
  parametersNow: Readonly<Record<string, string>>,
): TableInput {
  return {
    Name: table.name,
    Description: table.comment,
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...parametersNow,
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [catalogMarker]: table.layer,
    },
    PartitionKeys: table.partitionColumns.map(glueColumn),
    StorageDescriptor: storageDescriptor(table.columns, location),
  };
}

/** The table partition as Glue wants it. */
export function partitionInput(
  { table }: CatalogTable,
  { values, location, rows }: CatalogPartition,
): PartitionInput {
  return {
    Values: [...values],
    Parameters: { classification: 'parquet', [rowsParameter]: String(rows) },
    StorageDescriptor: storageDescriptor(table.columns, location),
  };
}

/** Whether an update would change anything that Ingot decides. */
export function isSameTable(current: GlueTable, wanted: CatalogTable): boolean {
  const input = tableInput(wanted, {});
  const parameters = Object.entries(input.Parameters ?? {});
  return (
    isSameColumns(current.StorageDescriptor?.Columns, input.StorageDescriptor?.Columns) &&
    isSameColumns(current.PartitionKeys, input.PartitionKeys) &&
    current.StorageDescriptor?.Location === input.StorageDescriptor?.Location &&
    (current.Description ?? '') === input.Description &&
    parameters.every(([name, value]) => current.Parameters?.[name] === value)
  );
}

function isSameColumns(
  left: readonly GlueColumn[] = [],
  right: readonly GlueColumn[] = [],
): boolean {
  const text = ({ Name = '', Type = '', Comment = '' }: GlueColumn) => [Name, Type, Comment];
  return JSON.stringify(left.map(text)) === JSON.stringify(right.map(text));
}

function glueColumn({ name, type, comment }: Column): GlueColumn {
  return { Name: name, Type: glueType(type), Comment: comment };
}

function storageDescriptor(columns: readonly Column[], location: string): StorageDescriptor {
  return {
    Columns: columns.map(glueColumn),
    Location: location,
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    Compressed: false,
    NumberOfBuckets: -1,
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      Parameters: { 'serialization.format': '1' },
    },
    StoredAsSubDirectories: false,
  };
}
