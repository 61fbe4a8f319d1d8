import assert from 'node:assert/strict';
import { type PlanBackfillInput, createBackfillActivities } from '../../src/activities/backfill.ts';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events as dataset } from '../../src/datasets/events.ts';
import { windowsOf } from '../../src/lake/backfill-days.ts';
import { pointerKey, retentionKey } from '../../src/lake/paths.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { recordingStore } from '../support/around-store.ts';
import { generateLog, hourOf, ref, yearStartMs } from './support/year-log.ts';

const hourMs = 3_600_000;
const firstDay = hourOf(yearStartMs).slice(0, 10);

function plan(objects: ObjectStore, differences: Partial<PlanBackfillInput> = {}) {
  const input: PlanBackfillInput = {
    ...{ dataset: 'events', id: 'mine', from: `${firstDay}T00`, to: `${firstDay}T23` },
    ...{ layers: ['silver', 'gold'], only: 'all', order: 'oldest', day: firstDay, openFrom: null },
    routedTo: {},
    ...differences,
  };
  return createBackfillActivities({ ports: { objects }, dataset }).planBackfill(input);
}

describe('planBackfill', () => {
  it('finds the hours that have rows, also of windows without a version', async () => {
    const log = await generateLog({ hours: 40, batchesPerHour: 2 });
    const routedTo = { [ref.log]: log.entries - 1 };
    const found = await plan(log.objects, { routedTo });

    // The first batches hold rows of the hour before theirs, too.
    const first = Number(hourOf(yearStartMs - hourMs).slice(11));
    const hours = windowsOf(firstDay, 'hour', found.silver);
    assert.equal(hours[0], `${firstDay}T${first}`);
    assert.equal(hours.length, 24 - first);
    assert.equal(found.gold['top_products'], 1);
    assert.equal(found.gold['hourly_revenue'], found.silver);
  });

  it('knows the hours with rows also without a checkpoint', async () => {
    const log = await generateLog({ hours: 4, batchesPerHour: 2, checkpoints: false });
    const routedTo = { [ref.log]: log.entries - 1 };
    const found = await plan(log.objects, { routedTo, layers: ['silver'] });
    assert.equal(windowsOf(firstDay, 'hour', found.silver)[0], hourOf(yearStartMs - hourMs));
  });

  it('looks at two years over an empty lake in a dozen calls of a few requests', async () => {
    const { store, steps } = recordingStore(createMemoryObjectStore());
    const range = { from: '2024-01-01T00', to: '2025-12-31T23' };
    let [day, empty, calls]: [string | null, number, number] = ['2024-01-01', 0, 0];
    while (day !== null) {
      const found = await plan(store, { ...range, day, layers: ['silver'] });
      empty += found.empty;
      calls += 1;
      const next = new Date(Date.parse(found.day) + 24 * hourMs).toISOString().slice(0, 10);
      day = next > '2025-12-31' ? null : next;
    }
    assert.equal(empty, 731 * 24);
    assert.equal(calls, 12);
    assert.ok(steps.length < 500, `${steps.length} requests`);
  });

  it('leaves out what has a version where only missing windows are wanted, and what is past its retention', async () => {
    const log = await generateLog({ hours: 30, batchesPerHour: 1 });
    const routedTo = { [ref.log]: log.entries - 1 };
    const known = `${firstDay}T15`;
    await log.objects.createObject(pointerKey(dataset.silver, known), jsonBytes({}));
    const missing = await plan(log.objects, { routedTo, layers: ['silver'], only: 'missing' });
    assert.ok(!windowsOf(firstDay, 'hour', missing.silver).includes(known));
    assert.equal(missing.skipped, 1);

    const kept = `${new Date(Date.parse(firstDay) + 24 * hourMs).toISOString()}`;
    const announced = { silver: [{ before: kept, at: kept }] };
    await log.objects.replaceObject(retentionKey('events'), jsonBytes({ schema: 1, announced }));
    const gone = await plan(log.objects, { routedTo });
    assert.deepEqual([gone.silver, gone.gold], [0, {}]);
    assert.equal(gone.empty, 0);
  });
});
