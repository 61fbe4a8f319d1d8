import assert from 'node:assert/strict';
import type { ObjectStoreSubject } from './object-store.ts';

/** What every ObjectStore promises about a part of an object. */
export function describeObjectParts(name: string, open: () => Promise<ObjectStoreSubject>): void {
  describe(`parts of objects: ${name}`, () => {
    let subject: ObjectStoreSubject;
    before(async () => {
      subject = await open();
    });
    after(async () => {
      await subject?.close();
    });
    const read = async (key: string, first: number, length: number) => {
      const stored = await subject.store.readObject(key, { first, length });
      return stored === null ? null : Buffer.from(stored.bytes).toString();
    };

    it('are the bytes from one place on, as far as there are any', async () => {
      await subject.store.replaceObject('parts/text', Buffer.from('0123456789'));
      assert.equal(await read('parts/text', 0, 4), '0123');
      assert.equal(await read('parts/text', 4, 4), '4567');
      assert.equal(await read('parts/text', 8, 4), '89');
      assert.equal(await read('parts/text', 0, 100), '0123456789');
    });

    it('are empty behind the end, and of an empty object', async () => {
      await subject.store.replaceObject('parts/short', Buffer.from('ab'));
      await subject.store.replaceObject('parts/empty', new Uint8Array());
      assert.equal(await read('parts/short', 2, 4), '');
      assert.equal(await read('parts/short', 200, 4), '');
      assert.equal(await read('parts/empty', 0, 4), '');
    });

    it('come with the etag of the whole object', async () => {
      await subject.store.replaceObject('parts/tagged', Buffer.from('whole'));
      const head = await subject.store.headObject('parts/tagged');
      const part = await subject.store.readObject('parts/tagged', { first: 1, length: 2 });
      assert.equal(part?.etag, head?.etag);
    });

    it('of an object that is not there are null', async () => {
      assert.equal(await read('parts/missing', 0, 1), null);
    });

    it('may be of an object with any name', async () => {
      const key = 'parts/a b+c%2F&="é😀".jsonl';
      await subject.store.replaceObject(key, Buffer.from('named'));
      assert.equal(await read(key, 0, 5), 'named');
      const listed = await subject.store.listObjects('parts/a b');
      assert.deepEqual(
        listed.map((object) => object.key),
        [key],
      );
    });
  });
}
