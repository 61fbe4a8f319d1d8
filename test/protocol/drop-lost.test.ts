import assert from 'node:assert/strict';
import { createDropGapActivities } from '../../src/activities/drop-gap.ts';
import type { DropGroupDeps } from '../../src/activities/drop-group.ts';
import { readTaken } from '../../src/activities/drop-index.ts';
import { takeObject, takeOverDrop } from '../../src/activities/drop-writer.ts';
import { IngotError } from '../../src/errors.ts';
import { dropLog } from '../../src/lake/drop.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { aroundStore } from '../support/around-store.ts';
import {
  type DropBed,
  createDropBed,
  drop,
  dropAll,
  dropDeps,
  jsonLines,
  linesOf,
  prefix,
  readDropLake,
} from '../activities-unit/support/drop-bed.ts';

/* Objects that change or go while they are taken. */

const eventLine = (id: string) => `{"event_id":"${id}","timestamp":"2026-08-21T13:00:00Z"}`;
const idsOf = (rows: readonly { readonly event_id?: unknown }[]) =>
  rows.map(({ event_id }) => String(event_id));

/** Runs `change` just before the n-th read of the object. */
function changingStore(
  bed: DropBed,
  key: string,
  at: number,
  change: () => Promise<void>,
): ObjectStore {
  let reads = 0;
  return aroundStore(bed.objects, async (step, run) => {
    if (step.name === 'readObject' && step.key === key) {
      reads += 1;
      if (reads === at) await change();
    }
    return run();
  });
}

/** More than one part of the object is read, and more than one batch made of the first. */
const largeLines = 1_600;
const large = Array.from(
  { length: largeLines },
  (_, index) => `{"pad":"${'x'.repeat(3_000)}",${eventLine(`e${index}`).slice(1)}\n`,
).join('');

describe('an object that is replaced or deleted while it is taken', function () {
  // Some megabytes go through codecs that are slow and easy to look into.
  this.timeout(180_000);

  it('before a part of it was planned is forgotten, and what lies there then is taken', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', eventLine('one'));
    const objects = changingStore(
      bed,
      key,
      1,
      async () => void (await drop(bed, 'a.jsonl', eventLine('two'))),
    );
    await dropAll(dropDeps(bed, 'one', { objects }));
    assert.deepEqual(idsOf((await readDropLake(bed)).bronze), ['two']);
  });

  for (const change of ['deleted', 'replaced'] as const) {
    it(`after that stops the log when it is ${change}, until a person accepts what is missing`, async () => {
      const bed = createDropBed();
      const key = await drop(bed, 'a.jsonl', large);
      const away = async (): Promise<void> => {
        if (change === 'deleted') await bed.objects.deleteObjects([key]);
        else await drop(bed, 'a.jsonl', eventLine('other'));
      };
      const objects = changingStore(bed, key, 2, away);
      const one = dropDeps(bed, 'one', { objects });
      await assert.rejects(dropAll(one), isLost);
      await drop(bed, 'b.jsonl', eventLine('next'));
      await assert.rejects(dropAll(dropDeps(bed, 'two')), isLost);

      const request = { id: 'r', log: dropLog, author: 'ann', reason: 'gone', code: 'OBJECT_LOST' };
      const gaps = createDropGapActivities(groupDeps(bed));
      const accepted = await gaps.acceptGap({ ...request, dataset: 'events' });
      assert.deepEqual(
        await gaps.acceptGap({ ...request, dataset: 'events' }),
        accepted,
        'asked again',
      );
      const { folder } = await dropAll(dropDeps(bed, 'three'));
      const lake = await readDropLake(bed);
      assert.ok(lake.entries.some(({ kind }) => kind === 'gap'));
      assert.ok(idsOf(lake.bronze).includes('next'));
      assert.equal(folder.figures().undecidedCount, change === 'deleted' ? 0 : 1);
    });
  }

  it('stops the log with an open plan, which is sealed with nothing once that is accepted', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', jsonLines(0, 3));
    const failing = aroundStore(bed.objects, (step, run) =>
      step.name === 'createObject' && step.key.startsWith('bronze/')
        ? Promise.reject(new Error('died'))
        : run(),
    );
    await assert.rejects(dropAll(dropDeps(bed, 'one', { objects: failing })), /died/);
    await bed.objects.deleteObjects([key]);
    await assert.rejects(dropAll(dropDeps(bed, 'two')), isLost);
    const gaps = createDropGapActivities(groupDeps(bed));
    const request = { id: 'r', log: dropLog, author: 'ann', reason: 'gone', code: 'OBJECT_LOST' };
    await gaps.acceptGap({ ...request, dataset: 'events' });
    await dropAll(dropDeps(bed, 'three'));
    const { bronze, letters, entries } = await readDropLake(bed);
    assert.deepEqual([bronze.length, letters.length], [0, 0]);
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['takeover', 'plan', 'gap', 'takeover'],
    );
  });

  it('goes on when the object is put back as it was', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', large);
    const objects = changingStore(bed, key, 2, () => bed.objects.deleteObjects([key]));
    await assert.rejects(dropAll(dropDeps(bed, 'one', { objects })), isLost);
    await drop(bed, 'a.jsonl', large);
    await dropAll(dropDeps(bed, 'two'));
    assert.equal(linesOf(await readDropLake(bed)).length, largeLines);
  });

  it('is not given up while it is there', async () => {
    const bed = createDropBed();
    await drop(bed, 'a.jsonl', jsonLines(0, 3));
    await dropAll(dropDeps(bed, 'one'));
    const gaps = createDropGapActivities(groupDeps(bed));
    const request = { id: 'r', log: dropLog, author: 'ann', reason: 'gone', code: 'OBJECT_LOST' };
    await assert.rejects(gaps.acceptGap({ ...request, dataset: 'events' }), /nothing is missing/);
  });
});

describe('takeObject', function () {
  this.timeout(180_000);

  it('stops where it is asked to, and the next writer goes on there', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', large);
    const deps = dropDeps(bed, 'one');
    const open = await takeOverDrop(deps);
    const head = (await bed.objects.headObject(key))!;
    const object = { ...head, foundAt: '2026-08-21T14:00:00.000Z' };
    let batches = 0;
    const taken = await takeObject(deps, open, object, {
      isOver: () => batches > 0,
      onCommitted: () => void (batches += 1),
    });
    assert.equal(taken.ended, 'stopped');
    assert.ok(taken.open.state.object!.lineEnd < largeLines);
    assert.equal((await readTaken(bed.objects, 'events')).size, 0, 'it is not marked as taken');
    await dropAll(dropDeps(bed, 'two'));
    assert.equal(linesOf(await readDropLake(bed)).length, largeLines);
  });
});

function groupDeps(bed: DropBed): DropGroupDeps {
  const { ports, dataset, limits } = dropDeps(bed, 'unused');
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  return {
    ports: { ...ports, logger },
    dataset,
    limits,
    plan: { recordBytesMax: 4_096 },
    folder: { enabled: true, prefix, pollMs: 10, delayMs: 0 },
  };
}

function isLost(error: unknown): boolean {
  return error instanceof IngotError && error.code === 'OBJECT_LOST';
}
