import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createDuckdbEngine } from '../../src/adapters/duckdb-engine.ts';
import { IngotError } from '../../src/errors.ts';
import type { SqlSession } from '../../src/ports.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import type { TestEngine } from '../sql/support/engine.ts';

describe('createDuckdbEngine', () => {
  let test: TestEngine;
  let session: SqlSession;

  before(async () => {
    test = await createTestEngine();
    session = await test.engine.open([
      {
        name: 'typed',
        columns: [{ name: 'l', type: 'bigint', comment: '' }],
        kind: 'rows',
        rows: [{ l: 42 }, { l: 43 }],
      },
    ]);
  });

  after(async () => {
    await session.close();
    await test.remove();
  });

  const fails = (sql: string, code: string, message: RegExp) =>
    assert.rejects(session.query(sql), (error) => {
      assert.ok(error instanceof IngotError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });

  it('is named by its version', () => {
    assert.equal(test.engine.identity, 'duckdb-1.5.6');
  });

  describe('a session', () => {
    it('reads no file but those of its tables', async () => {
      const outside = join(test.cacheDirectory, 'outside.csv');
      await writeFile(outside, 'a,b\n1,2\n');
      const folder = join(test.cacheDirectory, 'objects');
      for (const read of [
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd')",
        "glob('/etc/*')",
        `read_csv('${outside}')`,
        `read_parquet('${folder}/*')`,
        `read_csv('${test.cacheDirectory}/scratch/../outside.csv')`,
        "read_parquet('https://example.com/x.parquet')",
        "parquet_metadata('s3://bucket/x.parquet')",
      ]) {
        await fails(`SELECT * FROM ${read}`, 'SQL_FAILED', /Permission Error|disabled|extension/);
      }
      await fails("SELECT * FROM '/etc/passwd'", 'TABLE_UNKNOWN', /does not exist/);
    });

    it('reads the files of a table in the order in which they are given, however many', async () => {
      const columns = [{ name: 'n', type: 'int', comment: '' }] as const;
      const keys = Array.from({ length: 120 }, (_, n) => `numbered/${n}.parquet`);
      for (const [n, key] of keys.entries()) {
        await session.unload({
          sql: 'SELECT $n AS n',
          parameters: { n },
          columns,
          partitionBy: [],
          keyOf: () => key,
          metadata: {},
        });
      }
      for (const count of [20, 120]) {
        const files = keys.slice(0, count).map((key) => ({ key, partition: {} }));
        const table = { kind: 'files', name: 'numbered', columns, files } as const;
        const reader = await test.engine.open([table]);
        const { rows } = await reader.query('SELECT n FROM numbered');
        await reader.close();
        assert.deepEqual(
          rows.map(({ n }) => n),
          files.map((_, n) => n),
        );
      }
    });

    it('runs one SELECT at a time and nothing else', async () => {
      for (const sql of [
        "COPY typed TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.db'",
        'SET enable_external_access = true',
        'INSTALL httpfs',
        'LOAD httpfs',
        'CREATE TABLE x (a INTEGER)',
        'DELETE FROM typed',
        'EXPLAIN ANALYZE SELECT 1',
        'SELECT 1; SELECT 2',
      ]) {
        await fails(sql, 'SQL_FAILED', /only a SELECT|multiple statements|disabled|Permission/);
      }
      await assert.rejects(session.materialize('x', 'SELECT 1; DROP TABLE typed'), {
        code: 'SQL_FAILED',
      });
      await assert.rejects(session.materialize('x', "COPY typed TO '/tmp/stolen.csv'"), {
        code: 'SQL_FAILED',
      });
    });

    it('names results for later statements, also under the same name again', async () => {
      const sql = 'SELECT l FROM typed WHERE l = $l -- a comment at the end';
      assert.equal(await session.materialize('m', sql, { l: 42 }), 1);
      assert.equal(await session.materialize('m', 'SELECT l + 1 AS l FROM m'), 1);
      assert.deepEqual((await session.query('SELECT l FROM m')).rows, [{ l: 43 }]);
    });

    it('tells the place of a fault in the text that was given', async () => {
      const materialized = session.materialize('m', 'SELECT\n  nonsense FROM typed');
      await assert.rejects(materialized, /LINE 2: {3}nonsense/);
    });

    it('sees nothing of another session', async () => {
      const other = await test.engine.open([]);
      await other.materialize('private', 'SELECT 1 AS a');
      await fails('SELECT * FROM private', 'TABLE_UNKNOWN', /does not exist/);
      await other.close();
    });

    it('closes while a statement runs, which then fails, and may be closed twice', async () => {
      const other = await test.engine.open([]);
      const running = other.query('SELECT count(*) AS n FROM range(100000000000) AS r');
      await Promise.all([assert.rejects(running, { code: 'SQL_FAILED' }), other.close()]);
      await other.close();
    });

    it('leaves nothing in the scratch folder', async () => {
      assert.equal((await readdir(join(test.cacheDirectory, 'scratch'))).length, 1);
    });
  });

  describe('tablesOf', () => {
    it('answers the tables that a statement reads, parameters or not', async () => {
      const sql = `
        WITH recent AS (SELECT $a AS a FROM Base), loop AS (SELECT * FROM recent)
        SELECT * FROM loop JOIN gold_dev.hourly USING (a)
        WHERE a IN (SELECT a FROM other) AND nonsense(a) > 1`;
      assert.deepEqual(await test.engine.tablesOf(sql), ['base', 'gold_dev.hourly', 'other']);
    });

    it('tells a name of WITH from a table that it hides', async () => {
      const hidden = 'WITH t AS (SELECT * FROM t) SELECT * FROM t';
      assert.deepEqual(await test.engine.tablesOf(hidden), ['t']);
      const recursive = 'WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r';
      assert.deepEqual(await test.engine.tablesOf(recursive), []);
      const inner = 'SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a), a';
      assert.deepEqual(await test.engine.tablesOf(inner), ['a']);
    });

    it('fails for what does not parse or is no SELECT', async () => {
      await assert.rejects(test.engine.tablesOf('SELEC 1'), { code: 'SQL_FAILED' });
      await assert.rejects(test.engine.tablesOf('SELEC 1'), /LINE 1/);
      await assert.rejects(test.engine.tablesOf('DROP TABLE a'), { code: 'SQL_FAILED' });
    });
  });

  it('refuses a cache folder that the engine would read as a pattern', () => {
    const { objects } = test;
    assert.throws(
      () =>
        createDuckdbEngine({
          objects,
          cacheDirectory: '/tmp/[x]',
          cacheBytesMax: 1,
          threads: 1,
          memoryMb: 64,
        }),
      { code: 'CONFIG_INVALID' },
    );
  });

  it('removes what a killed process of this host left, before its first session', async () => {
    const other = await createTestEngine();
    const scratch = join(other.cacheDirectory, 'scratch');
    const host = hostname().replaceAll('.', '-');
    const others = [`${host}.${process.ppid}.abc`, 'elsewhere.4999999.abc'].sort();
    // No process has this number: it is above the largest that Linux gives.
    for (const name of [`${host}.4999999.abc`, ...others]) {
      await mkdir(join(scratch, name), { recursive: true });
    }
    await (await other.engine.open([])).close();
    assert.deepEqual((await readdir(scratch)).sort(), others);
    await other.remove();
  });
});
