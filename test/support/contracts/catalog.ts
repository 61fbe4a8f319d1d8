import assert from 'node:assert/strict';
import { IngotError } from '../../../src/errors.ts';
import type { Column, Table } from '../../../src/lake/table.ts';
import type { Catalog, CatalogPartition, CatalogTable } from '../../../src/ports.ts';

export type CatalogSubject = {
  readonly catalog: Catalog;
  /** A database of this run. */
  readonly database: string;
  /** File columns, then table partition columns, as a reader of the catalog sees them. */
  readonly columnsOf: (table: CatalogTable) => Promise<readonly Column[] | null>;
  /** Removes the table behind the back of the catalog. */
  readonly dropTable: (table: CatalogTable) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What every Catalog promises. Each case has a table of its own, so one catalog serves them all. */
export function describeCatalog(name: string, open: () => Promise<CatalogSubject>): void {
  describe(`Catalog: ${name}`, () => {
    let opened: CatalogSubject;
    const subject = () => opened;
    before(async () => {
      opened = await open();
    });
    after(async () => {
      await opened?.close();
    });
    describe('ensureTable', () => describeTables(subject));
    describe('putPartitions and listPartitions', () => describePartitions(subject));
    describe('deletePartitions', () => describeDeletion(subject));
    describe('a table that is gone', () => describeLoss(subject));
  });
}

type Subject = () => CatalogSubject;

const column = (name: string, type: Column['type'], comment: string): Column => ({
  name,
  type,
  comment,
});
const columns: readonly Column[] = [
  column('event_id', 'string', 'Identity of the event.'),
  column('price', 'decimal(12,2)', "Unit price; isn't null for a purchase."),
  column('_offset', 'bigint', 'Kafka offset.'),
];
const partitionColumns: readonly Column[] = [
  column('event_date', 'date', 'UTC date of the event.'),
  column('hour', 'string', 'UTC hour of the event, 00–23.'),
];

function tableOf(subject: Subject, name: string, changes: Partial<Table> = {}): CatalogTable {
  const { database } = subject();
  const table = { layer: 'silver', name, comment: 'A table.', columns, partitionColumns } as const;
  const location = `s3://lake/silver/${name}/`;
  return { database, table: { ...table, ...changes }, location };
}

function partitionOf(date: string, hour: string, version = 'v1', rows = 7): CatalogPartition {
  return { values: [date, hour], location: `s3://lake/${version}/${date}/${hour}/`, rows };
}

/** The port promises no order. */
async function listed(
  subject: Subject,
  table: CatalogTable,
  leadingValues: readonly string[] = [],
): Promise<readonly CatalogPartition[]> {
  const found = await subject().catalog.listPartitions(table, leadingValues);
  return [...found].sort((left, right) => (String(left.values) < String(right.values) ? -1 : 1));
}

function describeTables(subject: Subject): void {
  it('creates the database and the table with columns, types and comments', async () => {
    const table = tableOf(subject, 'created');
    assert.equal(await subject().columnsOf(table), null);
    await subject().catalog.ensureTable(table);
    assert.deepEqual(await subject().columnsOf(table), [...columns, ...partitionColumns]);
  });

  it('leaves a table that is as it should be, with its table partitions', async () => {
    const table = tableOf(subject, 'twice');
    const partition = partitionOf('2026-08-21', '13');
    await subject().catalog.ensureTable(table);
    await subject().catalog.putPartitions(table, [partition], 'new');
    await subject().catalog.ensureTable(table);
    assert.deepEqual(await subject().columnsOf(table), [...columns, ...partitionColumns]);
    assert.deepEqual(await listed(subject, table), [partition]);
  });

  it('makes changed columns equal, and keeps the table partitions', async () => {
    const partition = partitionOf('2026-08-21', '13');
    await subject().catalog.ensureTable(tableOf(subject, 'changed'));
    await subject().catalog.putPartitions(tableOf(subject, 'changed'), [partition], 'new');
    const wanted = [...columns.slice(1), column('added', 'timestamp', 'New.')];
    const table = tableOf(subject, 'changed', { columns: wanted });
    await subject().catalog.ensureTable(table);
    assert.deepEqual(await subject().columnsOf(table), [...wanted, ...partitionColumns]);
    assert.deepEqual(await listed(subject, table), [partition]);
  });

  it('settles a changed comment', async () => {
    await subject().catalog.ensureTable(tableOf(subject, 'comments'));
    const wanted = columns.map((each) => ({ ...each, comment: `${each.comment} Really.` }));
    const table = tableOf(subject, 'comments', { columns: wanted });
    await subject().catalog.ensureTable(table);
    assert.deepEqual(await subject().columnsOf(table), [...wanted, ...partitionColumns]);
  });

  it('settles when 8 ask for the same new table at once', async () => {
    const table = tableOf(subject, 'contended');
    await Promise.all(Array.from({ length: 8 }, () => subject().catalog.ensureTable(table)));
    assert.deepEqual(await subject().columnsOf(table), [...columns, ...partitionColumns]);
  });

  it('settles when 4 change the same table at once', async () => {
    await subject().catalog.ensureTable(tableOf(subject, 'rivals'));
    const table = tableOf(subject, 'rivals', { columns: columns.slice(0, 1) });
    await Promise.all(Array.from({ length: 4 }, () => subject().catalog.ensureTable(table)));
    assert.deepEqual(await subject().columnsOf(table), [
      ...columns.slice(0, 1),
      ...partitionColumns,
    ]);
  });
}

function describePartitions(subject: Subject): void {
  async function ensured(name: string): Promise<CatalogTable> {
    const table = tableOf(subject, name);
    await subject().catalog.ensureTable(table);
    return table;
  }

  it('has none at first', async () => {
    assert.deepEqual(await listed(subject, await ensured('empty')), []);
  });

  it('keeps values, location and rows', async () => {
    const table = await ensured('kept');
    const partitions = [partitionOf('2026-08-21', '13', 'v1', 0), partitionOf('2026-08-21', '14')];
    await subject().catalog.putPartitions(table, partitions, 'new');
    assert.deepEqual(await listed(subject, table), partitions);
  });

  for (const expected of ['new', 'there'] as const) {
    it(`updates the location and rows of one that is there, beside one that is new, expected to be ${expected}`, async () => {
      const table = await ensured(`updated_${expected}`);
      await subject().catalog.putPartitions(table, [partitionOf('2026-08-21', '13')], expected);
      const wanted = [
        partitionOf('2026-08-21', '13', 'v2', 9),
        partitionOf('2026-08-21', '14', 'v2'),
      ];
      await subject().catalog.putPartitions(table, wanted, expected);
      assert.deepEqual(await listed(subject, table), wanted);
    });
  }

  it('takes more than 100 in one call, new and again', async () => {
    const table = await ensured('many');
    const dates = Array.from({ length: 12 }, (_, i) => `2026-08-${String(i + 10)}`);
    const hours = Array.from({ length: 20 }, (_, i) => String(i).padStart(2, '0'));
    const versions = (version: string) =>
      dates.flatMap((date) => hours.map((hour) => partitionOf(date, hour, version)));
    await subject().catalog.putPartitions(table, versions('v1'), 'new');
    assert.deepEqual(await listed(subject, table), versions('v1'));
    await subject().catalog.putPartitions(table, versions('v2'), 'there');
    assert.deepEqual(await listed(subject, table), versions('v2'));
  });

  it('lists by leading values', async () => {
    const table = await ensured('leading');
    const first = [partitionOf('2026-08-21', '13'), partitionOf('2026-08-21', '14')];
    const second = [partitionOf('2026-08-22', '13')];
    await subject().catalog.putPartitions(table, [...first, ...second], 'new');
    assert.deepEqual(await listed(subject, table, ['2026-08-21']), first);
    assert.deepEqual(await listed(subject, table, ['2026-08-22', '13']), second);
    assert.deepEqual(await listed(subject, table, ['2026-08-23']), []);
  });

  it('finds those of given values that are there', async () => {
    const table = await ensured('found');
    const there = [partitionOf('2026-08-21', '13'), partitionOf('2026-08-22', "o'clock", 'v1', 0)];
    await subject().catalog.putPartitions(
      table,
      [...there, partitionOf('2026-08-21', '14')],
      'new',
    );
    const find = async (values: readonly (readonly string[])[]) => {
      const found = await subject().catalog.findPartitions(table, values);
      return [...found].sort((left, right) =>
        String(left.values) < String(right.values) ? -1 : 1,
      );
    };
    const missing = Array.from({ length: 6 }, (_, i) => ['2026-08-23', String(i)]);
    assert.deepEqual(await find([...missing, ...there.map(({ values }) => values)]), there);
    assert.deepEqual(await find(missing.slice(0, 1)), []);
    assert.deepEqual(await find([]), []);
  });

  it('takes values that a literal would have to quote', async () => {
    const table = await ensured('quoted');
    const partitions = [
      partitionOf('2026-08-21', "o'clock"),
      partitionOf('2026-08-21', 'a = b/%20'),
    ];
    await subject().catalog.putPartitions(table, partitions, 'new');
    assert.deepEqual(await listed(subject, table, ['2026-08-21', "o'clock"]), [partitions[0]]);
    assert.equal((await listed(subject, table)).length, 2);
  });

  it('does nothing when given nothing', async () => {
    const table = await ensured('nothing');
    await subject().catalog.putPartitions(table, [], 'new');
    await subject().catalog.deletePartitions(table, []);
    assert.deepEqual(await listed(subject, table), []);
  });
}

function describeDeletion(subject: Subject): void {
  it('deletes what is there and what is not', async () => {
    const table = tableOf(subject, 'deleted');
    const [gone, kept] = [partitionOf('2026-08-21', '13'), partitionOf('2026-08-21', '14')];
    await subject().catalog.ensureTable(table);
    await subject().catalog.putPartitions(table, [gone, kept], 'new');
    await subject().catalog.deletePartitions(table, [gone.values, ['2026-08-21', '23']]);
    await subject().catalog.deletePartitions(table, [gone.values]);
    assert.deepEqual(await listed(subject, table), [kept]);
  });
}

function describeLoss(subject: Subject): void {
  const isGone = (table: string) => (error: unknown) =>
    error instanceof IngotError &&
    error.code === 'CATALOG_UNSETTLED' &&
    error.retryable &&
    error.facts['table'] === table;
  const partition = partitionOf('2026-08-21', '13');

  it('is CATALOG_UNSETTLED for every call on its table partitions', async () => {
    const table = tableOf(subject, 'lost');
    await subject().catalog.ensureTable(table);
    await subject().catalog.putPartitions(table, [partition], 'new');
    await subject().dropTable(table);
    const { catalog } = subject();
    await assert.rejects(catalog.listPartitions(table, []), isGone('lost'));
    await assert.rejects(catalog.findPartitions(table, [partition.values]), isGone('lost'));
    await assert.rejects(catalog.putPartitions(table, [partition], 'new'), isGone('lost'));
    await assert.rejects(catalog.putPartitions(table, [partition], 'there'), isGone('lost'));
    await assert.rejects(catalog.deletePartitions(table, [partition.values]), isGone('lost'));
  });

  it('comes back empty with ensureTable', async () => {
    const table = tableOf(subject, 'repaired');
    await subject().catalog.ensureTable(table);
    await subject().catalog.putPartitions(table, [partition], 'new');
    await subject().dropTable(table);
    await subject().catalog.ensureTable(table);
    assert.deepEqual(await listed(subject, table), []);
  });
}
