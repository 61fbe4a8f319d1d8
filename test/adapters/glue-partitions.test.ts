import assert from 'node:assert/strict';
import { IngotError } from '../../src/errors.ts';
import type { CatalogTable } from '../../src/ports.ts';
import { openSpiedGlue, type Answer, type SpiedGlue } from '../support/spied-glue.ts';

const partition = (hour: string) => ({
  values: ['2026-08-21', hour],
  location: `s3://lake/v1/${hour}/`,
  rows: 1,
});

describe('table partitions on Glue', () => {
  let spied: SpiedGlue;
  const spiedCatalog: SpiedGlue['spiedCatalog'] = (answers) => spied.spiedCatalog(answers);
  let table: CatalogTable;
  before(async () => {
    spied = await openSpiedGlue();
    table = spied.table;
  });
  after(() => spied.close());

  it('sends at most 100 table partitions a call', async () => {
    const { catalog, inputsOf } = spiedCatalog();
    const many = Array.from({ length: 250 }, (_, i) => partition(`m${i}`));
    await catalog.putPartitions(table, many, 'new');
    await catalog.putPartitions(table, many, 'there');
    const created = inputsOf('BatchCreatePartition').map(
      (i) => i['PartitionInputList'] as object[],
    );
    const updated = inputsOf('BatchUpdatePartition').map((i) => i['Entries'] as object[]);
    assert.deepEqual(
      created.map((each) => each.length),
      [100, 100, 50],
    );
    assert.deepEqual(
      updated.map((each) => each.length),
      [100, 100, 50],
    );
  });

  it('puts another version in one call, without a look at the table', async () => {
    await spiedCatalog().catalog.putPartitions(table, [partition('v1')], 'new');
    const { catalog, inputsOf } = spiedCatalog();
    await catalog.putPartitions(table, [partition('v1')], 'there');
    assert.equal(inputsOf('BatchUpdatePartition').length, 1);
    assert.equal(inputsOf('BatchCreatePartition').length + inputsOf('GetTable').length, 0);
  });

  it('asks for leading values with an expression, dates and quotes as Glue wants them', async () => {
    const { catalog, inputsOf } = spiedCatalog();
    const [first] = table.table.partitionColumns;
    const partitionColumns = [...table.table.partitionColumns, { ...first!, name: 'third' }];
    const deeper = { ...table, table: { ...table.table, partitionColumns } };
    await catalog.listPartitions(deeper, ['2026-08-21', "1'3"]);
    await catalog.listPartitions(table, []);
    const expressions = inputsOf('GetPartitions').map((input) => input['Expression']);
    assert.deepEqual(expressions, ["event_date = '2026-08-21' AND hour = '1''3'", undefined]);
  });

  it('asks for one by its values where all are known, however many others there are', async () => {
    const { catalog, inputsOf } = spiedCatalog();
    await catalog.putPartitions(table, [partition('k1'), partition('k2')], 'new');
    assert.deepEqual(await catalog.listPartitions(table, ['2026-08-21', 'k1']), [partition('k1')]);
    assert.deepEqual(await catalog.listPartitions(table, ['2026-08-21', 'k3']), []);
    assert.deepEqual(
      inputsOf('GetPartition').map((input) => input['PartitionValues']),
      [
        ['2026-08-21', 'k1'],
        ['2026-08-21', 'k3'],
      ],
    );
    assert.equal(inputsOf('GetPartitions').length, 0);
  });

  it('asks for many by their values in one call, and once more for what came back unprocessed', async () => {
    await spiedCatalog().catalog.putPartitions(table, [partition('f1'), partition('f2')], 'new');
    const values = (hour: string): readonly string[] => ['2026-08-21', hour];
    const { catalog, inputsOf } = spiedCatalog(({ name }) =>
      name === 'BatchGetPartition'
        ? {
            answer: {
              Partitions: [
                { Values: values('f1'), StorageDescriptor: { Location: 's3://lake/v1/f1/' } },
              ],
              UnprocessedKeys: [{ Values: values('f2') }],
            },
          }
        : undefined,
    );
    const found = await catalog.findPartitions(table, ['f1', 'f2', 'f3'].map(values));
    assert.deepEqual(found, [{ ...partition('f1'), rows: 0 }, partition('f2')]);
    assert.deepEqual(
      inputsOf('BatchGetPartition').map((input) => input['PartitionsToGet']),
      [['f1', 'f2', 'f3'].map((hour) => ({ Values: values(hour) }))],
    );
    assert.deepEqual(
      inputsOf('GetPartition').map((input) => input['PartitionValues']),
      [values('f2')],
    );
    assert.equal(inputsOf('GetPartitions').length, 0);
  });

  it('follows the pages of a listing', async () => {
    const page = (hour: string, token?: string): Answer => ({
      answer: {
        Partitions: [{ Values: ['2026-08-21', hour], StorageDescriptor: { Location: 's3://l/' } }],
        NextToken: token,
      },
    });
    const { catalog, inputsOf } = spiedCatalog(({ name }, times) =>
      name === 'GetPartitions' ? page(`p${times}`, times < 3 ? `t${times}` : undefined) : undefined,
    );
    const found = await catalog.listPartitions(table, []);
    assert.deepEqual(
      found.map(({ values }) => values[1]),
      ['p1', 'p2', 'p3'],
    );
    const tokens = inputsOf('GetPartitions').map((input) => input['NextToken']);
    assert.deepEqual(tokens, [undefined, 't1', 't2']);
  });

  const entryError = (field: string, code: string): Answer => ({
    answer: {
      Errors: [
        {
          [field]: ['2026-08-21', '13'],
          ErrorDetail: { ErrorCode: code, ErrorMessage: 'the reason' },
        },
      ],
    },
  });

  it('throws for an entry that was refused otherwise, with the reason and the values', async () => {
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'BatchCreatePartition'
        ? entryError('PartitionValues', 'InvalidInputException')
        : undefined,
    );
    await assert.rejects(
      catalog.putPartitions(table, [partition('13')], 'new'),
      (error) =>
        error instanceof IngotError &&
        error.code === 'CATALOG_UNSETTLED' &&
        !error.retryable &&
        error.message.includes('the reason') &&
        error.message.includes('values=2026-08-21/13, code=InvalidInputException'),
    );
  });

  it('calls an entry that was throttled retryable', async () => {
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'BatchCreatePartition'
        ? entryError('PartitionValues', 'ThrottlingException')
        : undefined,
    );
    const putting = catalog.putPartitions(table, [partition('13')], 'new');
    await assert.rejects(putting, { code: 'CATALOG_UNSETTLED', retryable: true });
  });

  it('creates again what another writer deleted between create and update', async () => {
    const { catalog, inputsOf } = spiedCatalog(({ name }, times) => {
      if (name === 'BatchUpdatePartition') {
        return entryError('PartitionValueList', 'EntityNotFoundException');
      }
      const first = name === 'BatchCreatePartition' && times === 1;
      return first ? entryError('PartitionValues', 'AlreadyExistsException') : undefined;
    });
    await catalog.putPartitions(table, [partition('13')], 'new');
    assert.equal(inputsOf('BatchCreatePartition').length, 2);
    const found = await catalog.listPartitions(table, ['2026-08-21', '13']);
    assert.deepEqual(found, [partition('13')]);
  });

  it('creates what is not there to be updated, also where Glue refuses the whole call', async () => {
    const gone = Object.assign(new Error('gone'), { name: 'EntityNotFoundException' });
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'BatchUpdatePartition' ? { error: gone } : undefined,
    );
    await catalog.putPartitions(table, [partition('w1')], 'there');
    assert.deepEqual(await catalog.listPartitions(table, ['2026-08-21', 'w1']), [partition('w1')]);
  });

  it('says that Glue asks to wait when it throttles a call', async () => {
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'GetPartitions' ? { error: throttled } : undefined,
    );
    const listing = catalog.listPartitions(table, []);
    await assert.rejects(listing, { code: 'PART_UNREACHABLE', retryable: true });
  });

  it('does not take a table that is gone for a partition that is gone', async () => {
    const gone = Object.assign(new Error('gone'), { name: 'EntityNotFoundException' });
    const { catalog } = spiedCatalog(({ name }) =>
      name === 'GetPartitions' || name === 'BatchCreatePartition' ? { error: gone } : undefined,
    );
    const expected = { code: 'CATALOG_UNSETTLED', retryable: true };
    await assert.rejects(catalog.listPartitions(table, []), expected);
    await assert.rejects(catalog.putPartitions(table, [partition('unheard of')], 'new'), expected);
  });
});
