import assert from 'node:assert/strict';
import { createCheckpointKeeper } from '../../src/activities/checkpoint-keeper.ts';
import { newestCheckpoint } from '../../src/activities/checkpoints.ts';
import { sha256 } from '../../src/activities/hash.ts';
import type { Checkpoint } from '../../src/lake/checkpoint.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { aroundStore, recordingStore } from '../support/around-store.ts';
import { eventually } from '../support/temporal/eventually.ts';
import {
  type IngestBed,
  createIngestBed,
  ingestAll,
  log,
  produce,
  readLog,
  startGroupOf,
  startMs,
  writerDeps,
} from './support/ingest-bed.ts';

const ref = { dataset: 'events', log };
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const hourMs = 3_600_000;

/** A log of a takeover and three batches, written a few seconds before 14:00. */
async function writtenLog(): Promise<IngestBed> {
  const bed = createIngestBed();
  await produce(bed, 30);
  await ingestAll(bed, writerDeps(bed, 'first'), 10);
  return bed;
}

function keeperOf(bed: IngestBed, objects: ObjectStore = bed.objects) {
  const ports = { objects, now: () => bed.clock.nowMs, logger };
  return createCheckpointKeeper({ ports, signal: new AbortController().signal }, ref);
}

async function newest(bed: IngestBed): Promise<Checkpoint | null> {
  return (await newestCheckpoint(bed.objects, ref))?.checkpoint ?? null;
}

describe('createCheckpointKeeper', () => {
  it('writes the checkpoint of an hour on the first tick of the next one', async () => {
    const bed = await writtenLog();
    const keeper = keeperOf(bed);
    keeper.tick(3);
    await keeper.idle();
    assert.equal(await newest(bed), null);

    bed.clock.nowMs += 20_000;
    keeper.tick(3);
    await keeper.idle();
    const found = await newest(bed);
    assert.deepEqual([found?.first, found?.through, found?.completeTo], [0, 3, '2026-08-21T14']);
    assert.deepEqual(found?.totals, { ...found?.totals, batches: 3, records: 30, rows: 24 });
    const { hash } = (await readLog(bed.objects)).seals.get(3)!;
    assert.deepEqual(found?.lastSeal, { number: 3, hash, offsetEnd: '30' });
  });

  it('does not read again the seals that it was told of', async () => {
    const bed = await writtenLog();
    const { store, steps } = recordingStore(bed.objects);
    const keeper = keeperOf(bed, store);
    for (const { seal } of (await readLog(bed.objects)).seals.values()) keeper.sealed(seal);
    bed.clock.nowMs += hourMs;
    keeper.tick(3);
    await keeper.idle();
    const read = steps.filter(({ name }) => name === 'readObject').map(({ key }) => key);
    assert.deepEqual(read, ['_log/events/clicks-0/00000000/000000000000.seal.json']);
    assert.equal((await newest(bed))?.covered.batches, 3);
  });

  it('lets two writers of one log write one chain, whose clocks differ', async () => {
    const bed = await writtenLog();
    const [slow, fast] = [keeperOf(bed), keeperOf(bed)];
    slow.tick(2);
    fast.tick(3);
    await Promise.all([slow.idle(), fast.idle()]);
    bed.clock.nowMs += hourMs;
    slow.tick(2);
    fast.tick(3);
    await Promise.all([slow.idle(), fast.idle()]);
    bed.clock.nowMs += hourMs;
    fast.tick(3);
    await fast.idle();

    const listed = await bed.objects.listObjects('_checkpoint/events/clicks-0/0/');
    const chain = await Promise.all(
      listed.toReversed().map(async ({ key }) => (await bed.objects.readObject(key))!.bytes),
    );
    let hash: string | null = null;
    let through = -1;
    for (const bytes of chain) {
      const found = JSON.parse(Buffer.from(bytes).toString()) as Checkpoint;
      assert.deepEqual([found.previousHash, found.first], [hash, through + 1]);
      hash = sha256(bytes);
      through = found.through;
    }
    assert.equal(through, 3);
  });

  it('goes on without a checkpoint that cannot be written, and tries again', async () => {
    const bed = await writtenLog();
    let isBroken = true;
    const objects = aroundStore(bed.objects, async ({ key }, run) => {
      if (isBroken && key.startsWith('_checkpoint/')) throw new Error('no store');
      return run();
    });
    const keeper = keeperOf(bed, objects);
    bed.clock.nowMs += hourMs;
    keeper.tick(3);
    await keeper.idle();
    isBroken = false;
    keeper.tick(3);
    await keeper.idle();
    assert.equal(await newest(bed), null, 'not at once');
    bed.clock.nowMs += 30_000;
    keeper.tick(3);
    await keeper.idle();
    assert.equal((await newest(bed))?.through, 3);
  });
});

describe('startGroup', () => {
  it('keeps the checkpoints of its logs', async () => {
    const bed = createIngestBed();
    await produce(bed, 30);
    const group = await startGroupOf(bed, 100);
    try {
      await eventually('everything is sealed', async () => {
        bed.clock.nowMs += 1_000;
        return group.reports()[0]?.offsetNext === '30';
      });
      bed.clock.nowMs = startMs + hourMs;
      const found = await eventually('a checkpoint', async () => (await newest(bed)) ?? undefined);
      assert.equal(found.totals.records, 30);
    } finally {
      group.halt();
      await group.ended;
    }
  });
});
