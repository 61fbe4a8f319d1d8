import assert from 'node:assert/strict';
import { isReadPerFile, rowsOfFiles } from '../../src/activities/silver-sql.ts';
import { events } from '../../src/datasets/events.ts';
import type { BatchFacts } from '../../src/lake/checkpoint.ts';
import { visibleColumns } from '../../src/lake/table.ts';
import type { Row, SqlSession, UnloadedFile } from '../../src/ports.ts';
import { defaultParameters, loadEventsSql } from '../sql/support/cases.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import { caseTable } from '../sql/support/logical-tables.ts';

const models = loadEventsSql().silver;
const { silver } = events;

const merged = [{ event_id: 'm', event_type: 'search' }];

/** Types and minutes that neither the ids nor the order of arrival follow. */
const arrivals = Array.from({ length: 400 }, (_, index) => ({
  event_id: `e${(index * 7) % 400}`,
  event_type: ['page_view', 'search', 'purchase'][(index * 5) % 3]!,
  event_ts: `2026-08-21 13:${String((index * 13) % 60).padStart(2, '0')}:00`,
  search_query: 'x',
  price: '1.00',
  product_id: 'p',
  category: 'c',
}));

describe('rowsOfFiles', () => {
  let test: Awaited<ReturnType<typeof createTestEngine>>;
  let session: SqlSession;

  before(async () => {
    test = await createTestEngine({ threads: 1 });
    session = await test.engine.open([
      caseTable('bronze_rows', arrivals, ''),
      caseTable('left_out', [{ _offset: 3 }], ''),
      { ...caseTable('silver_version', merged, ''), name: 'silver_merge' },
    ]);
  });

  after(async () => {
    await session.close();
    await test.remove();
  });

  const unload = (
    name: string,
    request: { readonly isPerFile: boolean; readonly isMerging: boolean },
  ): Promise<readonly UnloadedFile[]> =>
    session.unload({
      ...rowsOfFiles(models, { silver, ...request }),
      parameters: defaultParameters('silver', models['events_cleaned']!),
      columns: silver.columns,
      partitionBy: silver.partitionColumns.map(({ name }) => name),
      keyOf: (partition) => [name, ...Object.values(partition), 'f.parquet'].join('/'),
      metadata: {},
    });

  const rowsOf = async (files: readonly UnloadedFile[]): Promise<readonly Row[]> => {
    const columns = visibleColumns(silver);
    const table = { kind: 'files', name: 'written', columns, files } as const;
    await session.declare([table]);
    const names = columns.map(({ name }) => name).join(', ');
    return (await session.query(`SELECT ${names} FROM written ORDER BY event_id`)).rows;
  };

  for (const isMerging of [false, true]) {
    const which = isMerging ? ', with small files that are merged' : '';

    it(`gives the same rows whether they are held or read for each file${which}`, async () => {
      const held = await unload(`held-${isMerging}`, { isPerFile: false, isMerging });
      const perFile = await unload(`read-${isMerging}`, { isPerFile: true, isMerging });
      const expected = { page_view: 133, purchase: 133, search: isMerging ? 134 : 133 };
      for (const files of [held, perFile]) {
        const counted = files.map(({ partition, rows }) => [partition['event_type'], rows]);
        assert.deepEqual(Object.fromEntries(counted), expected);
      }
      assert.deepEqual(await rowsOf(perFile), await rowsOf(held));
    });

    it(`gives the same files of the same rows, byte for byte, with one thread${which}`, async () => {
      const request = { isPerFile: true, isMerging };
      const [once, again] = [
        await unload(`once-${isMerging}`, request),
        await unload(`again-${isMerging}`, request),
      ];
      assert.equal(once.length, 3);
      assert.equal(again.length, 3);
      for (const [index, file] of once.entries()) {
        const [one, other] = await Promise.all(
          [file, again[index]!].map(({ key }) => test.objects.readObject(key)),
        );
        assert.ok(Buffer.from(one!.bytes).equals(Buffer.from(other!.bytes)), file.key);
      }
    });
  }
});

describe('isReadPerFile', () => {
  const hour = '2026-08-21T13';
  const batchesOf = (count: number, rows: number): readonly BatchFacts[] =>
    Array.from({ length: count }, (_, number) => ({
      log: 'kafka-0',
      number,
      ingestHour: hour,
      rowsPerEventHour: { [hour]: rows },
    }));

  it('is so for bronze in memory and for few files, and not for very many rows in many files', () => {
    assert.ok(isReadPerFile(batchesOf(90, 600), hour));
    assert.ok(isReadPerFile(batchesOf(20, 200_000), hour));
    assert.ok(isReadPerFile(batchesOf(5_000, 200), hour));
    assert.ok(!isReadPerFile(batchesOf(5_000, 201), hour));
  });
});
