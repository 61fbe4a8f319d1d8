import assert from 'node:assert/strict';
import {
  BatchCreatePartitionCommand,
  BatchUpdatePartitionCommand,
  DeletePartitionCommand,
  type ErrorDetail,
  type GlueClient,
} from '@aws-sdk/client-glue';
import { IngotError } from '../errors.ts';
import type { CatalogPartition, CatalogTable, ExpectedPartitions } from '../ports.ts';
import { awsErrorName, backOff, isPassingCode } from './aws-faults.ts';
import { assertValues, factsOf } from './glue-partition-reads.ts';
import { partitionInput } from './glue-table-input.ts';

const batchMax = 100;
const putAttemptsMax = 4;
const deletesAtOnce = 4;

/**
 * Creates what is not there and updates what is, beginning with what is expected. Another writer may
 * create or delete one of them between the two calls, so what neither took goes around again, a bounded
 * number of times.
 */
export async function putPartitions(
  glue: GlueClient,
  table: CatalogTable,
  put: {
    readonly partitions: readonly CatalogPartition[];
    readonly expected: ExpectedPartitions;
    readonly beforeCreate: () => Promise<void>;
  },
): Promise<void> {
  const { partitions, expected, beforeCreate } = put;
  const create = async (some: readonly CatalogPartition[]) => {
    if (some.length > 0) await beforeCreate();
    return createBatch(glue, table, some);
  };
  const update = (some: readonly CatalogPartition[]) => updateBatch(glue, table, some);
  for (const { values } of partitions) assertValues(table, values);
  for (let first = 0; first < partitions.length; first += batchMax) {
    let left: readonly CatalogPartition[] = partitions.slice(first, first + batchMax);
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt > putAttemptsMax) throw unsettled(table, left, 'created and deleted by others');
      if (attempt > 1) await backOff(attempt);
      left =
        expected === 'new' ? await update(await create(left)) : await create(await update(left));
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
  if (partitions.length === 0) return [];
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

/**
 * Answers those that are not there. A whole call that is refused so says that of all of them, or that the
 * table is gone, which shows before they are created.
 */
async function updateBatch(
  glue: GlueClient,
  table: CatalogTable,
  partitions: readonly CatalogPartition[],
): Promise<readonly CatalogPartition[]> {
  if (partitions.length === 0) return [];
  const command = new BatchUpdatePartitionCommand({
    DatabaseName: table.database,
    TableName: table.table.name,
    Entries: partitions.map((partition) => ({
      PartitionValueList: [...partition.values],
      PartitionInput: partitionInput(table, partition),
    })),
  });
  const answer = await glue.send(command).catch((error: unknown) => {
    if (awsErrorName(error) === 'EntityNotFoundException') return null;
    throw error;
  });
  if (answer === null) return partitions;
  const { Errors = [] } = answer;
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

function nameOf(values: readonly string[]): string {
  return values.join('/');
}
