import assert from 'node:assert/strict';
import { readPointer } from '../../src/activities/pointers.ts';
import { ask } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import { ownerId } from '../../src/lake/messages.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import type { OwnerState } from '../../src/lake/owner-state.ts';
import { startOfHour } from '../../src/lake/time.ts';
import { windowAt } from '../../src/lake/window.ts';
import { generateEvents } from '../../src/producer/events.ts';
import { connectClient } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, startPipeline } from './support.ts';

/* A backfill on real parts, asked for as anybody may: by a signal of raw JSON. */

const hourMs = 3_600_000;

describe('a backfill of a pipeline', function () {
  this.timeout(480_000);
  const nowMs = startOfHour(Date.now());
  const lost = windowAt(nowMs - 2 * hourMs, 'hour').id;
  const kept = windowAt(nowMs - hourMs, 'hour').id;
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline('backfill');
    const start = new Date(nowMs - 2 * hourMs).toISOString();
    const end = new Date(nowMs).toISOString();
    const made = generateEvents({ profile: 'ecommerce', seed: 5, start, end, count: 600 });
    await pipeline.produce([...made]);
    await pipeline.settle();
  });
  after(() => pipeline.stop());

  it('brings a version back that was lost, makes the other anew, and is named as the cause', async () => {
    const { objects } = pipeline.ports;
    const before = await rows();
    const other = (await readPointer(objects, events.silver, kept))?.value;
    await objects.deleteObjects([pointerKey(events.silver, lost)]);
    const { client, connection } = await connectClient(pipeline.config);
    const owner = client.workflow.getHandle(ownerId(events.name));
    const input = `{"from":"${lost}","to":"${kept}","layers":["silver"],"author":"ops","reason":"a lost pointer"}`;

    await owner.signal('backfill', JSON.parse(input));
    const backfill = await eventually(
      'the end of the backfill',
      async () => {
        const { backfills } = await owner.query<OwnerState>('status');
        return backfills.find(({ ended }) => ended !== null);
      },
      { limitMs: 120_000, everyMs: 500 },
    );
    await connection.close();

    const pointer = await readPointer(objects, events.silver, lost);
    assert.deepEqual(pointer?.value.cause, {
      ...{ kind: 'backfill', id: backfill.id, author: 'ops', reason: 'a lost pointer' },
    });
    const anew = (await readPointer(objects, events.silver, kept))?.value;
    assert.equal(anew?.previous, other?.version, 'what was there is made anew, once');
    assert.deepEqual([anew?.fingerprint, anew?.rows], [other?.fingerprint, other?.rows]);
    assert.deepEqual([backfill.counts.failed, backfill.counts.unchanged], [0, 0]);
    assert.deepEqual(await rows(), before);
  });

  async function rows() {
    const sql = 'SELECT hour, count(*) AS events FROM events_cleaned GROUP BY hour ORDER BY hour';
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    return (await ask({ ports: pipeline.ports, dataset: events }, question)).rows;
  }
});
