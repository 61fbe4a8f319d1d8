import assert from 'node:assert/strict';
import { DeleteTableCommand, UpdateTableCommand, type GlueClient } from '@aws-sdk/client-glue';
import { createGlueClient } from '../../src/adapters/aws-clients.ts';
import { createGlueCatalog } from '../../src/adapters/glue-catalog.ts';
import { tableInput } from '../../src/adapters/glue-table-input.ts';
import { dropDatabase } from '../../src/adapters/namespace-cleanup.ts';
import { loadConfig } from '../../src/config.ts';
import type { Column, ColumnType } from '../../src/lake/table.ts';
import type { CatalogTable } from '../../src/ports.ts';
import { describeCatalog } from '../support/contracts/catalog.ts';
import {
  databaseOfThisRun,
  openSpiedGlue,
  readTable,
  type SpiedGlue,
} from '../support/spied-glue.ts';

const config = loadConfig(process.env);

async function readColumns(glue: GlueClient, table: CatalogTable): Promise<Column[] | null> {
  const found = await readTable(glue, table);
  if (found === null) return null;
  const columns = [...(found.StorageDescriptor?.Columns ?? []), ...(found.PartitionKeys ?? [])];
  return columns.map(({ Name = '', Type = '', Comment = '' }) => ({
    name: Name,
    type: Type as ColumnType,
    comment: Comment,
  }));
}

describeCatalog('Glue', async () => {
  const glue = createGlueClient(config);
  const database = databaseOfThisRun();
  return {
    catalog: createGlueCatalog(glue),
    database,
    columnsOf: (table) => readColumns(glue, table),
    dropTable: async (table) => {
      await glue.send(
        new DeleteTableCommand({ DatabaseName: table.database, Name: table.table.name }),
      );
    },
    close: async () => {
      await dropDatabase(glue, database);
      glue.destroy();
    },
  };
});

describe('ensureTable on Glue', () => {
  let spied: SpiedGlue;
  const spiedCatalog: SpiedGlue['spiedCatalog'] = (answers) => spied.spiedCatalog(answers);
  let table: CatalogTable;
  before(async () => {
    spied = await openSpiedGlue();
    table = spied.table;
  });
  after(() => spied.close());

  it('registers an external Parquet table that Athena, Trino and Hive can read', async () => {
    const { glue } = spiedCatalog();
    const found = await readTable(glue, table);
    assert.equal(found?.TableType, 'EXTERNAL_TABLE');
    assert.equal(found.Parameters?.['classification'], 'parquet');
    assert.equal(found.Parameters['ingot.layer'], 'silver');
    const { Location, InputFormat, OutputFormat, SerdeInfo } = found.StorageDescriptor ?? {};
    assert.deepEqual(
      [Location, InputFormat, OutputFormat, SerdeInfo?.SerializationLibrary],
      [
        's3://lake/silver/spied/',
        'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      ],
    );
  });

  it('does not update a table that is as it should be', async () => {
    const { catalog, inputsOf } = spiedCatalog();
    await catalog.ensureTable(table);
    assert.equal(inputsOf('UpdateTable').length, 0);
    assert.equal(inputsOf('CreateTable').length, 0);
  });

  it('updates with VersionId and SkipArchive', async () => {
    const { catalog, glue, inputsOf } = spiedCatalog();
    const other = { ...table, table: { ...table.table, comment: 'Another comment.' } };
    await catalog.ensureTable(other);
    const [update] = inputsOf('UpdateTable');
    assert.equal(update?.['SkipArchive'], true);
    assert.match(String(update['VersionId']), /^\d+$/);
    assert.equal((await readTable(glue, table))?.Description, 'Another comment.');
    await catalog.ensureTable(table);
  });

  it('keeps table parameters that others have set', async () => {
    const { catalog, glue } = spiedCatalog();
    const TableInput = tableInput(table, { owner: 'somebody' });
    await glue.send(new UpdateTableCommand({ DatabaseName: table.database, TableInput }));
    const other = { ...table, table: { ...table.table, comment: 'A third comment.' } };
    await catalog.ensureTable(other);
    const found = await readTable(glue, table);
    assert.equal(found?.Description, 'A third comment.');
    assert.equal(found.Parameters?.['owner'], 'somebody');
    await catalog.ensureTable(table);
  });

  it('looks again when another writer updated the table first', async () => {
    const stale = Object.assign(new Error('stale'), { name: 'ConcurrentModificationException' });
    const { catalog, glue, inputsOf } = spiedCatalog(({ name }, times) =>
      name === 'UpdateTable' && times <= 2 ? { error: stale } : undefined,
    );
    const other = { ...table, table: { ...table.table, comment: 'After a rival.' } };
    await catalog.ensureTable(other);
    assert.equal(inputsOf('UpdateTable').length, 3);
    assert.equal(inputsOf('GetTable').length, 3);
    assert.equal((await readTable(glue, table))?.Description, 'After a rival.');
    await catalog.ensureTable(table);
  });

  it('is CATALOG_UNSETTLED when the table never stays', async () => {
    const stale = Object.assign(new Error('stale'), { name: 'ConcurrentModificationException' });
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'UpdateTable' ? { error: stale } : undefined,
    );
    const other = { ...table, table: { ...table.table, comment: 'Never.' } };
    await assert.rejects(catalog.ensureTable(other), {
      code: 'CATALOG_UNSETTLED',
      retryable: true,
    });
  });
  it('says PART_UNREACHABLE with the address when nothing listens', async () => {
    const glue = createGlueClient({ awsEndpoint: 'http://127.0.0.1:1', AWS_REGION: 'us-west-2' });
    await assert.rejects(createGlueCatalog(glue).ensureTable(table), {
      code: 'PART_UNREACHABLE',
      retryable: true,
      message: `Glue cannot be reached [address=http://127.0.0.1:1, database=${table.database}, table=spied, reason=ECONNREFUSED]`,
    });
  });
});
