import assert from 'node:assert/strict';
import { markTaken } from '../../src/activities/drop-index.ts';
import { events } from '../../src/datasets/events.ts';
import { dayMs, formatInstant } from '../../src/lake/time.ts';
import { createJanitorBed, keysOf, pass, sweepAll } from './support/janitor-bed.ts';

/* What the janitor removes of the drop folder. */

const folder = 'landing/events/';

describe('sweep of the drop folder', () => {
  it('removes a taken file when its days are over, not before, and keeps the note of it', async () => {
    const bed = createJanitorBed();
    await take(bed, await drop(bed, 'a.json.gz', 'a'));
    pass(bed, 30 * dayMs - 1);
    assert.deepEqual((await sweepAll(bed)).removed, {});
    pass(bed, 1);

    const dry = await sweepAll(bed, { dryRun: true });
    assert.deepEqual(dry.removed, { landing: { objects: 1, bytes: 1 } });
    assert.deepEqual(await keysOf(bed, folder), [`${folder}a.json.gz`]);

    assert.deepEqual((await sweepAll(bed)).removed, dry.removed);
    assert.deepEqual(await keysOf(bed, folder), []);
    assert.equal((await keysOf(bed, '_drop/')).length, 1);
  });

  it('leaves what waits, and what has replaced a taken file, however old it is', async () => {
    const bed = createJanitorBed();
    await drop(bed, 'waits.json.gz', 'a');
    await take(bed, await drop(bed, 'replaced.json.gz', 'a'));
    await drop(bed, 'replaced.json.gz', 'b');
    pass(bed, 400 * dayMs);

    assert.deepEqual((await sweepAll(bed)).removed, {});
    assert.deepEqual(await keysOf(bed, folder), [
      `${folder}replaced.json.gz`,
      `${folder}waits.json.gz`,
    ]);
  });

  it('keeps files for ever where that is wanted', async () => {
    const bed = createJanitorBed({ landing: { prefix: folder, days: 0 } });
    await take(bed, await drop(bed, 'a.json.gz', 'a'));
    pass(bed, 4_000 * dayMs);

    assert.deepEqual((await sweepAll(bed)).removed, {});
  });

  it('goes through a folder of more files than one page', async () => {
    const bed = createJanitorBed();
    for (let number = 0; number < 1_003; number += 1) {
      await take(bed, await drop(bed, `${number}.json.gz`, 'a'));
    }
    pass(bed, 30 * dayMs);

    assert.equal((await sweepAll(bed)).removed.landing?.objects, 1_003);
    assert.deepEqual(await keysOf(bed, folder), []);
  });
});

type Bed = ReturnType<typeof createJanitorBed>;

async function drop({ objects }: Bed, name: string, text: string) {
  const key = `${folder}${name}`;
  await objects.replaceObject(key, Buffer.from(text));
  const { etag, bytes } = (await objects.headObject(key))!;
  return { key, etag, bytes };
}

async function take(bed: Bed, object: { key: string; etag: string; bytes: number }) {
  const foundAt = formatInstant(bed.clock.nowMs);
  const part = { ...object, foundAt, lineFirst: 0, lineEnd: 1, ends: true };
  await markTaken(bed.objects, events.name, part);
}
