import assert from 'node:assert/strict';
import { aroundStore } from '../support/around-store.ts';
import {
  type LakeBed,
  bookmark,
  buildSilver,
  createLakeBed,
  putPointer,
  sealBatch,
} from './support/lake-bed.ts';
import { contentOf, copyOf, idsOf, query } from './support/lake-readers.ts';

const tuesday = '2026-08-18T09';

describe('ask', () => {
  let bed: LakeBed;
  beforeEach(async () => {
    bed = await createLakeBed();
  });
  afterEach(() => bed.remove());

  it('shows sealed batches that are not built yet, cleaned, and each event once', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b' }]);
    await buildSilver(bed, 'fold', 0);
    await sealBatch(bed, 1, [{ id: 'b' }, { id: 'c' }, { id: 'x', device: 'toaster' }]);
    await sealBatch(bed, 2, [{ id: 'c' }, { id: 'd', hour: tuesday }]);
    const { rows, tailRows } = await query(
      bed,
      'SELECT event_id, _batch_id FROM events_cleaned ORDER BY event_id',
    );
    assert.deepEqual(
      rows.map(({ event_id }) => event_id),
      ['a', 'b', 'c', 'd'],
    );
    assert.equal(tailRows, 2);
    assert.equal(rows[1]?.['_batch_id'], 'clicks-0-0', 'the version keeps its row');
  });

  it('shows no row outside the dates, neither of versions nor of the live tail', async () => {
    const days = ['2026-08-19', '2026-08-20', '2026-08-21'].map((date) => `${date}T23`);
    const eventsOf = (name: string) => days.map((hour, day) => ({ id: `${name}${day}`, hour }));
    await sealBatch(bed, 0, eventsOf('built'));
    await buildSilver(bed, 'fold', 0, days[1]);
    await sealBatch(bed, 1, [...eventsOf('tail'), { id: 'new', hour: tuesday }]);
    const found = async (dateFrom: string | undefined, dateTo?: string) => {
      const dates = {
        ...(dateFrom === undefined ? {} : { dateFrom }),
        ...(dateTo === undefined ? {} : { dateTo }),
      };
      const sql = 'SELECT event_id FROM events_cleaned ORDER BY event_id';
      return (await query(bed, sql, dates)).rows.map(({ event_id }) => event_id);
    };
    assert.deepEqual(await found('2026-08-20', '2026-08-20'), ['built1', 'tail1']);
    assert.deepEqual(await found(undefined, '2026-08-18'), ['new']);
  });

  it('begins its live tail at the bookmark', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }]);
    await sealBatch(bed, 1, [{ id: 'b' }]);
    await bookmark(bed, 0);
    assert.deepEqual(await idsOf(bed), ['b']);
  });

  it('misses no batch that is built while it reads', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }]);
    const sealed = await copyOf(bed.ports.objects);
    const pointer = await buildSilver(bed, 'fold', 0);
    const files = await contentOf(bed.ports.objects);
    for (const moment of ['_bookmark/', '_log/', '_current/']) {
      const lake = { ports: { ...bed.ports, objects: await copyOf(sealed) } };
      let isBuilt = false;
      // A build ends, and the bookmark moves, just after the first read under a prefix.
      const objects = aroundStore(lake.ports.objects, async (step, run) => {
        const result = await run();
        if (isBuilt || !step.key.startsWith(moment)) return result;
        isBuilt = true;
        for (const [key, bytes] of files) await lake.ports.objects.createObject(key, bytes);
        await putPointer(lake, pointer);
        await bookmark(lake, 0);
        return result;
      });
      assert.deepEqual(await idsOf({ ports: { ...lake.ports, objects } }), ['a'], moment);
      assert.ok(isBuilt, moment);
    }
  });

  it('names the tables that there are when it is asked for another', async () => {
    await assert.rejects(query(bed, 'SELECT 1 FROM nowhere'), {
      code: 'TABLE_UNKNOWN',
      message: /nowhere: events, events_cleaned, conversion_funnel, .*, dead_letters, dq_results$/,
    });
  });

  it('counts every bronze row, and none twice', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'a' }]);
    await sealBatch(bed, 1, [{ id: 'x', device: 'toaster' }]);
    const { rows } = await query(bed, 'SELECT count(*) AS n FROM events');
    assert.deepEqual(rows, [{ n: 3 }]);
  });
});
