import assert from 'node:assert/strict';
import {
  BatchCreatePartitionCommand,
  BatchUpdatePartitionCommand,
  DeletePartitionCommand,
  GetPartitionCommand,
  GetPartitionsCommand,
  type ErrorDetail,
  type GlueClient,
  type Partition,
} from '@aws-sdk/client-glue';
import { formatFacts, IngotError } from '../errors.ts';
import type { ColumnType } from '../lake/table.ts';
import type { CatalogPartition, CatalogTable } from '../ports.ts';
import { awsErrorName, backOff, isPassingCode } from './aws-faults.ts';
import { partitionInput, rowsParameter } from './glue-table-input.ts';

const batchMax = 100;
const putAttemptsMax = 4;
const deletesAtOnce = 4;
const pagesMax = 10_000;

/** Table partitions whose leading values are these. The caller knows that the table is there. */
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

/**
 * Creates what is not there and updates what is. Another writer may create or delete one of them
 * between the two calls, so what neither took goes around again, a bounded number of times.
 */
export async function putPartitions(
  glue: GlueClient,
  table: CatalogTable,
  partitions: readonly CatalogPartition[],
): Promise<void> {
  for (const { values } of partitions) assertValues(table, values);
  for (let first = 0; first < partitions.length; first += batchMax) {
    let left: readonly CatalogPartition[] = partitions.slice(first, first + batchMax);
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt > putAttemptsMax) throw unsettled(table, left, 'created and deleted by others');
      if (attempt > 1) await backOff(attempt);
      left = await updateBatch(glue, table, await createBatch(glue, table, left));
    }
  }
}

/**
 * One by one, a few at a time: ministack has no BatchDeletePartition, and the 25 that it takes on
 * AWS would not be worth a second way. One that is already gone is no error.
 */
export async function deletePartitions(
  glue: GlueClient,
  table: CatalogTable,
  partitionValues: readonly (readonly string[])[],
): Promise<void> {
  for (const values of partitionValues) assertValues(table, values);
  for (let first = 0; first < partitionValues.length; first += deletesAtOnce) {
    const some = partitionValues.slice(first, first + deletesAtOnce);
    await Promise.all(some.map((values) => deletePartition(glue, table, values)));
  }
}

/** Answers those that are already there. */
async function createBatch(
  glue: GlueClient,
  table: CatalogTable,
  partitions: readonly CatalogPartition[],
): Promise<readonly CatalogPartition[]> {
  const { Errors = [] } = await glue.send(
    new BatchCreatePartitionCommand({
      DatabaseName: table.database,
      TableName: table.table.name,
      PartitionInputList: partitions.map((partition) => partitionInput(table, partition)),
    }),
  );
  const refused = Errors.map(({ PartitionValues, ErrorDetail }) => ({
    values: PartitionValues ?? [],
    detail: ErrorDetail,
  }));
  return onlyRefusedBy('AlreadyExistsException', { table, partitions, refused });
}

/** Answers those that are not there any more. */
async function updateBatch(
  glue: GlueClient,
  table: CatalogTable,
  partitions: readonly CatalogPartition[],
): Promise<readonly CatalogPartition[]> {
  if (partitions.length === 0) return [];
  const { Errors = [] } = await glue.send(
    new BatchUpdatePartitionCommand({
      DatabaseName: table.database,
      TableName: table.table.name,
      Entries: partitions.map((partition) => ({
        PartitionValueList: [...partition.values],
        PartitionInput: partitionInput(table, partition),
      })),
    }),
  );
  const refused = Errors.map(({ PartitionValueList, ErrorDetail }) => ({
    values: PartitionValueList ?? [],
    detail: ErrorDetail,
  }));
  return onlyRefusedBy('EntityNotFoundException', { table, partitions, refused });
}

type Refused = { readonly values: readonly string[]; readonly detail: ErrorDetail | undefined };

/** The partitions that were refused with this code; any other refusal is thrown. */
function onlyRefusedBy(
  code: string,
  batch: {
    readonly table: CatalogTable;
    readonly partitions: readonly CatalogPartition[];
    readonly refused: readonly Refused[];
  },
): readonly CatalogPartition[] {
  const other = batch.refused.find(({ detail }) => detail?.ErrorCode !== code);
  if (other !== undefined) throw refusal(batch.table, other, batch.refused.length);
  const names = new Set(batch.refused.map(({ values }) => nameOf(values)));
  const left = batch.partitions.filter(({ values }) => names.has(nameOf(values)));
  assert(left.length >= names.size, 'Glue refused a table partition that it was not asked for');
  return left;
}

function refusal(table: CatalogTable, { values, detail }: Refused, refused: number): Error {
  const code = detail?.ErrorCode ?? 'unknown';
  const facts = { ...factsOf(table), values: nameOf(values), code, refused };
  const sentence = `the catalog refused a table partition: ${detail?.ErrorMessage ?? 'no reason given'}`;
  return new IngotError('CATALOG_UNSETTLED', sentence, { retryable: isPassingCode(code), facts });
}

function unsettled(table: CatalogTable, left: readonly CatalogPartition[], why: string): Error {
  return new IngotError('CATALOG_UNSETTLED', `table partitions were not settled: ${why}`, {
    retryable: true,
    facts: { ...factsOf(table), values: nameOf(left[0]?.values ?? []), left: left.length },
  });
}

async function deletePartition(
  glue: GlueClient,
  table: CatalogTable,
  values: readonly string[],
): Promise<void> {
  const command = new DeletePartitionCommand({
    DatabaseName: table.database,
    TableName: table.table.name,
    PartitionValues: [...values],
  });
  try {
    await glue.send(command);
  } catch (error) {
    // The table was there a moment ago, so it is the partition that is gone.
    if (awsErrorName(error) !== 'EntityNotFoundException') throw error;
  }
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
function assertValues({ table }: CatalogTable, values: readonly string[]): void {
  assert.equal(values.length, table.partitionColumns.length, `values of ${table.name}`);
  table.partitionColumns.forEach(({ name, type }, index) => {
    const value = values[index] ?? '';
    assert(value !== '', `${name} of ${table.name} has no value`);
    assert(type !== 'date' || /^\d{4}-\d{2}-\d{2}$/.test(value), `${name}=${value} is no date`);
  });
}

function nameOf(values: readonly string[]): string {
  return values.join('/');
}

function factsOf({ database, table }: CatalogTable): { database: string; table: string } {
  return { database, table: table.name };
}
