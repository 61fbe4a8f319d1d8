import assert from 'node:assert/strict';
import {
  newestCheckpoint,
  readBatches,
  writeCheckpoint,
} from '../../src/activities/checkpoints.ts';
import { sha256 } from '../../src/activities/hash.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { gatherInputs } from '../../src/activities/silver-inputs.ts';
import { readTail } from '../../src/activities/source-log-tail.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events } from '../../src/datasets/events.ts';
import { type Checkpoint, factsOf } from '../../src/lake/checkpoint.ts';
import { checkpointKey, checkpointPrefix, sealKey } from '../../src/lake/paths.ts';
import { nothingAnnounced } from '../../src/lake/retention.ts';
import type { Seal } from '../../src/lake/source-log.ts';
import { readJson } from '../../src/activities/json-objects.ts';
import {
  type GeneratedLog,
  generateLog,
  hourOf,
  ref,
  requestsOf,
  yearStartMs,
} from './support/year-log.ts';

const year = 365 * 24;
const oldHour = hourOf(yearStartMs);
const all = { window: null, ingestHourFrom: null };

const wholeBuild = (through: number) => ({
  ...{ dataset: 'events', window: oldHour, mode: 'rebuild' as const, owner: 'none' },
  pending: { [ref.log]: { first: 0, through } },
});

describe('a log with a year behind it', function () {
  this.timeout(180_000);
  let log: GeneratedLog;
  before(async () => {
    log = await generateLog({ hours: year, batchesPerHour: 2, late: 4_000 });
  });

  it('is taken over as quickly as one that is an hour old', async () => {
    const young = await generateLog({ hours: 2, batchesPerHour: 2 });
    const tail = (objects: GeneratedLog['objects']) => readTail(objects, ref);

    const { entry, seal } = await tail(log.objects);
    const requests = await requestsOf(log.objects, tail);

    assert.deepEqual([entry?.number, seal?.seal.number], [log.entries - 1, log.entries - 1]);
    assert.equal(requests, await requestsOf(young.objects, tail));
    assert.equal(requests, 5);
    assert.equal(await requestsOf(createMemoryObjectStore(), tail), 2, 'an empty one');
  });

  it('gives the batches of an hour of a year ago, also late ones, by a bounded number of objects', async () => {
    const input = wholeBuild(log.entries - 1);
    const gather = (objects: GeneratedLog['objects']) =>
      gatherInputs({ objects, dataset: events }, input, {
        current: null,
        retention: nothingAnnounced,
      });

    const { batches } = await gather(log.objects);
    const requests = await requestsOf(log.objects, gather);

    const first = [1, 2];
    const second = [4, 5];
    const late = [1, 2].map((batch) => 4_000 * 3 + batch);
    assert.deepEqual(
      batches.map(({ number }) => number),
      [...first, ...second, ...late],
    );
    assert.deepEqual(
      batches.map(({ rowsPerEventHour }) => rowsPerEventHour[oldHour]),
      [9, 9, 1, 1, 4, 4],
    );
    assert.equal(batches.at(-1)?.ingestHour, hourOf(yearStartMs + 4_000 * 3_600_000));
    // 26,280 entries, 17,520 seals, 8,759 checkpoints.
    assert.ok(requests <= 80, `${requests} requests`);
  });

  it('gives the batches of the last hour without looking at the year', async () => {
    const window = hourOf(yearStartMs + (year - 1) * 3_600_000);
    const input = { ...wholeBuild(log.entries - 1), window };
    const requests = await requestsOf(log.objects, (objects) =>
      gatherInputs({ objects, dataset: events }, input, {
        current: null,
        retention: nothingAnnounced,
      }),
    );
    assert.ok(requests <= 12, `${requests} requests`);
  });

  it('has checkpoints that chain, and add up to its seals', async () => {
    const found = await newestCheckpoint(log.objects, ref);
    const { checkpoint } = found!;
    assert.equal(checkpoint.number, year - 2);
    assert.equal(checkpoint.totals.batches, (year - 1) * 2);
    assert.equal(checkpoint.totals.rows, (year - 1) * 20);
    const key = checkpointKey('events', ref.log, { level: 0, number: checkpoint.number - 1 });
    const before = await log.objects.readObject(key);
    assert.equal(checkpoint.previousHash, sha256(before!.bytes));
  });
});

describe('readBatches', () => {
  it('says of every range what the seals say, with and without checkpoints', async () => {
    const { objects, entries } = await generateLog({ hours: 80, batchesPerHour: 2, late: 40 });
    const seals: Seal[] = [];
    for (let number = 0; number < entries; number += 1) {
      const seal = await readJson<Seal>(objects, sealKey('events', ref.log, number));
      if (seal !== null) seals.push(seal.value);
    }
    const bare = await generateLog({ hours: 80, batchesPerHour: 2, late: 40, checkpoints: false });
    for (const [first, through] of [
      [0, entries - 1],
      [50, 60],
      [7, 7],
      [230, 300],
      [9, 3],
    ] as const) {
      const wanted = seals.filter(({ number }) => number >= first && number <= through);
      for (const store of [objects, bare.objects]) {
        const found = await readBatches(store, ref, { ...all, first, through });
        assert.deepEqual(found, wanted.map(factsOf), `${first} to ${through}`);
      }
    }
  });

  it('goes by the checkpoints where an index is missing', async () => {
    const { objects, entries } = await generateLog({ hours: 80, batchesPerHour: 1 });
    const wanted = { first: 0, through: entries - 1, window: oldHour, ingestHourFrom: null };
    const found = await readBatches(objects, ref, wanted);
    const indexes = await objects.listObjects(checkpointPrefix('events', ref.log, 1));
    assert.equal(indexes.length, 2);
    await objects.deleteObjects(indexes.map(({ key }) => key));
    assert.deepEqual(await readBatches(objects, ref, wanted), found);
  });
});

describe('readTail', () => {
  it('finds the end of a long log that has no checkpoints', async () => {
    const { objects, entries } = await generateLog({
      ...{ hours: 500, batchesPerHour: 3, checkpoints: false },
    });
    const { entry } = await readTail(objects, ref);
    assert.equal(entry?.number, entries - 1);
    assert.ok((await requestsOf(objects, (store) => readTail(store, ref))) <= 30);
  });

  it('finds the end of a log that ends with its newest checkpoint', async () => {
    const { objects, entries } = await generateLog({ hours: 2, batchesPerHour: 2 });
    const previous = await newestCheckpoint(objects, ref);
    const input = { previous, through: entries - 1, completeTo: null, seals: [] };
    await writeCheckpoint(objects, ref, input);
    assert.equal((await readTail(objects, ref)).entry?.number, entries - 1);
  });
});

describe('writeCheckpoint', () => {
  it('takes the one that another writer has written at its number', async () => {
    const { objects } = await generateLog({ hours: 3, batchesPerHour: 4 });
    const previous = await newestCheckpoint(objects, ref);
    const write = (through: number) =>
      writeCheckpoint(objects, ref, { previous, through, completeTo: null, seals: [] });
    const theirs = await write(11);
    const mine = await write(13);
    assert.deepEqual(mine, theirs);
    assert.equal(mine.checkpoint.through, 11);
    assert.deepEqual(await newestCheckpoint(objects, ref), mine);
  });

  it('says that a log is corrupt whose checkpoint is not JSON', async () => {
    const { objects } = await generateLog({ hours: 2, batchesPerHour: 1 });
    const key = checkpointKey('events', ref.log, { level: 0, number: 0 });
    await objects.replaceObject(key, jsonBytes(null).slice(0, 2));
    await assert.rejects(newestCheckpoint(objects, ref), /is not the JSON that Ingot writes/);
  });

  it('makes the same bytes whoever writes them', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(() => generateLog({ hours: 40, batchesPerHour: 1 })),
    );
    const bytesOf = async ({ objects }: GeneratedLog) =>
      (await objects.listObjects('_checkpoint/')).map(({ key, etag }) => [key, etag]);
    assert.deepEqual(await bytesOf(one!), await bytesOf(other!));
    const first: Checkpoint = (await newestCheckpoint(one!.objects, ref))!.checkpoint;
    assert.equal(first.number, 38);
  });
});
