import assert from 'node:assert/strict';
import { createLakehouseActivities } from '../../src/activities/lakehouse.ts';
import { bookmarkKey } from '../../src/lake/paths.ts';
import { readJson } from '../../src/activities/json-objects.ts';
import type { RouteResult } from '../../src/lake/messages.ts';
import { wildPortionMax } from '../../src/lake/route.ts';
import { formatInstant, hourMs } from '../../src/lake/time.ts';
import type { WindowId } from '../../src/lake/window.ts';
import {
  type LakeBed,
  buildSilver,
  createLakeBed,
  hour,
  log,
  pointerOf,
  publish,
  sealBatch,
} from './support/lake-bed.ts';
import { query } from './support/lake-readers.ts';

const batchMs = Date.UTC(2026, 7, 21, 15);
const hourBefore = (hours: number): WindowId =>
  formatInstant(batchMs - hours * hourMs).slice(0, 13);

function routing({ ports }: LakeBed, batchWindowsMax = 100) {
  // Nothing is described here.
  const description = {} as never;
  return createLakehouseActivities({ ports, description, batchWindowsMax });
}

function route(bed: LakeBed, through: number, windowsMax = 100): Promise<RouteResult> {
  return routing(bed, windowsMax).routeBatches({
    ...{ dataset: 'events', ranges: [{ log, first: 0, through }] },
    ...{ settledTo: { [log]: -1 }, withheld: [] },
  });
}

async function idsOf(bed: LakeBed): Promise<readonly unknown[]> {
  const { rows } = await query(bed, 'SELECT event_id FROM events_cleaned ORDER BY event_id');
  return rows.map(({ event_id }) => event_id);
}

describe('a batch with wild event times, on the lake', function () {
  this.timeout(180_000);
  let bed: LakeBed;
  beforeEach(async () => {
    bed = await createLakeBed();
  });
  afterEach(() => bed.remove());

  it('of ten thousand hours has a hundred routed, and says in a few bytes what is held', async () => {
    const wild = Array.from({ length: 10_000 }, (_, age) => ({
      id: `w${age}`,
      hour: hourBefore(age),
    }));
    await sealBatch(bed, 0, [{ id: 'now' }]);
    await sealBatch(bed, 1, wild);
    await sealBatch(bed, 2, [{ id: 'next' }]);
    const found = await route(bed, 2);

    assert.deepEqual(found.through, { [log]: 2 });
    assert.equal(new Set(found.windows.map(({ window }) => window)).size, 100);
    assert.deepEqual(found.wild, [
      {
        ...{ log, first: 1, last: 1, windows: 9_900, rows: 9_900, windowsMax: 100 },
        hours: { from: hourBefore(9_999), to: hourBefore(100) },
      },
    ]);
    const bytes = JSON.stringify(found).length;
    assert.ok(bytes < 12_000, `${bytes} bytes go into history`);

    const look = (after: string | null) =>
      routing(bed).routeWild({
        ...{ dataset: 'events', log, first: 1, through: 1, after },
        ...{ heldFrom: 100, decision: 'waive' },
      });
    const first = await look(null);
    assert.deepEqual(first.windows[0], { window: hourBefore(9_999), rows: 1 });
    assert.equal(first.windows.length, wildPortionMax);
    const next = await look(first.after);
    assert.equal(next.windows[0]?.window, hourBefore(9_999 - wildPortionMax));
    const last = await look(hourBefore(101));
    assert.deepEqual(last, {
      windows: [{ window: hourBefore(100), rows: 1 }],
      after: null,
      wild: [],
    });
  });

  it('shows readers nothing of what is held, before it is built', async () => {
    const near = Array.from({ length: 10 }, (_, age) => ({
      id: `n${age}`,
      hour: hourBefore(age),
    }));
    await sealBatch(bed, 0, [...near, { id: 'held', hour: hourBefore(900) }]);
    await route(bed, 0, 10);
    const hint = await readJson<{ batchWindowsMax: number }>(
      bed.ports.objects,
      bookmarkKey('events'),
    );
    assert.equal(hint?.value.batchWindowsMax, 10);
    assert.deepEqual(await idsOf(bed), near.map(({ id }) => id).sort());

    await buildSilver(bed, 'rebuild', 0, hourBefore(900));
    assert.ok((await idsOf(bed)).includes('held'));
  });

  it('brings its rows also into a window whose folds have gone past it', async () => {
    await sealBatch(bed, 0, [{ id: 'first' }]);
    await sealBatch(bed, 1, [{ id: 'held' }]);
    await sealBatch(bed, 2, [{ id: 'last' }]);
    await buildSilver(bed, 'fold', 0);
    const build = async (mode: 'fold' | 'rebuild', first: number) => {
      const staged = await bed.activities.stageSilver({
        ...{ dataset: 'events', window: hour, mode, owner: 'none' },
        pending: { [log]: { first, through: 2 } },
      });
      await publish(bed, staged);
      return pointerOf(bed, staged.ref);
    };
    assert.deepEqual((await build('fold', 2)).logs[log]?.batches, [
      [0, 0],
      [2, 2],
    ]);
    const whole = await build('rebuild', 0);
    assert.deepEqual(whole.logs[log]?.batches, [[0, 2]]);
    assert.equal(whole.rows, 3);
  });
});
