import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';
import type { Column } from '../../src/lake/table.ts';
import type { SqlSession, UnloadedFile, UnloadOptions } from '../../src/ports.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import type { TestEngine } from '../sql/support/engine.ts';

const columns: readonly Column[] = [
  { name: 'id', type: 'bigint', comment: '' },
  { name: 'price', type: 'decimal(12,2)', comment: '' },
];

describe('SqlSession.unload', () => {
  let test: TestEngine;
  let session: SqlSession;
  let folders = 0;

  before(async () => {
    test = await createTestEngine({ threads: 2 });
    session = await test.engine.open([]);
  });

  after(async () => {
    await session.close();
    await test.remove();
  });

  /** Every test writes to a folder of its own. */
  function options(changes: Partial<UnloadOptions>): UnloadOptions {
    folders += 1;
    const folder = `unload-${folders}`;
    return {
      sql: 'SELECT 1 AS id, 2.5 AS price',
      parameters: {},
      columns,
      partitionBy: [],
      keyOf: (partition) => [folder, ...Object.values(partition), 'f.parquet'].join('/'),
      metadata: {},
      ...changes,
    };
  }

  async function footerOf(key: string) {
    const { bytes } = (await test.objects.readObject(key))!;
    return parquetMetadata(Uint8Array.from(bytes).buffer);
  }

  async function readBack(key: string): Promise<readonly unknown[]> {
    const files = [{ key, partition: {} }];
    const opened = await test.engine.open([{ name: 'f', columns, kind: 'files', files }]);
    try {
      return (await opened.query('SELECT id, price FROM f')).rows;
    } finally {
      await opened.close();
    }
  }

  const scratchFiles = () =>
    readdir(join(test.cacheDirectory, 'scratch'), { recursive: true, withFileTypes: true }).then(
      (entries) => entries.filter((entry) => entry.isFile()).map(({ name }) => name),
    );

  it('writes the given columns in their declared types, and what the footer says', async () => {
    const wanted = options({ sql: "SELECT 'unused' AS x, 2 AS price, CAST(1 AS TINYINT) AS id" });
    const [file] = await session.unload(wanted);
    assert.equal(file?.rows, 1);
    assert.deepEqual(file?.partition, {});
    assert.equal(file?.bytes, (await test.objects.headObject(file.key))?.bytes);
    assert.deepEqual(await readBack(file.key), [{ id: 1, price: '2.00' }]);
    const { schema } = await footerOf(file.key);
    assert.deepEqual(
      schema.slice(1).map(({ name }) => name),
      ['id', 'price'],
    );
    assert.equal(schema[1]?.type, 'INT64');
  });

  it('compresses with zstd and keeps metadata, whatever its characters', async () => {
    const metadata = { plan: 'abc', 'it\'s "ünï"': '{"a":"\'; --"}' };
    const [file] = await session.unload(options({ metadata }));
    const footer = await footerOf(file!.key);
    assert.equal(footer.row_groups[0]?.columns[0]?.meta_data?.codec, 'ZSTD');
    const kept = (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value]);
    assert.deepEqual(Object.fromEntries(kept), metadata);
  });

  it('writes a file for each combination of the partition columns, in order', async () => {
    const sql = `
      SELECT id, CAST(id AS DECIMAL(12,2)) AS price,
        CASE WHEN id % 2 = 0 THEN 'even' ELSE 'o d/d' END AS kind,
        CAST(DATE '2026-08-20' + CAST(id % 2 AS INTEGER) AS DATE) AS day
      FROM range($n) AS r (id)`;
    const files = await session.unload(
      options({ sql, parameters: { n: 5 }, partitionBy: ['day', 'kind'] }),
    );
    assert.deepEqual(
      files.map(({ partition, rows }) => ({ ...partition, rows })),
      [
        { day: '2026-08-20', kind: 'even', rows: 3 },
        { day: '2026-08-21', kind: 'o d/d', rows: 2 },
      ],
    );
    assert.deepEqual(
      (await footerOf(files[0]!.key)).schema.slice(1).map(({ name }) => name),
      ['id', 'price'],
    );
  });

  /** Rows of the file that are not where this order would have them. */
  async function misplacedIn(file: UnloadedFile, order: string) {
    const table = {
      name: 'f',
      columns,
      kind: 'files' as const,
      files: [{ ...file, partition: {} }],
    };
    const opened = await test.engine.open([table]);
    const numbered = 'SELECT id, price, row_number() OVER () AS place FROM f';
    const { rows } = await opened.query(`
      SELECT count(*) AS misplaced
      FROM (SELECT place, row_number() OVER (ORDER BY ${order}) AS wanted FROM (${numbered}))
      WHERE place <> wanted`);
    await opened.close();
    return rows[0]?.['misplaced'];
  }

  it('keeps the order of the statement, over many row groups', async () => {
    const sql = `SELECT id, 0 AS price, 'a' AS k FROM range(300000) AS r (id) ORDER BY hash(id), id`;
    const known = { partitionBy: ['k'], expected: { k: 'a' } };
    for (const way of [{}, { partitionBy: ['k'] }, known]) {
      const [file] = await session.unload(options({ sql, ...way }));
      assert.equal(await misplacedIn(file!, 'hash(id), id'), 0);
    }
  });

  it('runs a statement again for each file where that is wanted, with its rows as they come', async () => {
    const sql = `
      SELECT id, id % 7 AS price, CASE WHEN id % 3 = 0 THEN 'a' ELSE 'b' END AS kind
      FROM range($n) AS r (id) -- ends in a comment`;
    const wanted = { sql, parameters: { n: 400_000 }, partitionBy: ['kind'] };
    const held = await session.unload(options(wanted));
    const seen: unknown[] = [];
    const files = await session.unload({
      ...options(wanted),
      perFile: true,
      onPartitions: (partitions) => seen.push(...partitions),
    });
    assert.deepEqual(seen, [{ kind: 'a' }, { kind: 'b' }]);
    const told = (all: typeof files) => all.map(({ partition, rows }) => ({ partition, rows }));
    assert.deepEqual(told(files), told(held));
    for (const file of files) assert.equal(await misplacedIn(file, 'id'), 0);
  });

  it('takes no row for one of the combination that was expected, when there are others', async () => {
    const wanted = (sql: string) => options({ sql, partitionBy: ['day', 'kind'] });
    const row = (id: number, kind: string) =>
      `SELECT ${id} AS id, 2 AS price, ${kind} AS kind, DATE '2026-08-20' AS day -- of the day`;
    const expected = { day: '2026-08-20', kind: 'a' };
    const one = await session.unload({ ...wanted(row(1, "'a'")), expected });
    assert.deepEqual(
      one.map(({ partition, rows }) => ({ partition, rows })),
      [{ partition: expected, rows: 1 }],
    );
    const other = `${row(1, "'a'")}\nUNION ALL\n${row(2, "'b'")}`;
    const told = await session.unload({ ...wanted(other), expected });
    assert.deepEqual(
      told.map(({ partition: { kind }, rows }) => ({ kind, rows })),
      [
        { kind: 'a', rows: 1 },
        { kind: 'b', rows: 1 },
      ],
    );
    assert.deepEqual(await readBack(told[0]!.key), [{ id: 1, price: '2.00' }]);
    await assert.rejects(session.unload({ ...wanted(row(1, 'NULL')), expected }), {
      code: 'SQL_FAILED',
      message: /no value for a table partition column/,
    });
  });

  it('names the place of a fault in the text that it was given, also where it runs again', async () => {
    const sql = 'SELECT 1 AS id,\n  2 AS price,\n  missing AS kind';
    for (const way of [{}, { perFile: true }, { expected: { kind: 'a' } }, { partitionBy: [] }]) {
      const unload = session.unload({ ...options({ sql, partitionBy: ['kind'] }), ...way });
      await assert.rejects(unload, { code: 'SQL_FAILED', message: /LINE 3/ });
    }
  });

  it('names that place also for a fault that comes while it runs', async () => {
    const sql =
      "SELECT 1 AS id,\n  CAST('x' || r.n AS INTEGER) AS price,\n  'a' AS kind\nFROM range(3) AS r (n)";
    const held = { partitionBy: ['kind'] };
    for (const way of [
      {},
      held,
      { ...held, perFile: true },
      { ...held, expected: { kind: 'a' } },
    ]) {
      const unload = session.unload(options({ sql, ...way }));
      await assert.rejects(unload, { code: 'SQL_FAILED', message: /LINE 2/ });
    }
  });

  it('writes nothing without rows', async () => {
    const sql = 'SELECT 1 AS id, 2 AS price WHERE 1 = 0';
    assert.deepEqual(await session.unload(options({ sql })), []);
    const partitioned = options({ sql, partitionBy: ['id'] });
    assert.deepEqual(await session.unload(partitioned), []);
    assert.deepEqual(await session.unload({ ...partitioned, perFile: true }), []);
    assert.deepEqual(await session.unload({ ...partitioned, expected: { id: '1' } }), []);
    assert.deepEqual(await scratchFiles(), []);
  });

  it('adopts an object that is there, with its own rows and bytes', async () => {
    const first = options({ sql: 'SELECT 1 AS id, 1 AS price UNION ALL SELECT 2, 2' });
    const [written] = await session.unload(first);
    const [adopted] = await session.unload({ ...first, sql: 'SELECT 9 AS id, 9 AS price' });
    assert.deepEqual(adopted, written);
    assert.equal(adopted?.rows, 2);
    assert.equal((await readBack(adopted.key)).length, 2);
  });

  it('fails for a row without a value in a partition column, and for a missing column', async () => {
    const nulls = options({ sql: 'SELECT 1 AS id, 2 AS price, NULL AS k', partitionBy: ['k'] });
    for (const unload of [nulls, { ...nulls, perFile: true }]) {
      await assert.rejects(session.unload(unload), { code: 'SQL_FAILED', retryable: false });
    }
    const missing = session.unload(options({ sql: 'SELECT 1 AS id' }));
    await assert.rejects(missing, { code: 'SQL_FAILED', message: /price/ });
  });

  it('leaves no files behind, also when the lake refuses one', async () => {
    const broken = await createTestEngine();
    const other = await broken.engine.open([]);
    broken.objects.createObject = () => Promise.reject(new Error('the lake is away'));
    await assert.rejects(other.unload(options({})), /the lake is away/);
    const left = await readdir(join(broken.cacheDirectory, 'scratch'), { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith('.parquet')),
      [],
    );
    await other.close();
    await broken.remove();
    assert.deepEqual(await scratchFiles(), []);
  });
});
