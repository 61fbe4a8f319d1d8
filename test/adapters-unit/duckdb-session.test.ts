import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../../src/errors.ts';
import type { Column, ColumnType } from '../../src/lake/table.ts';
import type { Row, SqlSession, TableInput } from '../../src/ports.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import type { TestEngine } from '../sql/support/engine.ts';

const column = (name: string, type: ColumnType): Column => ({ name, type, comment: '' });
const rowsTable = (name: string, columns: readonly Column[], rows: readonly Row[]): TableInput => ({
  name,
  columns,
  kind: 'rows',
  rows,
});

const everyType = [
  column('s', 'string'),
  column('i', 'int'),
  column('l', 'bigint'),
  column('d', 'double'),
  column('b', 'boolean'),
  column('day', 'date'),
  column('ts', 'timestamp'),
  column('price', 'decimal(12,2)'),
  column('total', 'decimal(18,2)'),
];

describe('SqlSession of duckdb', () => {
  let test: TestEngine;
  let session: SqlSession;

  before(async () => {
    test = await createTestEngine();
    await unload('lake/old.parquet', "SELECT 'old' AS s, 1 AS i", everyType.slice(0, 2));
    await unload('lake/new.parquet', "SELECT 'new' AS s, 2 AS i, 7 AS l", everyType.slice(0, 3));
    session = await test.engine.open([
      rowsTable('typed', everyType, [
        {
          s: 'a\u0000b "👍"',
          i: -1,
          l: '9007199254740993',
          d: 0.1,
          b: true,
          day: '2026-08-21',
          ts: '2026-08-21T13:00:00.120Z',
          price: '0.10',
          total: 12.3,
        },
        { l: 42, ts: '2026-08-21T13:00:00.000Z' },
      ]),
      rowsTable('gold_dev.nothing', everyType, []),
      {
        name: 'files',
        columns: [...everyType.slice(0, 4), column('day', 'date'), column('hour', 'string')],
        kind: 'files',
        files: [
          { key: 'lake/old.parquet', partition: { day: '2026-08-20', hour: '07' } },
          { key: 'lake/new.parquet', partition: { day: '2026-08-21', hour: 'NULL' } },
        ],
      },
      {
        name: 'narrow',
        columns: [column('i', 'bigint')],
        kind: 'files',
        files: [{ key: 'lake/new.parquet', partition: {} }],
      },
      { name: 'no_files', columns: everyType, kind: 'files', files: [] },
    ]);
  });

  after(async () => {
    await session.close();
    await test.remove();
  });

  async function unload(key: string, sql: string, columns: readonly Column[]): Promise<void> {
    const opened = await test.engine.open([]);
    await opened.unload({
      sql,
      columns,
      parameters: {},
      partitionBy: [],
      keyOf: () => key,
      metadata: {},
    });
    await opened.close();
  }

  const rowsOf = async (sql: string, parameters?: Row) =>
    (await session.query(sql, parameters)).rows;
  const fails = (sql: string, code: string, message: RegExp) =>
    assert.rejects(session.query(sql), (error) => {
      assert.ok(error instanceof IngotError);
      assert.equal(error.code, code);
      assert.equal(error.retryable, false);
      assert.match(error.message, message);
      return true;
    });

  describe('tables', () => {
    it('are typed, from rows', async () => {
      assert.deepEqual(await rowsOf('SELECT * FROM typed'), [
        {
          s: 'a\u0000b "👍"',
          i: -1,
          l: '9007199254740993',
          d: 0.1,
          b: true,
          day: '2026-08-21',
          ts: '2026-08-21 13:00:00.120',
          price: '0.10',
          total: '12.30',
        },
        {
          s: null,
          i: null,
          l: 42,
          d: null,
          b: null,
          day: null,
          ts: '2026-08-21 13:00:00',
          price: null,
          total: null,
        },
      ]);
    });

    it('have their columns also when they have no rows or files', async () => {
      const names = everyType.map(({ name }) => name);
      for (const table of ['gold_dev.nothing', 'no_files']) {
        assert.deepEqual(await session.query(`SELECT * FROM ${table}`), {
          columns: names,
          rows: [],
        });
      }
    });

    it('over files read NULL where a file, or every file, lacks a column', async () => {
      assert.deepEqual(await rowsOf('SELECT s, i, l, d FROM files ORDER BY i'), [
        { s: 'old', i: 1, l: null, d: null },
        { s: 'new', i: 2, l: 7, d: null },
      ]);
    });

    it('over files have the table partition of each file, typed', async () => {
      assert.deepEqual(await rowsOf('SELECT i, day, hour FROM files ORDER BY i'), [
        { i: 1, day: '2026-08-20', hour: '07' },
        { i: 2, day: '2026-08-21', hour: 'NULL' },
      ]);
      assert.deepEqual(await rowsOf("SELECT i FROM files WHERE day > DATE '2026-08-20'"), [
        { i: 2 },
      ]);
    });

    it('over files do not show what is not declared', async () => {
      assert.deepEqual(await session.query('SELECT * FROM narrow'), {
        columns: ['i'],
        rows: [{ i: 2 }],
      });
    });

    it('refuse files of one table in different folders', async () => {
      const table: TableInput = {
        name: 'mixed',
        columns: everyType,
        kind: 'files',
        files: [
          { key: 'lake/old.parquet', partition: { day: '2026-08-20' } },
          { key: 'lake/new.parquet', partition: { hour: '13' } },
        ],
      };
      await assert.rejects(test.engine.open([table]), { code: 'INPUT_INVALID' });
    });

    it('name an object that is not in the lake', async () => {
      const files = [{ key: 'lake/gone.parquet', partition: {} }];
      const table: TableInput = { name: 't', columns: everyType, kind: 'files', files };
      await assert.rejects(test.engine.open([table]), { code: 'OBJECT_MISSING', retryable: true });
      assert.equal((await readdir(join(test.cacheDirectory, 'scratch'))).length, 1);
    });
  });

  describe('query', () => {
    it('answers values that JSON can carry, exactly', async () => {
      const [row] = await rowsOf(`
        SELECT
          CAST(9007199254740991 AS BIGINT) AS safe, CAST(9007199254740992 AS HUGEINT) AS unsafe,
          CAST(1.5 AS DECIMAL(9,4)) AS decimal, 1e300 AS large, CAST('nan' AS DOUBLE) AS odd,
          TIMESTAMP '1969-12-31 23:59:59.999' AS early, TIMESTAMP '2026-08-21 00:00:00' AS midnight,
          [1, 2] AS list, INTERVAL 1 DAY AS span, 1 AS twin, 2 AS twin`);
      assert.deepEqual(row, {
        safe: 9007199254740991,
        unsafe: '9007199254740992',
        decimal: '1.5000',
        large: 1e300,
        odd: 'NaN',
        early: '1969-12-31 23:59:59.999',
        midnight: '2026-08-21 00:00:00',
        list: '[1, 2]',
        span: '1 day',
        twin: 1,
        'twin:1': 2,
      });
    });

    it('binds parameters as values, also hostile ones, and ignores those not named', async () => {
      const text = "'; DROP TABLE typed; --";
      const [row] = await rowsOf(
        `SELECT CAST($s AS VARCHAR) AS s, $i + 1 AS i, $d * 2 AS d, $b AND TRUE AS b,
           CAST($n AS VARCHAR) AS n, CAST($t AS TIMESTAMP) AS t`,
        { s: text, i: 1, d: 0.25, b: true, n: null, t: '2026-08-21 13:00:00', unused: 1 },
      );
      assert.deepEqual(row, { s: text, i: 2, d: 0.5, b: true, n: null, t: '2026-08-21 13:00:00' });
    });

    it('reads times without a zone as UTC', async () => {
      const sql = "SELECT CAST(CAST('2026-08-21 13:00:00+02' AS TIMESTAMPTZ) AS TIMESTAMP) AS t";
      assert.deepEqual(await rowsOf(sql), [{ t: '2026-08-21 11:00:00' }]);
    });

    it('fails with the message of the engine and the place', async () => {
      await fails(
        'SELECT\n  nonsense\nFROM typed',
        'SQL_FAILED',
        /nonsense[^]*LINE 2: {3}nonsense/,
      );
      await fails('SELEC 1', 'SQL_FAILED', /syntax error at or near "SELEC"[^]*LINE 1/);
      await fails("SELECT CAST('x' AS INTEGER)", 'SQL_FAILED', /Could not convert string 'x'/);
      await fails('SELECT $missing', 'SQL_FAILED', /\$missing has no value/);
      await fails(' -- nothing\n;', 'SQL_FAILED', /there is no statement/);
    });

    it('tells an unknown table from other failures', async () => {
      await fails('SELECT * FROM nowhere', 'TABLE_UNKNOWN', /nowhere does not exist[^]*LINE 1/);
      await fails('SELECT * FROM a.nowhere', 'TABLE_UNKNOWN', /does not exist/);
      await fails('SELECT * FROM a.b.nowhere', 'TABLE_UNKNOWN', /does not exist/);
      await fails('SELECT * FROM nowhere(1)', 'SQL_FAILED', /Table Function with name nowhere/);
    });
  });
});
