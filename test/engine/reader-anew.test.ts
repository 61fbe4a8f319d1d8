import assert from 'node:assert/strict';
import { type Reader, ask, createReader } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import type { TableInput } from '../../src/ports.ts';
import {
  type LakeBed,
  bookmark,
  buildSilver,
  createLakeBed,
  hour,
  sealBatch,
} from './support/lake-bed.ts';

/* When a reader that lives long lets go of what its engine knows of files that nothing names. */

const dates = { parameters: {}, dateFrom: null, dateTo: null };
const ids = { ...dates, sql: 'SELECT event_id FROM events_cleaned ORDER BY event_id' };

describe('createReader, of two such files at most', () => {
  let bed: LakeBed;
  let reader: Reader;
  let opened: number;
  beforeEach(async () => {
    bed = await createLakeBed();
    const { engine } = bed.ports;
    opened = 0;
    const open = (tables: readonly TableInput[]) => {
      opened += 1;
      return engine.open(tables);
    };
    reader = createReader(
      { ports: { ...bed.ports, engine: { ...engine, open } }, dataset: events },
      2,
    );
  });
  afterEach(async () => {
    await reader.close();
    await bed.remove();
  });

  it('begins anew after a third batch, the first question not counted, and answers the same', async () => {
    const opens: number[] = [];
    for (const number of [0, 1, 2]) await sealBatch(bed, number, [{ id: `first ${number}` }]);
    for (const number of [3, 4, 5, 6, 7, 8]) {
      const { rows } = await reader.ask(ids);
      opens.push(opened);
      assert.equal(rows.length, number);
      assert.deepEqual(rows, (await ask({ ports: bed.ports, dataset: events }, ids)).rows);
      await sealBatch(bed, number, [{ id: `id ${number}` }]);
    }
    assert.deepEqual(opens, [1, 1, 1, 1, 2, 2]);
  });

  it('stays while tables that have not changed take turns, however many files they have', async () => {
    const hours = ['2026-08-21T11', '2026-08-21T12', hour];
    for (const [number, window] of hours.entries()) {
      await sealBatch(bed, number, [{ id: window, hour: window }]);
      await buildSilver(bed, 'fold', number, window);
    }
    await bookmark(bed, hours.length - 1);
    const quarantined = { ...dates, sql: 'SELECT count(*) AS n FROM quarantine' };
    for (let round = 0; round < 3; round += 1) {
      await reader.ask(quarantined);
      const { rows, tailRows } = await reader.ask(ids);
      assert.deepEqual([rows.length, tailRows], [hours.length, 0]);
    }
    assert.equal(opened, 1);
  });
});
