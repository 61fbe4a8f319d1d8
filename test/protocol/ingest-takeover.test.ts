import assert from 'node:assert/strict';
import { IngotError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { crashingStore, recordingStore } from '../support/around-store.ts';
import {
  type IngestBed,
  checkLake,
  commitNext,
  createIngestBed,
  ingestAll,
  openLog,
  produce,
  writerDeps,
} from '../activities-unit/support/ingest-bed.ts';

/* A writer that stands still in the middle of its takeover, and wakes up when others have gone on. */

/** Lets others go first, once, right before the create of a key that matches. */
function sleepingStore(
  objects: ObjectStore,
  key: RegExp,
  meanwhile: () => Promise<unknown>,
): ObjectStore {
  let slept = false;
  return {
    ...objects,
    createObject: async (wanted, bytes) => {
      if (!slept && key.test(wanted)) {
        slept = true;
        await meanwhile();
      }
      return objects.createObject(wanted, bytes);
    },
  };
}

async function bedWith(records: number): Promise<IngestBed> {
  const bed = createIngestBed();
  await produce(bed, records);
  return bed;
}

const isOvertaken =
  (retryable: boolean) =>
  (error: unknown): boolean =>
    error instanceof IngotError &&
    error.code === 'WRITER_REPLACED' &&
    error.retryable === retryable;

describe('takeOver of a writer that sleeps', () => {
  it('regression: does not take the log from one that came after it', async () => {
    const bed = await bedWith(10);
    const two = writerDeps(bed, 'two');
    let { open } = await openLog(bed, writerDeps(bed, 'zero'));
    const objects = sleepingStore(bed.objects, /^_log/, async () => {
      open = await commitNext(bed, two, (await openLog(bed, two)).open, 5);
    });
    await assert.rejects(openLog(bed, writerDeps(bed, 'one', { objects })), isOvertaken(false));
    await commitNext(bed, two, open, 5);
    const { entries } = await checkLake(bed);
    assert.deepEqual(
      entries.map(({ writer }) => writer),
      ['zero', 'two', 'two', 'two'],
    );
  });

  it('regression: nor when it sleeps while it finishes an open plan', async () => {
    const bed = await bedWith(10);
    const { store, steps } = recordingStore(createIngestBed().objects);
    await ingestAll({ ...bed, objects: store }, writerDeps(bed, 'zero', { objects: store }), 10);
    const at = steps.findIndex(({ key }) => key.startsWith('bronze/'));
    const dying = crashingStore(bed.objects, { at, when: 'before' });
    await assert.rejects(ingestAll(bed, writerDeps(bed, 'zero', { objects: dying }), 10));
    const two = writerDeps(bed, 'two');
    const objects = sleepingStore(bed.objects, /^bronze\//, () => openLog(bed, two));
    await assert.rejects(openLog(bed, writerDeps(bed, 'one', { objects })), isOvertaken(false));
    const { entries } = await checkLake(bed);
    assert.equal(entries.at(-1)?.writer, 'two');
  });

  it('fails for Temporal to decide when the other is an attempt of its own lane', async () => {
    const bed = await bedWith(10);
    const two = writerDeps(bed, 'lane-0/run/2/b');
    const objects = sleepingStore(bed.objects, /^_log/, () => openLog(bed, two));
    const one = writerDeps(bed, 'lane-0/run/1/a', { objects });
    await assert.rejects(openLog(bed, one), isOvertaken(true));
  });

  it('takes over from one that was there before and has only gone on', async () => {
    const bed = await bedWith(10);
    const zero = writerDeps(bed, 'zero');
    const { open } = await openLog(bed, zero);
    const objects = sleepingStore(bed.objects, /^_log/, () => commitNext(bed, zero, open, 5));
    const one = writerDeps(bed, 'one', { objects });
    const taken = await openLog(bed, one);
    await commitNext(bed, one, taken.open, 5);
    const { entries } = await checkLake(bed);
    assert.deepEqual(
      entries.map(({ kind, writer }) => `${writer} ${kind}`),
      ['zero takeover', 'zero plan', 'one takeover', 'one plan'],
    );
  });
});
