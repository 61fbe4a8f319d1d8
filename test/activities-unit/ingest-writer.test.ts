// Longer than 300 lines because it follows one batch through its whole protocol, step by step.
import assert from 'node:assert/strict';
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeRaw, encodeRaw } from '../../src/activities/batch-records.ts';
import { takeOver } from '../../src/activities/ingest-takeover.ts';
import { commitBatch } from '../../src/activities/ingest-writer.ts';
import type { WriterDeps } from '../../src/activities/ingest-writer.ts';
import { appendEntry } from '../../src/activities/source-log.ts';
import { events } from '../../src/datasets/events.ts';
import { IngotError } from '../../src/errors.ts';
import { type BatchPlace, bronzeKey, deadLettersKey, rawKey } from '../../src/lake/paths.ts';
import type { PlanEntry } from '../../src/lake/source-log.ts';
import type { ColumnsInput } from '../../src/ports.ts';
import { crashingStore, recordingStore } from '../support/around-store.ts';
import {
  type IngestBed,
  checkLake,
  commitNext,
  contentOf,
  createIngestBed,
  ingestAll,
  log,
  offsetsOf,
  openLog,
  produce,
  readJsonFile,
  readLog,
  recordsOf,
  rowsUnder,
  startMs,
  topic,
  valueOf,
  writerDeps,
} from './support/ingest-bed.ts';

const codeIs = (code: string) => (error: unknown) =>
  error instanceof IngotError && error.code === code;

async function bedWith(records: number): Promise<IngestBed> {
  const bed = createIngestBed();
  await produce(bed, records);
  return bed;
}

/** Code that takes no record of before the last half hour. */
const strict: WriterDeps['dataset'] = {
  ...events,
  placement: { ...events.placement, eventTimeMin: '2026-08-21T13:30:00.000Z' },
};

/** Keys of what a batch writes, by the plan that lies in the log. */
function placeOf(plan: PlanEntry): BatchPlace {
  const ingestTimeMs = Date.parse(plan.ingestTime);
  return { dataset: 'events', log, number: plan.number, ingestTimeMs };
}

/** A writer that dies right after the write to a key, in the middle of its first batch. */
async function dieAfter(
  bed: IngestBed,
  key: RegExp,
  differences: { readonly rawCopy?: boolean; readonly dataset?: WriterDeps['dataset'] } = {},
): Promise<PlanEntry> {
  // A twin lives on, to tell which operation is the one.
  const twin: IngestBed = { ...createIngestBed(), source: bed.source };
  const { store, steps } = recordingStore(twin.objects);
  await ingestAll(twin, writerDeps(twin, 'one', { objects: store, ...differences }), 10);
  const at = steps.findIndex((step) => step.isWrite && key.test(step.key));
  const objects = crashingStore(bed.objects, { at, when: 'after' });
  await assert.rejects(ingestAll(bed, writerDeps(bed, 'one', { objects, ...differences }), 10));
  return (await readLog(bed.objects)).entries[1] as PlanEntry;
}

describe('takeOver', () => {
  it('begins an empty log at the oldest record that Kafka has', async () => {
    const bed = await bedWith(9);
    bed.source.setOffsetStart(topic, 0, '4');
    const { open, start } = await openLog(bed, writerDeps(bed, 'one'));
    assert.deepEqual([open.next, open.state.offsetNext], [1, '4']);
    assert.deepEqual([start.readFrom, start.compare], ['4', null]);
    const { entries } = await readLog(bed.objects);
    assert.deepEqual(
      entries.map(({ kind, writer }) => [kind, writer]),
      [['takeover', 'one']],
    );
  });

  it('goes on after a sealed batch, from its last record, to compare it', async () => {
    const bed = await bedWith(7);
    await ingestAll(bed, writerDeps(bed, 'one'), 7);
    const { open, start } = await openLog(bed, writerDeps(bed, 'two'));
    assert.deepEqual([open.next, open.state.offsetNext, start.readFrom], [3, '7', '6']);
    assert.equal(start.compare?.offset, '6');
  });

  it('asks Kafka again before it says that records are missing: the log may have moved on', async () => {
    const bed = await bedWith(5);
    const stale = await offsetsOf(bed);
    await produce(bed, 5);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    const { open } = await takeOver(writerDeps(bed, 'two'), stale);
    assert.equal(open.state.offsetNext, '10');
  });

  it('asks Kafka again before it says that an open plan cannot be read', async () => {
    const bed = await bedWith(5);
    const stale = await offsetsOf(bed);
    await produce(bed, 5);
    await dieAfter(bed, /^_log.*001\.json$/, { rawCopy: false });
    const { open } = await takeOver(writerDeps(bed, 'two'), stale);
    assert.equal(open.state.offsetNext, '10');
    await checkLake(bed);
  });

  it('stops when Kafka dropped records that were never read', async () => {
    const bed = await bedWith(9);
    const deps = writerDeps(bed, 'one');
    await commitNext(bed, deps, (await openLog(bed, deps)).open, 5);
    bed.source.setOffsetStart(topic, 0, '6');
    await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('OFFSETS_LOST'));
    assert.equal((await readLog(bed.objects)).entries.length, 2, 'nothing was appended');
  });

  it('stops when the topic ends before what was read of it', async () => {
    const bed = await bedWith(9);
    await ingestAll(bed, writerDeps(bed, 'one'), 9);
    const shorter: IngestBed = { ...(await bedWith(3)), objects: bed.objects };
    await assert.rejects(openLog(shorter, writerDeps(shorter, 'two')), codeIs('TOPIC_CHANGED'));
  });

  it('is not stopped by a producer that counts nanoseconds, and its frontier never runs ahead of the clock', async () => {
    const bed = createIngestBed();
    const timestampMs = startMs * 1e6;
    bed.source.append(topic, 0, [{ value: valueOf(0), timestampMs }]);
    await dieAfter(bed, /^_log.*001\.json$/);
    await openLog(bed, writerDeps(bed, 'two'));
    await checkLake(bed);
    bed.source.append(topic, 0, [{ value: valueOf(1), timestampMs }]);
    await ingestAll(bed, writerDeps(bed, 'three'), 1);
    const { entries, seals } = await readLog(bed.objects);
    const plans = new Map(entries.map((entry) => [entry.number, entry]));
    for (const [number, { seal }] of seals) {
      const plan = plans.get(number);
      assert.ok(plan?.kind === 'plan');
      assert.equal(seal.lastRecordTime, plan.ingestTime);
    }
    assert.equal(seals.size, 2);
  });

  describe('with an open plan', () => {
    const states = {
      'nothing of it written': /^_log.*001\.json$/,
      'its raw copy written': /^raw\//,
      'its raw copy and Parquet written': /^bronze\//,
      'all of it written but the seal': /^dead_letters\//,
    };
    for (const [name, key] of Object.entries(states)) {
      it(`finishes it with the content that it has, ${name}`, async () => {
        const bed = await bedWith(10);
        const plan = await dieAfter(bed, key);
        const { store, steps } = recordingStore(bed.objects);
        const before = await bed.objects.listObjects('');
        bed.clock.nowMs += 3_600_000;
        await ingestAll(bed, writerDeps(bed, 'two', { objects: store }), 10);
        const { entries, seals } = await checkLake(bed);
        assert.deepEqual(entries[1], plan, 'the plan is as it was');
        assert.equal(seals.get(1)?.seal.ingestTime, plan.ingestTime);
        for (const { key: old, etag } of before) {
          assert.equal((await bed.objects.headObject(old))?.etag, etag, `${old} is as it was`);
        }
        assert.ok(steps.every((step) => !['replaceObject', 'deleteObjects'].includes(step.name)));
      });
    }

    it('adopts a Parquet file of other code: what it lacks is a dead letter', async () => {
      const bed = await bedWith(10);
      await dieAfter(bed, /^bronze\//);
      await ingestAll(bed, writerDeps(bed, 'two', { dataset: strict, encoder: 'other-2' }), 10);
      await checkLake(bed);
      assert.equal((await rowsUnder(bed.objects, 'bronze/')).length, 8);
    });

    it('refuses a record to bronze that the adopted file lacks, with a reason of its own', async () => {
      const bed = await bedWith(10);
      await dieAfter(bed, /^bronze\//, { dataset: strict });
      await ingestAll(bed, writerDeps(bed, 'two'), 10);
      const letters = await rowsUnder(bed.objects, 'dead_letters/');
      const bronze = await rowsUnder(bed.objects, 'bronze/');
      assert.deepEqual([bronze.length, letters.length], [3, 7]);
      assert.equal(letters.filter(({ reason }) => reason === 'REFUSED_BY_WRITER').length, 5);
    });

    it('regression: a seal does not say the size of a raw copy that another writer has written', async () => {
      const bed = await bedWith(10);
      const plan = await dieAfter(bed, /^_log.*001\.json$/);
      // Of the same records, compressed otherwise: level and pieces are the writer's own business.
      const lines = gunzipSync(await encodeRaw(await recordsOf(bed, '0', '10')));
      await bed.objects.createObject(rawKey(placeOf(plan)), gzipSync(lines, { level: 0 }));
      await openLog(bed, writerDeps(bed, 'two'));
      const { rawBytes, rawKey: key } = (await readLog(bed.objects)).seals.get(1)!.seal;
      assert.equal(rawBytes, (await bed.objects.headObject(key ?? ''))?.bytes);
    });

    it('does not take the file of another plan for its own', async () => {
      const bed = await bedWith(10);
      const plan = await dieAfter(bed, /^raw\//);
      const foreign = await writerDeps(bed, 'x').ports.bronze.encode({
        columns: events.bronze.columns,
        rows: [],
        metadata: { 'ingot.plan': 'another' },
      });
      await bed.objects.createObject(bronzeKey(placeOf(plan)), foreign.bytes);
      await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('LOG_CORRUPT'));
    });

    it('reads the raw copy when Kafka has dropped the range', async () => {
      const bed = await bedWith(10);
      await dieAfter(bed, /^raw\//);
      const records = await recordsOf(bed, '0', '10');
      bed.source.setOffsetStart(topic, 0, '10');
      await openLog(bed, writerDeps(bed, 'two'));
      const { seals } = await readLog(bed.objects);
      assert.equal(seals.get(1)?.seal.records, records.length);
      assert.equal((await rowsUnder(bed.objects, 'bronze/')).length, 8);
      assert.equal((await rowsUnder(bed.objects, 'dead_letters/')).length, 2);
    });

    it('prefers the raw copy to Kafka, which may have compacted records away since', async () => {
      const bed = await bedWith(10);
      const plan = await dieAfter(bed, /^dead_letters\//);
      const compacted = { ...createIngestBed(), objects: bed.objects };
      compacted.source.appendGap(topic, 0, 10);
      await openLog(compacted, writerDeps(compacted, 'two'));
      const { seals } = await readLog(bed.objects);
      const { records, rows, deadLetters, deadLettersKey: key } = seals.get(1)!.seal;
      assert.deepEqual({ records, rows, deadLetters }, { records: 10, rows: 8, deadLetters: 2 });
      assert.equal(key, deadLettersKey(placeOf(plan)));
    });

    it('says that offsets are lost when neither Kafka nor a raw copy has them', async () => {
      const bed = await bedWith(10);
      await dieAfter(bed, /^_log.*001\.json$/);
      bed.source.setOffsetStart(topic, 0, '1');
      await assert.rejects(openLog(bed, writerDeps(bed, 'two')), codeIs('OFFSETS_LOST'));
    });

    it('finishes a range that holds no visible record any more', async () => {
      const bed = createIngestBed();
      await produce(bed, 2);
      bed.source.appendGap(topic, 0, 3);
      await dieAfter(bed, /^_log.*001\.json$/, { rawCopy: false });
      await openLog(bed, writerDeps(bed, 'two'));
      const { seal } = (await readLog(bed.objects)).seals.get(1)!;
      assert.deepEqual([seal.records, seal.offsetEnd], [2, '5']);
    });

    it('gives up the redo of a plan when it is asked to stop', async () => {
      const bed = await bedWith(10);
      await dieAfter(bed, /^_log.*001\.json$/, { rawCopy: false });
      const stop = new AbortController();
      stop.abort(new Error('cancelled'));
      const deps = writerDeps(bed, 'two', { signal: stop.signal });
      await assert.rejects(openLog(bed, deps), /cancelled/);
      assert.equal((await readLog(bed.objects)).entries.length, 2);
    });
  });
});

describe('commitBatch', () => {
  it('writes plan, raw copy, Parquet and dead letters, and the seal last', async () => {
    const bed = await bedWith(10);
    const { store, steps } = recordingStore(bed.objects);
    const deps = writerDeps(bed, 'one', { objects: store });
    const { open } = await openLog(bed, deps);
    const from = steps.length;
    await commitNext(bed, deps, open, 10);
    const written = steps.slice(from).filter(({ isWrite }) => isWrite);
    assert.deepEqual(
      written.map(({ key }) => key.replace(/\/.*\//, '/…/').replace(/.*\./, (path) => path)),
      [
        '_log/…/000000000001.json',
        'raw/…/clicks-0-000000000001.jsonl.gz',
        'bronze/…/clicks-0-000000000001.parquet',
        'dead_letters/…/clicks-0-000000000001.parquet',
        '_log/…/000000000001.seal.json',
      ],
    );
    assert.ok(written.every(({ name }) => name === 'createObject'));
  });

  it('says in the seal what the batch holds', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    const { seal } = (await readLog(bed.objects)).seals.get(1)!;
    assert.deepEqual(seal.rowsPerEventHour, {
      '2026-08-21T11': 3,
      '2026-08-21T12': 2,
      '2026-08-21T13': 3,
    });
    assert.deepEqual(
      [seal.records, seal.rows, seal.deadLetters, seal.offsetFirst, seal.offsetEnd],
      [10, 8, 2, '0', '10'],
    );
    assert.deepEqual(
      [seal.eventTimeMin, seal.eventTimeMax],
      ['2026-08-21T11:59:50.000Z', '2026-08-21T13:59:50.000Z'],
    );
    assert.equal(seal.lastRecord?.offset, '9');
  });

  it('writes Parquet also without rows, and no dead letters where there are none', async () => {
    const bed = await bedWith(0);
    bed.source.appendGap(topic, 0, 4);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    const { seal } = (await readLog(bed.objects)).seals.get(1)!;
    assert.deepEqual([seal.records, seal.deadLettersKey, seal.lastRecord], [0, null, null]);
    assert.ok((await bed.objects.headObject(seal.bronzeKey)) !== null);
    await checkLake(bed);
  });

  it('writes no raw copy where none is wanted', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one', { rawCopy: false }), 10);
    const { seal } = (await readLog(bed.objects)).seals.get(1)!;
    assert.equal(seal.rawKey, null);
    assert.deepEqual(await bed.objects.listObjects('raw/'), []);
  });

  it('keeps in the raw copy what Kafka had, to the byte', async () => {
    const bed = await bedWith(10);
    await ingestAll(bed, writerDeps(bed, 'one'), 10);
    const { rawKey: key } = (await readLog(bed.objects)).seals.get(1)!.seal;
    const raw = await bed.objects.readObject(key ?? '');
    const bytes = await encodeRaw(await recordsOf(bed, '0', '10'));
    assert.deepEqual(await decodeRaw(raw!.bytes), await decodeRaw(bytes));
  });

  it('stops a writer that was replaced, which then writes nothing', async () => {
    const bed = await bedWith(10);
    const { store, steps } = recordingStore(bed.objects);
    const one = writerDeps(bed, 'one', { objects: store });
    const { open } = await openLog(bed, one);
    await openLog(bed, writerDeps(bed, 'two'));
    const before = await bed.objects.listObjects('');
    const from = steps.length;
    await assert.rejects(commitNext(bed, one, open, 5), codeIs('WRITER_REPLACED'));
    assert.deepEqual(await bed.objects.listObjects(''), before);
    assert.equal(steps.slice(from).filter(({ isWrite }) => isWrite).length, 1, 'it tried its plan');
  });

  it('stops a writer whose batch another one has sealed', async () => {
    const bed = await bedWith(10);
    const one = writerDeps(bed, 'one');
    const { open } = await openLog(bed, one);
    let replaced = false;
    const { objects } = bed;
    const slow: typeof objects = {
      ...objects,
      // Between its Parquet and its seal the second writer takes over.
      createObject: async (key, bytes) => {
        const result = await objects.createObject(key, bytes);
        if (key.startsWith('bronze/') && !replaced) {
          replaced = true;
          await openLog(bed, writerDeps(bed, 'two'));
        }
        return result;
      },
    };
    const slowDeps = writerDeps(bed, 'one', { objects: slow });
    await assert.rejects(commitNext(bed, slowDeps, open, 10), codeIs('WRITER_REPLACED'));
    const { seals, entries } = await checkLake(bed);
    assert.deepEqual([seals.get(1)?.seal.writer, entries.length], ['two', 3]);
  });

  it('does not take an earlier plan of its own with other content for this one', async () => {
    const bed = await bedWith(10);
    const one = writerDeps(bed, 'one');
    const { open } = await openLog(bed, one);
    const dying = crashingStore(bed.objects, { at: 0, when: 'after' });
    const records = await recordsOf(bed, '0', '10');
    const first = { content: contentOf(one, records.slice(0, 5)), offsetEnd: '5' };
    await assert.rejects(commitBatch(writerDeps(bed, 'one', { objects: dying }), open, first));
    const more = { content: contentOf(one, records), offsetEnd: '10' };
    await assert.rejects(commitBatch(one, open, more), codeIs('WRITER_REPLACED'));
    assert.equal((await bed.objects.listObjects('bronze/')).length, 0);
  });

  it('seals nothing whose file does not hold the rows that it was given', async () => {
    const bed = await bedWith(10);
    const deps = writerDeps(bed, 'one');
    const { bronze } = deps.ports;
    const lossy = {
      ...bronze,
      encodeColumns: (input: ColumnsInput) =>
        bronze.encodeColumns!({ ...input, groups: () => [...input.groups()].slice(1) }),
    };
    const broken = { ...deps, ports: { ...deps.ports, bronze: lossy } };
    const { open } = await openLog(bed, deps);
    await assert.rejects(commitNext(bed, broken, open, 10), codeIs('BATCH_MISMATCH'));
    assert.deepEqual(await bed.objects.listObjects('bronze/'), []);
    assert.equal((await readLog(bed.objects)).seals.size, 0);
  });
});

describe('appendEntry', () => {
  it('does not claim an entry that it cannot read', async () => {
    const bed = await bedWith(1);
    const { open } = await openLog(bed, writerDeps(bed, 'one'));
    assert.equal(open.next, 1);
    const entry = (await readLog(bed.objects)).entries[0]!;
    const blind = { ...bed.objects, readObject: async () => null };
    await assert.rejects(appendEntry(blind, 'events', entry), codeIs('LOG_CORRUPT'));
  });
});

describe('the folders of a lake', () => {
  it('hold a batch under the hour of its plan, also when it is finished in another', async () => {
    const bed = await bedWith(10);
    const plan = await dieAfter(bed, /^_log.*001\.json$/);
    bed.clock.nowMs += 7_200_000;
    await ingestAll(bed, writerDeps(bed, 'two'), 10);
    for (const key of [rawKey(placeOf(plan)), bronzeKey(placeOf(plan))]) {
      assert.match(key, /day=21\/hour=13\//);
      assert.ok((await bed.objects.headObject(key)) !== null);
    }
    const { rows } = await readJsonFile<{ rows: { _ingest_ts: string }[] }>(
      bed.objects,
      bronzeKey(placeOf(plan)),
    );
    assert.ok(rows.every((row) => row._ingest_ts === plan.ingestTime));
  });
});
