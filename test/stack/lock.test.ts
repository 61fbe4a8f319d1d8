import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../src/stack/lock.ts';

describe('withLock', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-lock-'));
    file = join(folder, 'tool.lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets one worker in at a time and leaves no file behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, { limitMs: 50_000 }, work)));
    assert.equal(most, 1);
    assert.deepEqual(await readdir(folder), []);
  });

  it('lets go when the work fails', async () => {
    const failure = new Error('no disk');
    await assert.rejects(
      withLock(file, { limitMs: 100 }, () => Promise.reject(failure)),
      failure,
    );
    assert.equal(await withLock(file, { limitMs: 100 }, async () => 'in'), 'in');
  });

  it('takes over the lock of a process that has ended', async () => {
    await writeFile(file, JSON.stringify({ pid: process.pid, began: 'before this process' }));
    assert.equal(await withLock(file, { limitMs: 100 }, async () => 'in'), 'in');
    assert.deepEqual(await readdir(folder), []);
  });

  it('says that it waits, and gives up after the limit', async () => {
    let told = 0;
    await withLock(file, { limitMs: 100 }, () =>
      assert.rejects(
        withLock(file, { limitMs: 150, onWait: () => (told += 1) }, async () => undefined),
        { code: 'PART_UNREACHABLE' },
      ),
    );
    assert.equal(told, 1);
  });
});
