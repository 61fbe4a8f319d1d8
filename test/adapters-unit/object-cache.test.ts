import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { cacheName, createObjectCache } from '../../src/adapters/object-cache.ts';
import type { ObjectCache } from '../../src/adapters/object-cache.ts';
import type { ObjectStore } from '../../src/ports.ts';

describe('createObjectCache', () => {
  let directory: string;
  let objects: ObjectStore;
  let reads: string[];
  let cache: ObjectCache;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ingot-cache-'));
    const store = createMemoryObjectStore();
    reads = [];
    objects = {
      ...store,
      readObject: (key) => {
        reads.push(key);
        return store.readObject(key);
      },
    };
    cache = createObjectCache({ objects, directory, bytesMax: 25 });
    for (const key of ['a', 'b', 'c', 'd']) await store.createObject(key, Buffer.alloc(10, key));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** A session's folder, where its links to the objects of these keys go. */
  async function open(name: string, keys: readonly string[], from = cache): Promise<number> {
    await mkdir(join(directory, name), { recursive: true });
    return from.linkObjects(keys.map((key) => ({ key, path: join(directory, name, key) })));
  }
  const close = (name: string) => rm(join(directory, name), { recursive: true });
  const cachedKeys = async () => {
    const names = await readdir(join(directory, 'objects'));
    return ['a', 'b', 'c', 'd'].filter((key) => names.includes(cacheName(key)));
  };
  /** Puts the uses of objects in order, without waiting for the clock to tick. */
  const setUsed = (key: string, second: number) =>
    utimes(join(directory, 'objects', cacheName(key)), second, second);

  it('fetches an object once, for sessions of any process', async () => {
    assert.equal(await open('one', ['a', 'b']), 2);
    const otherProcess = createObjectCache({ objects, directory, bytesMax: 25 });
    assert.equal(await open('two', ['b', 'a', 'c'], otherProcess), 1);
    assert.deepEqual(reads, ['a', 'b', 'c']);
    assert.equal(await readFile(join(directory, 'two', 'a'), 'utf8'), 'aaaaaaaaaa');
  });

  it('removes the least recently used beyond its bound', async () => {
    await open('one', ['a', 'b', 'c']);
    await close('one');
    for (const [index, key] of ['a', 'b', 'c'].entries()) await setUsed(key, index + 1);
    await open('two', ['a']);
    await close('two');
    await cache.evict();
    assert.deepEqual(await cachedKeys(), ['a', 'c']);
  });

  it('looks at its folder again once it has put in its share of what was free', async () => {
    // 80 bytes over eight processes: two objects.
    const roomy = createObjectCache({ objects, directory, bytesMax: 80 });
    await roomy.evict();
    const foreign = join(directory, 'objects', 'foreign');
    await mkdir(join(directory, 'objects'), { recursive: true });
    await writeFile(foreign, Buffer.alloc(100));
    await utimes(foreign, 1, 1);
    await open('one', ['a'], roomy);
    await roomy.evict();
    assert.ok((await readdir(join(directory, 'objects'))).includes('foreign'), 'not looked yet');
    await open('one', ['b'], roomy);
    await roomy.evict();
    assert.deepEqual((await readdir(join(directory, 'objects'))).includes('foreign'), false);
    assert.deepEqual(await cachedKeys(), ['a', 'b']);
  });

  it('removes none that a session holds, of whatever process', async () => {
    await open('one', ['a', 'b', 'c']);
    await open('two', ['d']);
    await close('two');
    await createObjectCache({ objects, directory, bytesMax: 0 }).evict();
    assert.deepEqual(await cachedKeys(), ['a', 'b', 'c']);
    await close('one');
    await cache.evict();
    assert.equal((await cachedKeys()).length, 2);
  });

  it('takes a file from no session when the cache loses it', async () => {
    await open('one', ['a']);
    await rm(join(directory, 'objects', cacheName('a')));
    assert.equal(await readFile(join(directory, 'one', 'a'), 'utf8'), 'aaaaaaaaaa');
    assert.equal(await open('two', ['a']), 1);
  });

  it('shows no file before it is whole, so that a crash leaves no half of one', async () => {
    const failing = createObjectCache({
      objects: { ...objects, readObject: () => Promise.reject(new Error('cut off')) },
      directory,
      bytesMax: 25,
    });
    await assert.rejects(open('one', ['a'], failing), /cut off/);
    assert.deepEqual(await cachedKeys(), []);
  });

  it('lets two fetches of one object win at the same time', async () => {
    const counts = await Promise.all([open('one', ['a', 'b']), open('two', ['a', 'b'])]);
    assert.ok(Math.max(...counts) <= 2);
    assert.deepEqual(await cachedKeys(), ['a', 'b']);
    assert.deepEqual(await readFile(join(directory, 'two', 'b'), 'utf8'), 'bbbbbbbbbb');
  });

  it('names an object that is not there, and waits for the others before it fails', async () => {
    const wanted = open('one', ['a', 'gone', 'b', 'c']);
    await assert.rejects(wanted, { code: 'OBJECT_MISSING', retryable: true, message: /gone/ });
    const settled = await readdir(join(directory, 'one'));
    await new Promise(setImmediate);
    assert.deepEqual(await readdir(join(directory, 'one')), settled);
  });

  it('has nothing to remove where nothing was ever fetched', async () => {
    await cache.evict();
    assert.equal(await cache.linkObjects([]), 0);
  });
});
