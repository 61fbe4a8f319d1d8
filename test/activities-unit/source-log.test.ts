import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readSeals } from '../../src/activities/source-log.ts';
import { readTail } from '../../src/activities/source-log-tail.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { IngotError } from '../../src/errors.ts';
import { logEntryKey, sealKey } from '../../src/lake/paths.ts';
import { recordingStore } from '../support/around-store.ts';
import { randomCases } from '../support/random-cases.ts';

const ref = { dataset: 'events', log: 'clicks-0' };
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** A log of so many plans, of which the given numbers are sealed. */
async function logOf(length: number, isSealed: (number: number) => boolean = () => true) {
  const objects = createMemoryObjectStore();
  for (let number = 0; number < length; number += 1) {
    await objects.createObject(logEntryKey('events', ref.log, number), json({ number }));
    if (!isSealed(number)) continue;
    await objects.createObject(sealKey('events', ref.log, number), json({ number }));
  }
  return objects;
}

describe('readTail', () => {
  it('is nothing for a log that does not exist', async () => {
    assert.deepEqual(await readTail(await logOf(0), ref), { entry: null, seal: null });
  });

  it('property: finds the last entry of a log of any length, and its seal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.boolean(), async (length, isOpen) => {
        const objects = await logOf(length, (number) => !(isOpen && number === length - 1));
        const { entry, seal } = await readTail(objects, ref);
        assert.equal(entry?.number, length - 1);
        assert.equal(seal?.seal.number ?? null, isOpen ? null : length - 1);
      }),
      { numRuns: randomCases(40) },
    );
  });

  it('asks seldom: about twice as often as the length has binary digits', async () => {
    const { store, steps } = recordingStore(await logOf(300));
    await readTail(store, ref);
    assert.ok(steps.length <= 21, `${steps.length} requests`);
  });

  it('says that a log is corrupt whose last entry is not JSON', async () => {
    const objects = await logOf(2);
    await objects.replaceObject(logEntryKey('events', ref.log, 1), Buffer.from('{'));
    await assert.rejects(
      readTail(objects, ref),
      (error) => error instanceof IngotError && error.code === 'LOG_CORRUPT',
    );
  });
});

describe('readSeals', () => {
  it('reads a range in order and leaves out numbers without a seal', async () => {
    const objects = await logOf(40, (number) => number % 3 !== 0);
    const seals = await readSeals(objects, { ...ref, first: 5, through: 38 });
    const wanted = Array.from({ length: 34 }, (_, index) => index + 5).filter((n) => n % 3 !== 0);
    assert.deepEqual(
      seals.map(({ number }) => number),
      wanted,
    );
  });

  it('is empty for a range that ends before it begins', async () => {
    assert.deepEqual(await readSeals(await logOf(3), { ...ref, first: 2, through: 1 }), []);
  });
});
