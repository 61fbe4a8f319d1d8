import assert from 'node:assert/strict';
import { createGapActivities } from '../../src/activities/ingest-gap.ts';
import { IngotError } from '../../src/errors.ts';
import type { AcceptGapInput } from '../../src/lake/messages.ts';
import { Crash, aroundStore, crashingStore } from '../support/around-store.ts';
import {
  type IngestBed,
  checkEntries,
  createIngestBed,
  ingestAll,
  log,
  openLog,
  produce,
  readLog,
  rowsUnder,
  topic,
  writerDeps,
} from './support/ingest-bed.ts';

const request: AcceptGapInput = {
  dataset: 'events',
  log,
  author: 'ann',
  reason: 'known loss',
  id: 'update-1',
  code: 'OFFSETS_LOST',
};

function acceptGap(bed: IngestBed, differences: Partial<AcceptGapInput> = {}) {
  return createGapActivities(writerDeps(bed, 'unused')).acceptGap({ ...request, ...differences });
}

const codeIs = (code: string) => (error: unknown) =>
  error instanceof IngotError && error.code === code;

async function bedWith(count: number): Promise<IngestBed> {
  const bed = createIngestBed();
  await produce(bed, count);
  return bed;
}

/** A writer without raw copies that plans everything as one batch, and dies. */
async function dieAfterPlan(bed: IngestBed): Promise<void> {
  const objects = aroundStore(bed.objects, async (step, run) => {
    const result = await run();
    if (/001\.json$/.test(step.key) && step.name === 'createObject') throw new Crash('planned');
    return result;
  });
  const dying = writerDeps(bed, 'one', { rawCopy: false, objects });
  await assert.rejects(ingestAll(bed, dying, 10), Crash);
}

describe('acceptGap', () => {
  it('writes the hole into the log, and lets it go on behind it', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    await produce(bed, 10);
    bed.source.setOffsetStart(topic, 0, '15');
    await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('OFFSETS_LOST'));

    const accepted = await acceptGap(bed);
    assert.deepEqual(accepted, { log, number: 2, offsetFirst: '10', offsetNext: '15' });
    await ingestAll(bed, writerDeps(bed, 'two'), 10);
    const found = await readLog(bed.objects);
    checkEntries(found);
    const entry = found.entries[2]!;
    assert.ok(entry.kind === 'gap');
    assert.deepEqual([entry.author, entry.reason], ['ann', 'known loss']);
    assert.equal((await rowsUnder(bed.objects, 'bronze/')).length, 8 + 4);
  });

  it('changes nothing when its answer was lost and it is asked again', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    await produce(bed, 10);
    bed.source.setOffsetStart(topic, 0, '15');
    assert.deepEqual(await acceptGap(bed), await acceptGap(bed));
    assert.equal((await readLog(bed.objects)).entries.length, 3);
    await assert.rejects(acceptGap(bed, { id: 'update-2' }), codeIs('INPUT_INVALID'));
  });

  it('refuses where there is no hole', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    await assert.rejects(acceptGap(bed), codeIs('INPUT_INVALID'));
  });

  it('begins a topic that was made anew at its start', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    bed.source.removeTopic(topic);
    bed.source.createTopic(topic, 1);
    await produce(bed, 3);
    await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('TOPIC_CHANGED'));

    const accepted = await acceptGap(bed, { code: 'TOPIC_CHANGED' });
    assert.deepEqual([accepted.offsetFirst, accepted.offsetNext], ['10', '0']);
    await ingestAll(bed, writerDeps(bed, 'two'), 10);
    assert.equal((await rowsUnder(bed.objects, 'bronze/')).length, 8 + 3);
  });

  for (const [lost, left] of [
    ['5', 4],
    ['10', 0],
    ['12', 0],
  ] as const) {
    it(`seals an open plan with what is left of it, when all before ${lost} is lost`, async () => {
      const bed = await bedWith(10);
      await dieAfterPlan(bed);
      await produce(bed, 10);
      bed.source.setOffsetStart(topic, 0, lost);
      await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('OFFSETS_LOST'));

      const accepted = await acceptGap(bed);
      assert.equal(accepted.offsetFirst, '0');
      assert.equal(accepted.offsetNext, lost === '12' ? '12' : '10');
      const found = await readLog(bed.objects);
      checkEntries(found);
      assert.equal(found.seals.get(1)?.seal.rows, left);
      await openLog(bed, writerDeps(bed, 'two'));
    });
  }

  it('may die anywhere and be asked again', async () => {
    for (let at = 0; at < 20; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const bed = await bedWith(10);
        await dieAfterPlan(bed);
        bed.source.setOffsetStart(topic, 0, '5');
        const objects = crashingStore(bed.objects, { at, when });
        const dying = createGapActivities(writerDeps(bed, 'unused', { objects }));
        await dying.acceptGap(request).catch(() => undefined);

        const accepted = await acceptGap(bed);
        assert.deepEqual([accepted.offsetFirst, accepted.offsetNext], ['0', '10']);
        const found = await readLog(bed.objects);
        checkEntries(found);
        assert.equal(found.entries.filter(({ kind }) => kind === 'gap').length, 1);
      }
    }
  });
});
