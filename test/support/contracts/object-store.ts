import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IngotError } from '../../../src/errors.ts';
import type { ObjectStore, ObjectSummary } from '../../../src/ports.ts';

export type ObjectStoreSubject = {
  /** A store without objects. */
  readonly store: ObjectStore;
  readonly close: () => Promise<void>;
};

/** What every ObjectStore promises. Each case has keys of its own, so one store serves them all. */
export function describeObjectStore(name: string, open: () => Promise<ObjectStoreSubject>): void {
  describe(`ObjectStore: ${name}`, () => {
    let subject: ObjectStoreSubject;
    const store = () => subject.store;
    before(async () => {
      subject = await open();
    });
    after(async () => {
      await subject?.close();
    });
    describe('createObject', () => describeCreate(store));
    describe('swapObject', () => describeSwap(store));
    describe('reading and replacing', () => describeContent(store));
    describe('listObjects', () => describeListing(store));
    describe('copyObject and deleteObjects', () => describeCopyAndDelete(store));
  });
}

type Subject = () => ObjectStore;

const contenders = 16;
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const keysOf = (found: readonly ObjectSummary[]) => found.map(({ key }) => key);

async function textOf(store: ObjectStore, key: string): Promise<string | null> {
  const stored = await store.readObject(key);
  return stored === null ? null : Buffer.from(stored.bytes).toString();
}

async function etagOf(store: ObjectStore, key: string): Promise<string> {
  const stored = await store.headObject(key);
  assert.ok(stored !== null);
  return stored.etag;
}

function contend<T>(write: (contender: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: contenders }, (_, contender) => write(contender)));
}

function describeCreate(store: Subject): void {
  it('creates an object that is absent', async () => {
    assert.deepEqual(await store().createObject('create/new', bytesOf('a')), { kind: 'created' });
    assert.equal(await textOf(store(), 'create/new'), 'a');
  });

  it('leaves an object that is there as it is', async () => {
    await store().createObject('create/old', bytesOf('first'));
    const second = await store().createObject('create/old', bytesOf('second'));
    assert.deepEqual(second, { kind: 'alreadyExists' });
    assert.equal(await textOf(store(), 'create/old'), 'first');
  });

  it('lets one of 16 simultaneous writers create, and keeps its bytes', async () => {
    const answers = await contend((contender) =>
      store().createObject('create/contended', bytesOf(`writer ${contender}`)),
    );
    const won = answers.flatMap(({ kind }, contender) => (kind === 'created' ? [contender] : []));
    assert.equal(won.length, 1);
    assert.equal(await textOf(store(), 'create/contended'), `writer ${won[0]}`);
  });

  it('creates again after a deletion', async () => {
    await store().createObject('create/again', bytesOf('a'));
    await store().deleteObjects(['create/again']);
    const again = await store().createObject('create/again', bytesOf('b'));
    assert.deepEqual(again, { kind: 'created' });
  });
}

function describeSwap(store: Subject): void {
  it('writes over the etag that it was given and answers the new one', async () => {
    await store().createObject('swap/held', bytesOf('a'));
    const before = await etagOf(store(), 'swap/held');
    const swapped = await store().swapObject('swap/held', bytesOf('b'), before);
    assert.deepEqual(swapped, { kind: 'swapped', etag: await etagOf(store(), 'swap/held') });
    assert.notEqual(await etagOf(store(), 'swap/held'), before);
    assert.equal(await textOf(store(), 'swap/held'), 'b');
  });

  it('answers conflict to an etag that is no longer current', async () => {
    await store().createObject('swap/stale', bytesOf('a'));
    const stale = await etagOf(store(), 'swap/stale');
    await store().replaceObject('swap/stale', bytesOf('b'));
    const swapped = await store().swapObject('swap/stale', bytesOf('c'), stale);
    assert.deepEqual(swapped, { kind: 'conflict' });
    assert.equal(await textOf(store(), 'swap/stale'), 'b');
  });

  it('answers conflict to an etag of an object that is gone', async () => {
    await store().createObject('swap/gone', bytesOf('a'));
    const etag = await etagOf(store(), 'swap/gone');
    await store().deleteObjects(['swap/gone']);
    const swapped = await store().swapObject('swap/gone', bytesOf('b'), etag);
    assert.deepEqual(swapped, { kind: 'conflict' });
    assert.equal(await textOf(store(), 'swap/gone'), null);
  });

  it('creates with no etag where nothing is, and answers conflict where something is', async () => {
    const first = await store().swapObject('swap/first', bytesOf('a'), null);
    assert.deepEqual(first, { kind: 'swapped', etag: await etagOf(store(), 'swap/first') });
    const second = await store().swapObject('swap/first', bytesOf('b'), null);
    assert.deepEqual(second, { kind: 'conflict' });
  });

  it('lets one of 16 simultaneous writers with the same etag swap, and keeps its bytes', async () => {
    await store().createObject('swap/contended', bytesOf('a'));
    const etag = await etagOf(store(), 'swap/contended');
    const answers = await contend((contender) =>
      store().swapObject('swap/contended', bytesOf(`writer ${contender}`), etag),
    );
    const won = answers.flatMap(({ kind }, contender) => (kind === 'swapped' ? [contender] : []));
    assert.equal(won.length, 1);
    assert.equal(await textOf(store(), 'swap/contended'), `writer ${won[0]}`);
  });
}

const unusualKeys = [
  'with space',
  'a=b/event_date=2026-08-21',
  'a+b',
  'per%cent%20',
  'ünïcode/日本/🥇',
  `quote'"&<>`,
  'question?mark#hash',
  'comma,semi;colon:(x)!*~',
];

function describeContent(store: Subject): void {
  it('answers null for what is not there', async () => {
    assert.equal(await store().readObject('content/missing'), null);
    assert.equal(await store().headObject('content/missing'), null);
  });

  it('replaces what is there', async () => {
    await store().replaceObject('content/replaced', bytesOf('a'));
    await store().replaceObject('content/replaced', bytesOf('b'));
    assert.equal(await textOf(store(), 'content/replaced'), 'b');
  });

  it('keeps an empty object', async () => {
    await store().createObject('content/empty', new Uint8Array(0));
    assert.equal((await store().readObject('content/empty'))?.bytes.byteLength, 0);
    assert.equal((await store().headObject('content/empty'))?.bytes, 0);
  });

  it('keeps 1 MiB byte for byte', async () => {
    const bytes = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * 31 + (i >> 8)) % 256);
    await store().createObject('content/large', bytes);
    const stored = await store().readObject('content/large');
    assert.ok(stored !== null && Buffer.from(stored.bytes).equals(bytes));
  });

  it('tells the same etag and size on read, head and list', async () => {
    await store().createObject('content/same', bytesOf('four'));
    const read = await store().readObject('content/same');
    const expected = { key: 'content/same', bytes: 4, etag: read?.etag };
    assert.deepEqual(await store().headObject('content/same'), expected);
    assert.deepEqual(await store().listObjects('content/same'), [expected]);
  });

  it('does not share memory with its callers', async () => {
    const bytes = bytesOf('kept');
    await store().createObject('content/copied', bytes);
    bytes.fill(0);
    (await store().readObject('content/copied'))?.bytes.fill(0);
    assert.equal(await textOf(store(), 'content/copied'), 'kept');
  });

  for (const unusual of unusualKeys) {
    it(`takes the key ${unusual} as it is`, async () => {
      const key = `unusual/${unusual}`;
      assert.deepEqual(await store().createObject(key, bytesOf(key)), { kind: 'created' });
      assert.equal(await textOf(store(), key), key);
      assert.equal((await store().headObject(key))?.key, key);
      assert.deepEqual(keysOf(await store().listObjects(key)), [key]);
      await store().copyObject(key, `${key}.copy`);
      assert.equal(await textOf(store(), `${key}.copy`), key);
      await store().deleteObjects([key, `${key}.copy`]);
      assert.deepEqual(await store().listObjects(key), []);
    });
  }
}

function describeListing(store: Subject): void {
  const keys = ['a', 'a/b', 'a0', 'b', 'b\uff5e', 'b🥇', 'c'].map((key) => `order/${key}`);
  before(async () => {
    for (const key of [...keys].reverse()) await store().createObject(key, bytesOf(key));
    await store().createObject('orders/other', bytesOf('not of this prefix'));
  });

  it('lists the keys of a prefix in the order of their UTF-8 bytes', async () => {
    assert.deepEqual(keysOf(await store().listObjects('order/')), keys);
  });

  it('begins after startAfter, whether or not it exists', async () => {
    const after = (startAfter: string) => store().listObjects('order/', { startAfter });
    assert.deepEqual(keysOf(await after('order/a0')), keys.slice(3));
    assert.deepEqual(keysOf(await after('order/a00')), keys.slice(3));
    assert.deepEqual(await after('order/d'), []);
    assert.deepEqual(await store().listObjects('nothing/'), []);
  });

  it('ends at the limit', async () => {
    assert.deepEqual(keysOf(await store().listObjects('order/', { limit: 2 })), keys.slice(0, 2));
    const next = await store().listObjects('order/', { startAfter: 'order/a/b', limit: 2 });
    assert.deepEqual(keysOf(next), keys.slice(2, 4));
    assert.deepEqual(await store().listObjects('order/', { limit: 0 }), []);
  });

  it('tiles any keys by pages of any size', async function () {
    this.timeout(180_000);
    const part = fc.string({
      unit: fc.constantFrom(...'aZ0_-=+ %/é日🥇'),
      minLength: 1,
      maxLength: 6,
    });
    const key = part.filter((text) => !text.includes('//') && !/^\/|\/$/.test(text));
    const cases = fc.tuple(fc.uniqueArray(key, { maxLength: 8 }), fc.integer({ min: 1, max: 5 }));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([names, limit]) => {
        run += 1;
        const prefix = `tiles/${run}/`;
        const expected = names
          .map((text) => prefix + text)
          .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
        await Promise.all(expected.map((text) => store().createObject(text, bytesOf(text))));
        assert.deepEqual(await pages(store(), prefix, limit), expected);
      }),
      { numRuns: 12 },
    );
  });

  it('lists more than one page of the server', async function () {
    this.timeout(180_000);
    const many = Array.from({ length: 1_005 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
    for (let first = 0; first < many.length; first += 50) {
      const some = many.slice(first, first + 50);
      await Promise.all(some.map((key) => store().createObject(key, bytesOf(key))));
    }
    assert.deepEqual(keysOf(await store().listObjects('many/')), many);
    const most = await store().listObjects('many/', { limit: 1_002 });
    assert.deepEqual(keysOf(most), many.slice(0, 1_002));
    await store().deleteObjects(many);
    assert.deepEqual(await store().listObjects('many/'), []);
  });
}

async function pages(store: ObjectStore, prefix: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let page = 0; page < 100; page += 1) {
    const startAfter = found.at(-1);
    const options = startAfter === undefined ? { limit } : { limit, startAfter };
    const next = await store.listObjects(prefix, options);
    if (next.length === 0) return found;
    found.push(...keysOf(next));
  }
  throw new Error('listing does not end');
}

function describeCopyAndDelete(store: Subject): void {
  it('copies over what is at the target, and keeps the source', async () => {
    await store().createObject('copy/from', bytesOf('new'));
    await store().createObject('copy/to', bytesOf('old'));
    await store().copyObject('copy/from', 'copy/to');
    assert.equal(await textOf(store(), 'copy/to'), 'new');
    assert.equal(await textOf(store(), 'copy/from'), 'new');
  });

  it('throws OBJECT_MISSING for a source that is gone', async () => {
    await assert.rejects(
      store().copyObject('copy/missing', 'copy/target'),
      (error) =>
        error instanceof IngotError &&
        error.code === 'OBJECT_MISSING' &&
        error.facts['key'] === 'copy/missing',
    );
    assert.equal(await store().readObject('copy/target'), null);
  });

  it('deletes what is there and what is not', async () => {
    await store().createObject('delete/a', bytesOf('a'));
    await store().createObject('delete/b', bytesOf('b'));
    await store().deleteObjects(['delete/a', 'delete/missing']);
    await store().deleteObjects([]);
    assert.deepEqual(keysOf(await store().listObjects('delete/')), ['delete/b']);
  });
}
