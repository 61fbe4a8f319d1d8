import {
  CreateDatabaseCommand,
  CreateTableCommand,
  GetTableCommand,
  UpdateTableCommand,
  type GlueClient,
  type Table as GlueTable,
} from '@aws-sdk/client-glue';
import { IngotError, type ErrorFacts } from '../errors.ts';
import type { Catalog, CatalogTable } from '../ports.ts';
import type { AwsSettings } from './aws-clients.ts';
import { awsErrorName, backOff, withAwsFaults } from './aws-faults.ts';
import { findPartitions, listPartitions } from './glue-partition-reads.ts';
import { deletePartitions, putPartitions } from './glue-partitions.ts';
import { catalogMarker, isSameTable, tableInput } from './glue-table-input.ts';

const settleAttemptsMax = 6;

/** The AWS Glue Data Catalog, or a stand-in for it. */
export function createGlueCatalog(glue: GlueClient): Catalog {
  const onTable = <T>(table: CatalogTable, run: () => Promise<T>): Promise<T> =>
    withAwsFaults({ part: 'Glue', client: glue, facts: factsOf(table) }, async () => {
      try {
        return await run();
      } catch (error) {
        if (awsErrorName(error) === 'EntityNotFoundException') throw tableGone(table, error);
        throw error;
      }
    });
  /*
   * Not every Glue says that a table is gone: ministack then lists nothing, and takes new partitions
   * that no reader will find. So nothing is listed, created or taken for deleted without a look.
   */
  const look = async (table: CatalogTable): Promise<void> => {
    if ((await getTable(glue, table)) === null) throw tableGone(table, undefined);
  };
  const afterLook = <T>(table: CatalogTable, run: () => Promise<T>): Promise<T> =>
    onTable(table, async () => {
      await look(table);
      return run();
    });
  return {
    ensureTable: (table) =>
      withAwsFaults({ part: 'Glue', client: glue, facts: factsOf(table) }, () =>
        ensureTable(glue, table),
      ),
    listPartitions: (table, leadingValues) =>
      afterLook(table, () => listPartitions(glue, table, leadingValues)),
    findPartitions: async (table, values) =>
      values.length > 0 ? afterLook(table, () => findPartitions(glue, table, values)) : [],
    putPartitions: async (table, partitions, expected) => {
      if (partitions.length === 0) return;
      const put = { partitions, expected, beforeCreate: () => look(table) };
      await onTable(table, () => putPartitions(glue, table, put));
    },
    deletePartitions: async (table, values) => {
      if (values.length > 0) await afterLook(table, () => deletePartitions(glue, table, values));
    },
  };
}

/**
 * Asks for one table, which need not be there: answers whether it is. What goes wrong names the
 * address, and the setting that it comes from.
 */
export async function probeGlue(
  glue: GlueClient,
  { config, table }: { readonly config: AwsSettings; readonly table: TableName },
): Promise<boolean> {
  const { awsEndpoint, AWS_REGION } = config;
  const facts = {
    address: awsEndpoint ?? `glue in ${AWS_REGION}`,
    setting: awsEndpoint === undefined ? 'AWS_REGION' : 'AWS_ENDPOINT_URL',
    ...factsOf(table),
  };
  return withAwsFaults({ part: 'Glue', client: glue, facts }, async () => {
    return (await getTable(glue, table)) !== null;
  });
}

type TableName = { readonly database: string; readonly table: { readonly name: string } };

/** Looks, then creates or updates; a competitor that was faster is met by looking again. */
async function ensureTable(glue: GlueClient, table: CatalogTable): Promise<void> {
  for (let attempt = 1; attempt <= settleAttemptsMax; attempt += 1) {
    if (attempt > 1) await backOff(attempt);
    const current = await getTable(glue, table);
    if (current !== null && isSameTable(current, table)) return;
    const settled =
      current === null ? await createTable(glue, table) : await updateTable(glue, table, current);
    if (settled) return;
  }
  throw new IngotError('CATALOG_UNSETTLED', 'the catalog table keeps changing under this writer', {
    retryable: true,
    facts: { ...factsOf(table), attempts: settleAttemptsMax },
  });
}

async function getTable(glue: GlueClient, table: TableName): Promise<GlueTable | null> {
  const command = new GetTableCommand({ DatabaseName: table.database, Name: table.table.name });
  return (await unlessNamed(['EntityNotFoundException'], () => glue.send(command)))?.Table ?? null;
}

/** Whether the table is there now because of this call. */
async function createTable(glue: GlueClient, table: CatalogTable): Promise<boolean> {
  const database = new CreateDatabaseCommand({
    DatabaseInput: {
      Name: table.database,
      Description: `Ingot: ${table.table.layer} tables`,
      Parameters: { [catalogMarker]: table.table.layer },
    },
  });
  await unlessNamed(['AlreadyExistsException'], () => glue.send(database));
  const command = new CreateTableCommand({
    DatabaseName: table.database,
    TableInput: tableInput(table, {}),
  });
  // The database may have been dropped in between; then the next attempt creates both.
  const competition = ['AlreadyExistsException', 'EntityNotFoundException'];
  return (await unlessNamed(competition, () => glue.send(command))) !== null;
}

/** Whether the table has the wanted columns now because of this call. */
async function updateTable(
  glue: GlueClient,
  table: CatalogTable,
  current: GlueTable,
): Promise<boolean> {
  const command = new UpdateTableCommand({
    DatabaseName: table.database,
    TableInput: tableInput(table, current.Parameters ?? {}),
    VersionId: current.VersionId,
    // An archived version of every update would fill the quota of the account.
    SkipArchive: true,
  });
  const competition = ['ConcurrentModificationException', 'EntityNotFoundException'];
  return (await unlessNamed(competition, () => glue.send(command))) !== null;
}

async function unlessNamed<T>(names: readonly string[], run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (names.includes(awsErrorName(error))) return null;
    throw error;
  }
}

function tableGone(table: CatalogTable, cause: unknown): IngotError {
  return new IngotError('CATALOG_UNSETTLED', 'the table is gone from the catalog', {
    retryable: true,
    facts: factsOf(table),
    cause,
  });
}

function factsOf({ database, table }: TableName): ErrorFacts {
  return { database, table: table.name };
}
