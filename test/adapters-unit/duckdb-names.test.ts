import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column } from '../../src/lake/table.ts';
import type { SqlSession, TableInput } from '../../src/ports.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import type { TestEngine } from '../sql/support/engine.ts';

const columns: readonly Column[] = [{ name: 'n', type: 'int', comment: '' }];
const filesOf = (name: string, ...keys: readonly string[]): TableInput => ({
  name,
  columns,
  kind: 'files',
  files: keys.map((key) => ({ key, partition: {} })),
});
const rowsOf = (name: string, ...numbers: readonly number[]): TableInput => ({
  name,
  columns,
  kind: 'rows',
  rows: numbers.map((n) => ({ n })),
});

describe('names of a SqlSession', () => {
  let test: TestEngine;
  let session: SqlSession;

  before(async () => {
    test = await createTestEngine();
    const writer = await test.engine.open([]);
    for (const n of [1, 2]) {
      const options = { columns, partitionBy: [], metadata: {} };
      const keyOf = () => `lake/${n}.parquet`;
      await writer.unload({ sql: 'SELECT $n AS n', parameters: { n }, keyOf, ...options });
    }
    await writer.close();
  });
  beforeEach(async () => {
    session = await test.engine.open([filesOf('first', 'lake/1.parquet')]);
  });
  afterEach(() => session.close());
  after(() => test.remove());

  const numbers = async (name: string) =>
    (await session.query(`SELECT n FROM ${name} ORDER BY n`)).rows.map(({ n }) => n);
  const linked = async () => {
    const scratch = join(test.cacheDirectory, 'scratch');
    const entries = await readdir(scratch, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.name.endsWith('.parquet')).length;
  };

  it('mean what they were given last, whatever that was', async () => {
    const given: readonly (readonly [unknown, () => Promise<unknown>])[] = [
      [[1, 2], () => session.declare([filesOf('t', 'lake/1.parquet', 'lake/2.parquet')])],
      [[3], () => session.declare([rowsOf('t', 3)])],
      [[4], () => session.materialize('t', 'SELECT 4 AS n')],
      [[5], () => session.define('t', 'SELECT 5 AS n')],
    ];
    for (const [, before] of given) {
      for (const [expected, give] of given) {
        await before();
        await give();
        assert.deepEqual(await numbers('t'), expected);
        await session.forget(['t']);
        await assert.rejects(numbers('t'), { code: 'TABLE_UNKNOWN' });
      }
    }
  });

  it('may be declared when the session is open, and read through a name that is defined', async () => {
    await session.declare([filesOf('second', 'lake/2.parquet')]);
    await session.define('united', 'SELECT n FROM first UNION ALL SELECT n FROM second');
    assert.deepEqual(await numbers('united'), [1, 2]);
    await session.materialize('second', 'SELECT n + 5 AS n FROM second');
    assert.deepEqual(await numbers('united'), [1, 7], 'a defined name reads what is there now');
  });

  it('that are forgotten hold no file any more', async () => {
    assert.equal(await linked(), 1);
    await session.declare([filesOf('second', 'lake/2.parquet')]);
    assert.equal(await linked(), 2);
    await session.declare([filesOf('second', 'lake/1.parquet')]);
    assert.equal(await linked(), 2);
    await session.forget(['first', 'second', 'never']);
    assert.equal(await linked(), 0);
  });

  it('are given to a SELECT only', async () => {
    for (const sql of ['SELECT 1; DROP VIEW first', 'DROP VIEW first', '']) {
      await assert.rejects(session.define('t', sql), { code: 'SQL_FAILED' });
    }
    assert.deepEqual(await numbers('first'), [1]);
  });
});
