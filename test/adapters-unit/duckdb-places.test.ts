import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableInput } from '../../src/ports.ts';
import { createTestEngine } from '../sql/support/engine.ts';
import type { TestEngine } from '../sql/support/engine.ts';

const columns = [{ name: 'n', type: 'int', comment: '' }] as const;
const fileOf = (name: string, key: string): TableInput => ({
  name,
  columns,
  kind: 'files',
  files: [{ key, partition: {} }],
});

describe('sessions in places that are kept', () => {
  let test: TestEngine;
  beforeEach(async () => {
    test = await createTestEngine({ sessionsKept: 1 });
    const writer = await test.engine.open([]);
    await writer.unload({
      sql: 'SELECT 1 AS n',
      parameters: {},
      columns,
      partitionBy: [],
      keyOf: () => 'lake/1.parquet',
      metadata: {},
    });
    await writer.close();
  });
  afterEach(() => test.remove());

  const scratch = ({ cacheDirectory } = test) => join(cacheDirectory, 'scratch');
  const folders = () => readdir(scratch());
  const filesLeft = async (of = test) => {
    const entries = await readdir(scratch(of), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) =>
        // Each declaration has a folder of its own.
        join(parentPath, name),
      );
  };

  it('see nothing of the session before, neither its names nor its files', async () => {
    const before = await test.engine.open([fileOf('declared', 'lake/1.parquet')]);
    const [folder] = await folders();
    await before.materialize('made', 'SELECT n FROM declared');
    await before.define('named', 'SELECT n FROM made');
    await before.close();
    assert.deepEqual(await filesLeft(), []);
    const after = await test.engine.open([]);
    assert.deepEqual(await folders(), [folder], 'it is the same place');
    for (const name of ['declared', 'made', 'named']) {
      await assert.rejects(after.query(`SELECT n FROM ${name}`), { code: 'TABLE_UNKNOWN' });
    }
    await after.close();
  });

  it('find a shared table there while they want the same, and nothing of it otherwise', async () => {
    const shared = { ...fileOf('shared', 'lake/1.parquet'), isShared: true } as TableInput;
    const one = async (tables: readonly TableInput[]): Promise<readonly unknown[]> => {
      const session = await test.engine.open(tables);
      try {
        return (await session.query('SELECT n FROM shared')).rows;
      } finally {
        await session.close();
      }
    };
    assert.deepEqual(await one([shared]), [{ n: 1 }]);
    const left = await filesLeft();
    assert.equal(left.length, 1);
    assert.deepEqual(await one([shared]), [{ n: 1 }]);
    assert.deepEqual(await filesLeft(), left, 'it was not made again');
    const wide = [...columns, { name: 'more', type: 'string', comment: '' }] as const;
    assert.deepEqual(await one([{ ...shared, columns: wide }]), [{ n: 1 }]);
    await assert.rejects(one([fileOf('other', 'lake/1.parquet')]), { code: 'TABLE_UNKNOWN' });
    assert.deepEqual(await filesLeft(), []);
  });

  it('never tell the rows of a file that the session before has read', async () => {
    const sizes = new Set<number>();
    const unload = async (key: string, rows: number) => {
      const session = await test.engine.open([]);
      const [file] = await session.unload({
        sql: `SELECT i AS n FROM range(${rows}) AS r (i)`,
        parameters: {},
        columns: [{ name: 'n', type: 'bigint', comment: '' }],
        partitionBy: [],
        keyOf: () => key,
        metadata: {},
      });
      await session.close();
      sizes.add(file!.bytes);
      return file!.rows;
    };
    for (const rows of [5, 3]) await unload(`of ${rows}`, rows);
    assert.equal(sizes.size, 1, 'only of files of one size it could');
    // What lies in the lake already counts, not the row that is written now.
    assert.deepEqual([await unload('of 5', 1), await unload('of 3', 1)], [5, 3]);
  });

  it('hide a shared table by another of its name only for themselves', async () => {
    const shared = { ...fileOf('shared', 'lake/1.parquet'), isShared: true } as TableInput;
    const first = await test.engine.open([shared]);
    await first.materialize('shared', 'SELECT n + 1 AS n FROM shared');
    assert.deepEqual((await first.query('SELECT n FROM shared')).rows, [{ n: 2 }]);
    await first.close();
    const second = await test.engine.open([shared]);
    assert.deepEqual((await second.query('SELECT n FROM shared')).rows, [{ n: 1 }]);
    await second.close();
  });

  it('may touch no more than in a new one', async () => {
    await (await test.engine.open([fileOf('t', 'lake/1.parquet')])).close();
    const outside = join(test.cacheDirectory, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'x.csv'), 'a\n1\n');
    const session = await test.engine.open([]);
    const reading = session.query(`SELECT * FROM read_csv('${outside}/x.csv')`);
    await assert.rejects(reading, { code: 'SQL_FAILED', message: /Permission Error/ });
    await session.close();
  });

  it('are never two in one place, and no more places are kept than wanted', async () => {
    const open = () => test.engine.open([fileOf('t', 'lake/1.parquet')]);
    const sessions = await Promise.all([open(), open(), open()]);
    assert.equal((await folders()).length, 3);
    await Promise.all(sessions.map((session) => session.close()));
    assert.equal((await folders()).length, 1);
  });

  it('are no more for shared tables than are kept, while others are in use', async () => {
    const roomy = await createTestEngine({ sessionsKept: 2 });
    const { bytes } = (await test.objects.readObject('lake/1.parquet'))!;
    for (const key of ['1', '2']) await roomy.objects.createObject(key, bytes);
    const openShared = (key: string) =>
      roomy.engine.open([{ ...fileOf('shared', key), isShared: true } as TableInput]);
    try {
      const [busy, idle] = await Promise.all([roomy.engine.open([]), roomy.engine.open([])]);
      await idle.close();
      const before = await readdir(scratch(roomy));
      for (const key of ['1', '2']) {
        const session = await openShared(key);
        assert.deepEqual(await readdir(scratch(roomy)), before);
        await session.close();
      }
      await busy.close();
    } finally {
      await roomy.remove();
    }
  });

  it('leave a place behind until it has read a thousand files, in however many sessions', async () => {
    const { bytes } = (await test.objects.readObject('lake/1.parquet'))!;
    const keys = Array.from({ length: 400 }, (_, index) => `many/${index}`);
    for (const key of keys) await test.objects.createObject(key, bytes);
    const files = keys.map((key) => ({ key, partition: {} }));
    const left: number[] = [];
    for (let session = 0; session < 4; session += 1) {
      const table = { ...fileOf('t', ''), files } as TableInput;
      await (await test.engine.open([table])).close();
      left.push((await folders()).length);
    }
    assert.deepEqual(left, [1, 1, 0, 1]);
  });

  it('leave no place behind in which something was broken off', async () => {
    const cut = await test.engine.open([]);
    const running = cut.query('SELECT count(*) AS n FROM range(100000000000) AS r');
    await Promise.all([assert.rejects(running), cut.close()]);
    assert.deepEqual(await folders(), []);
    const missing = [fileOf('a', 'lake/1.parquet'), fileOf('b', 'lake/never.parquet')];
    await assert.rejects(test.engine.open(missing), { code: 'OBJECT_MISSING' });
    assert.deepEqual(await folders(), []);
    const half = await test.engine.open([]);
    await assert.rejects(half.declare(missing), { code: 'OBJECT_MISSING' });
    await half.close();
    assert.deepEqual(await folders(), []);
  });

  it('keep the shared tables of others while there is room for a new place', async () => {
    const roomy = await createTestEngine({ sessionsKept: 2 });
    const { bytes } = (await test.objects.readObject('lake/1.parquet'))!;
    for (const key of ['1', '2', '3']) await roomy.objects.createObject(key, bytes);
    await (await roomy.engine.open([])).close();
    const isMade = async (key: string): Promise<boolean> => {
      const before = await filesLeft(roomy);
      const shared = { ...fileOf('shared', key), isShared: true } as TableInput;
      await (await roomy.engine.open([shared])).close();
      return (await filesLeft(roomy)).some((file) => !before.includes(file));
    };
    try {
      assert.deepEqual([await isMade('1'), await isMade('2')], [true, true]);
      assert.deepEqual(
        [await isMade('1'), await isMade('2'), await isMade('1')],
        [false, false, false],
      );
      // The one that was left the longest ago makes room.
      assert.deepEqual(
        [await isMade('3'), await isMade('1'), await isMade('2')],
        [true, false, true],
      );
    } finally {
      await roomy.remove();
    }
  });
});
