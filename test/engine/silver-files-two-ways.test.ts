import assert from 'node:assert/strict';
import { isReadPerFile, rowsOfFiles } from '../../src/activities/silver-sql.ts';
import { events } from '../../src/datasets/events.ts';
import type { BatchFacts } from '../../src/lake/checkpoint.ts';
import type { UnloadedFile } from '../../src/ports.ts';
import { defaultParameters, loadEventsSql } from '../sql/support/cases.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import { caseTable } from '../sql/support/logical-tables.ts';

const models = loadEventsSql().silver;
const { silver } = events;

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
  it('gives the same files, byte for byte, whether rows are held or read for each file', async () => {
    const test = await createTestEngine({ threads: 2 });
    const merged = [{ event_id: 'm', event_type: 'search' }];
    const session = await test.engine.open([
      caseTable('bronze_rows', arrivals, ''),
      caseTable('left_out', [{ _offset: 3 }], ''),
      { ...caseTable('silver_version', merged, ''), name: 'silver_merge' },
    ]);
    const unload = (isPerFile: boolean, isMerging: boolean): Promise<readonly UnloadedFile[]> =>
      session.unload({
        ...rowsOfFiles(models, { silver, isMerging, isPerFile }),
        parameters: defaultParameters('silver', models['events_cleaned']!),
        columns: silver.columns,
        partitionBy: silver.partitionColumns.map(({ name }) => name),
        keyOf: (partition) =>
          [isPerFile, isMerging, ...Object.values(partition), 'f.parquet'].join('/'),
        evenIfEmpty: false,
        metadata: {},
      });
    try {
      for (const isMerging of [false, true]) {
        const [held, perFile] = [await unload(false, isMerging), await unload(true, isMerging)];
        const expected = { page_view: 133, purchase: 133, search: isMerging ? 134 : 133 };
        assert.deepEqual(
          Object.fromEntries(held.map(({ partition, rows }) => [partition['event_type'], rows])),
          expected,
        );
        for (const [index, file] of held.entries()) {
          const [one, other] = await Promise.all(
            [file, perFile[index]!].map(({ key }) => test.objects.readObject(key)),
          );
          assert.ok(Buffer.from(one!.bytes).equals(Buffer.from(other!.bytes)), file.key);
        }
        assert.equal(perFile.length, held.length);
      }
    } finally {
      await session.close();
      await test.remove();
    }
  });
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
