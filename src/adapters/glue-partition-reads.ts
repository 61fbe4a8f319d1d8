import assert from 'node:assert/strict';
import {
  BatchGetPartitionCommand,
  GetPartitionCommand,
  GetPartitionsCommand,
  type GlueClient,
  type Partition,
} from '@aws-sdk/client-glue';
import { formatFacts } from '../errors.ts';
import type { ColumnType } from '../lake/table.ts';
import type { CatalogPartition, CatalogTable } from '../ports.ts';
import { awsErrorName } from './aws-faults.ts';
import { rowsParameter } from './glue-table-input.ts';

/* Asking Glue for table partitions. Of all of these the caller knows that the table is there. */

const findBatchMax = 1_000;
const findsAtOnce = 4;
const pagesMax = 10_000;

/** Table partitions whose leading values are these. */
export async function listPartitions(
  glue: GlueClient,
  table: CatalogTable,
  leadingValues: readonly string[],
): Promise<readonly CatalogPartition[]> {
  const isOne = leadingValues.length === table.table.partitionColumns.length;
  return isOne
    ? findPartition(glue, table, leadingValues)
    : searchPartitions(glue, table, leadingValues);
}

/** By its key, which costs the same however many others there are. */
async function findPartition(
  glue: GlueClient,
  table: CatalogTable,
  values: readonly string[],
): Promise<readonly CatalogPartition[]> {
  const command = new GetPartitionCommand({
    DatabaseName: table.database,
    TableName: table.table.name,
    PartitionValues: [...values],
  });
  try {
    const { Partition } = await glue.send(command);
    return Partition === undefined ? [] : [catalogPartition(Partition)];
  } catch (error) {
    if (awsErrorName(error) === 'EntityNotFoundException') return [];
    throw error;
  }
}

/** Those of these that are there. */
export async function findPartitions(
  glue: GlueClient,
  table: CatalogTable,
  partitionValues: readonly (readonly string[])[],
): Promise<readonly CatalogPartition[]> {
  for (const values of partitionValues) assertValues(table, values);
  const found: CatalogPartition[] = [];
  for (let first = 0; first < partitionValues.length; first += findBatchMax) {
    const answer = await glue.send(
      new BatchGetPartitionCommand({
        DatabaseName: table.database,
        TableName: table.table.name,
        PartitionsToGet: partitionValues
          .slice(first, first + findBatchMax)
          .map((values) => ({ Values: [...values] })),
      }),
    );
    found.push(...(answer.Partitions ?? []).map(catalogPartition));
    // AWS gives back what it had no time for, and ministack what is not there.
    const left = answer.UnprocessedKeys ?? [];
    for (let at = 0; at < left.length; at += findsAtOnce) {
      const some = left.slice(at, at + findsAtOnce);
      const each = await Promise.all(
        some.map(({ Values }) => findPartition(glue, table, Values ?? [])),
      );
      found.push(...each.flat());
    }
  }
  return found;
}

async function searchPartitions(
  glue: GlueClient,
  table: CatalogTable,
  leadingValues: readonly string[],
): Promise<readonly CatalogPartition[]> {
  const found: CatalogPartition[] = [];
  let token: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await glue.send(
      new GetPartitionsCommand({
        DatabaseName: table.database,
        TableName: table.table.name,
        Expression: expressionOf(table, leadingValues),
        // Columns repeat in every partition, and nobody here reads them.
        ExcludeColumnSchema: true,
        NextToken: token,
      }),
    );
    // The expression saves pages on AWS; ministack ignores it, so this filter is the one that counts.
    const wanted = (answer.Partitions ?? []).filter(({ Values = [] }) =>
      leadingValues.every((value, index) => Values[index] === value),
    );
    found.push(...wanted.map(catalogPartition));
    token = answer.NextToken;
    if (token === undefined) return found;
  }
  throw new Error(`too many table partitions to list${formatFacts(factsOf(table))}`);
}

/** `year='2026' AND month='08'`, undefined for all. */
function expressionOf(
  { table }: CatalogTable,
  leadingValues: readonly string[],
): string | undefined {
  assert(
    leadingValues.length <= table.partitionColumns.length,
    'more values than table partition columns',
  );
  const terms = leadingValues.map((value, index) => {
    const column = table.partitionColumns[index];
    assert(column !== undefined);
    return `${column.name} = ${literalOf(column.type, value)}`;
  });
  return terms.length === 0 ? undefined : terms.join(' AND ');
}

function literalOf(type: ColumnType, value: string): string {
  switch (type) {
    case 'int':
    case 'bigint':
    case 'double':
    case 'decimal(12,2)':
    case 'decimal(18,2)':
      assert(/^-?\d+(\.\d+)?$/.test(value), `${value} is no number for a table partition`);
      return value;
    case 'string':
    case 'boolean':
    case 'date':
    case 'timestamp':
      return `'${value.replaceAll("'", "''")}'`;
  }
}

/** A partition that others registered may have no row count; it counts as 0. */
function catalogPartition({ Values, StorageDescriptor, Parameters }: Partition): CatalogPartition {
  const rows = Number(Parameters?.[rowsParameter]);
  return {
    values: Values ?? [],
    location: StorageDescriptor?.Location ?? '',
    rows: Number.isSafeInteger(rows) ? rows : 0,
  };
}

/** Values become folders and literals: as many as there are columns, and dates as YYYY-MM-DD. */
export function assertValues({ table }: CatalogTable, values: readonly string[]): void {
  assert.equal(values.length, table.partitionColumns.length, `values of ${table.name}`);
  table.partitionColumns.forEach(({ name, type }, index) => {
    const value = values[index] ?? '';
    assert(value !== '', `${name} of ${table.name} has no value`);
    assert(type !== 'date' || /^\d{4}-\d{2}-\d{2}$/.test(value), `${name}=${value} is no date`);
  });
}

export function factsOf({ database, table }: CatalogTable): { database: string; table: string } {
  return { database, table: table.name };
}
