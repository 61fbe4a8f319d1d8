import assert from 'node:assert/strict';
import { deadLetterColumns } from '../../src/activities/batch-records.ts';
import { findDeadLetter, readDeadLetters } from '../../src/activities/dead-letters.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { createParquetjsCodec } from '../../src/adapters/parquetjs-codec.ts';
import type { DeadLetterFilter } from '../../src/lake/dead-letters.ts';
import { batchName, deadLettersKey, logEntryKey, redriveClaimKey } from '../../src/lake/paths.ts';
import { formatInstant } from '../../src/lake/time.ts';
import type { Row } from '../../src/ports.ts';
import { recordingStore } from '../support/around-store.ts';

const all = { reason: null, topic: null, fromMs: null, toMs: null };
const hour = (number: number): number => Date.UTC(2026, 7, 21, number, 30);

/** Batch n of the log was ingested half past n o'clock, with a dead letter for each reason. */
async function createBed(batches: readonly (readonly string[])[]) {
  const recorded = recordingStore(createMemoryObjectStore());
  const rowFiles = createParquetjsCodec();
  for (const [number, reasons] of batches.entries()) {
    const ingestTimeMs = hour(number);
    const place = { dataset: 'events', log: 'clicks-0', number, ingestTimeMs };
    const plan = { kind: 'plan', ingestTime: formatInstant(ingestTimeMs) };
    await recorded.store.createObject(logEntryKey('events', 'clicks-0', number), jsonBytes(plan));
    if (reasons.length === 0) continue;
    const rows = reasons.map((reason, index) =>
      rowOf({ place, offset: 10 * number + index, reason }),
    );
    const bytes = await rowFiles.encode({ columns: deadLetterColumns, rows, metadata: {} });
    await recorded.store.createObject(deadLettersKey(place), bytes);
  }
  const deps = { ports: { objects: recorded.store, rowFiles }, dataset: 'events' };
  return { deps, objects: recorded.store, steps: recorded.steps };
}

function rowOf(of: {
  readonly place: { readonly log: string; readonly number: number; readonly ingestTimeMs: number };
  readonly offset: number;
  readonly reason: string;
}): Row {
  return {
    reason: of.reason,
    field: null,
    detail: 'why',
    topic: 'clicks',
    partition: 0,
    offset: String(of.offset),
    kafka_ts: formatInstant(of.place.ingestTimeMs),
    ingest_ts: formatInstant(of.place.ingestTimeMs),
    key: null,
    headers: '{"trace":["AP8=",""]}',
    value: 'AP8H',
    batch_id: batchName(of.place),
  };
}

async function idsOf(
  { deps }: Awaited<ReturnType<typeof createBed>>,
  filter: DeadLetterFilter,
): Promise<readonly string[]> {
  const ids: string[] = [];
  await readDeadLetters(deps, filter, {
    found: (letters) => ids.push(...letters.map(({ letter }) => letter.id)),
  });
  return ids;
}

describe('readDeadLetters', () => {
  it('hands on what matches, in the order of the ingest', async () => {
    const bed = await createBed([['EMPTY', 'NOT_JSON'], [], ['NOT_JSON']]);
    assert.deepEqual(await idsOf(bed, all), [
      'clicks-0-000000000000/0',
      'clicks-0-000000000000/1',
      'clicks-0-000000000002/20',
    ]);
    assert.deepEqual(await idsOf(bed, { ...all, reason: 'NOT_JSON' }), [
      'clicks-0-000000000000/1',
      'clicks-0-000000000002/20',
    ]);
  });

  it('reads the files of the hours asked for, and no other', async () => {
    const bed = await createBed(Array.from({ length: 5 }, () => ['EMPTY']));
    const filter = { ...all, fromMs: hour(1), toMs: hour(3) };
    assert.deepEqual(await idsOf(bed, filter), [
      'clicks-0-000000000001/10',
      'clicks-0-000000000002/20',
    ]);
    const read = bed.steps.filter(({ name }) => name === 'readObject').map(({ key }) => key);
    assert.deepEqual(
      read.map((key) => /hour=(\d+)/.exec(key)?.[1]),
      ['01', '02', '03'],
    );
  });

  it('tells how far it is', async () => {
    const { deps } = await createBed(Array.from({ length: 10 }, () => ['EMPTY']));
    const told: string[] = [];
    const progress = (done: number, total: number) => told.push(`${done}/${total}`);
    await readDeadLetters(deps, all, { found: () => undefined, progress });
    assert.deepEqual(told, ['8/10', '10/10']);
  });

  it('knows which were claimed', async () => {
    const bed = await createBed([['EMPTY', 'EMPTY']]);
    const place = { dataset: 'events', batch: 'clicks-0-000000000000', offset: '1' };
    await bed.objects.createObject(redriveClaimKey(place, 1), jsonBytes({}));
    const states: string[] = [];
    await readDeadLetters(bed.deps, all, {
      found: (letters) => states.push(...letters.map(({ state }) => state.kind)),
    });
    assert.deepEqual(states, ['open', 'claimed']);
  });
});

describe('findDeadLetter', () => {
  it('finds one by its id alone, with its bytes', async () => {
    const { deps } = await createBed([[], ['EMPTY', 'NOT_UTF8']]);
    const found = await findDeadLetter(deps, 'clicks-0-000000000001/11');
    assert.deepEqual(found?.letter, {
      id: 'clicks-0-000000000001/11',
      topic: 'clicks',
      partition: 0,
      offset: '11',
      reason: 'NOT_UTF8',
      field: null,
      detail: 'why',
      kafkaTime: '2026-08-21T01:30:00.000Z',
      ingestTime: '2026-08-21T01:30:00.000Z',
      key: null,
      headers: { trace: [new Uint8Array([0, 255]), new Uint8Array()] },
      value: new Uint8Array([0, 255, 7]),
    });
  });

  for (const id of [
    'clicks-0-000000000000/0',
    'clicks-0-000000000001/12',
    'clicks-0-000000000009/0',
    'nonsense',
  ]) {
    it(`answers null for ${id}`, async () => {
      const { deps } = await createBed([[], ['EMPTY']]);
      assert.equal(await findDeadLetter(deps, id), null);
    });
  }
});
