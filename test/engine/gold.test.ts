import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { WindowRef } from '../../src/lake/messages.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import { aroundStore, recordingStore } from '../support/around-store.ts';
import {
  type LakeBed,
  activitiesOver,
  buildSilver,
  createLakeBed,
  goldRef,
  hour,
  passed,
  publish,
  sealBatch,
  silverRef,
  stageGold,
  pointerOf,
} from './support/lake-bed.ts';
import { catalogFolders, copyOf, pointerFolders, query } from './support/lake-readers.ts';

const earlier = '2026-08-21T12';
const day = '2026-08-21';

describe('stageGold', () => {
  let built: LakeBed;
  let bed: LakeBed;
  before(async () => {
    built = await createLakeBed();
    await sealBatch(built, 0, [
      { id: 'a', type: 'purchase', price: 10 },
      { id: 'b', type: 'purchase', price: 2.5 },
      { id: 'c', hour: earlier },
    ]);
    await buildSilver(built, 'fold', 0);
  });
  after(() => built.remove());
  beforeEach(async () => {
    bed = await createLakeBed({ objects: await copyOf(built.ports.objects) });
  });
  afterEach(() => bed.remove());

  async function build(table: string, window = hour) {
    await publish(bed, await stageGold(bed, table, window));
    return pointerOf(bed, goldRef(table, window));
  }

  it('makes an hour from the current version of silver, and says from which', async () => {
    const silver = await pointerOf(bed, silverRef());
    const pointer = await build('hourly_revenue');
    assert.deepEqual(pointer.silver, { [hour]: silver.version });
    assert.equal(pointer.complete, true);
    const { rows } = await query(bed, 'SELECT total_revenue, order_count FROM hourly_revenue');
    assert.deepEqual(rows, [{ total_revenue: '12.50', order_count: 2 }]);
    assert.deepEqual(await catalogFolders(bed, goldRef('hourly_revenue')), pointerFolders(pointer));
  });

  it('never replaces gold of newer silver by gold of older silver, however slow it reads', async () => {
    await build('hourly_revenue');
    const keyOf = (ref: WindowRef) => pointerKey({ layer: ref.layer, name: ref.table }, ref.window);
    const [silverKey, goldKey] = [keyOf(silverRef()), keyOf(goldRef('hourly_revenue'))];
    let others: Promise<unknown> | undefined;
    const overtaken = async (): Promise<void> => {
      await sealBatch(bed, 1, [{ id: 'd', type: 'purchase', price: 1 }]);
      await buildSilver(bed, 'fold', 1);
      await build('hourly_revenue');
    };
    const objects = aroundStore(bed.ports.objects, async ({ name, key }, run) => {
      if (name !== 'readObject') return run();
      if (key === goldKey) {
        await setImmediate();
        await others;
      }
      const found = await run();
      if (key === silverKey) await (others ??= overtaken());
      return found;
    });
    const slow = { ...bed, activities: activitiesOver({ ...bed.ports, objects }) };
    const { ref, version } = await stageGold(slow, 'hourly_revenue', hour, { complete: false });
    const publishing = { ref, version, gate: passed, cause: null };
    const result = await bed.activities.publishVersion(publishing);
    assert.equal(result.kind, 'superseded');
    const { rows } = await query(bed, 'SELECT order_count FROM hourly_revenue');
    assert.deepEqual(rows, [{ order_count: 3 }]);
  });

  it('makes a day from all of its hours', async () => {
    await buildSilver(bed, 'fold', 0, earlier);
    const pointer = await build('device_summary', day);
    assert.deepEqual(Object.keys(pointer.silver).sort(), [earlier, hour]);
    const { rows } = await query(bed, 'SELECT device, event_count FROM device_summary');
    assert.deepEqual(rows, [{ device: 'desktop', event_count: 3 }]);
  });

  it('answers `unchanged` while silver is, and writes nothing', async () => {
    const { version } = await build('hourly_revenue');
    const { store, steps } = recordingStore(bed.ports.objects);
    const again = await stageGold(
      { activities: activitiesOver({ ...bed.ports, objects: store }) },
      'hourly_revenue',
    );
    assert.deepEqual([again.kind, again.version], ['unchanged', version]);
    assert.ok(steps.every(({ isWrite }) => !isWrite));
  });

  it('is made anew for a backfill although it comes out the same, and once for each', async () => {
    const first = await build('hourly_revenue');
    const cause = { kind: 'backfill', id: 'b1', author: 'ops', reason: 'new disks' } as const;
    const staged = await stageGold(bed, 'hourly_revenue', hour, { cause });
    assert.equal(staged.kind, 'staged');
    await publish(bed, staged, cause);
    const second = await pointerOf(bed, staged.ref);
    assert.deepEqual([second.previous, second.fingerprint], [first.version, first.fingerprint]);
    assert.deepEqual(second.cause, cause);
    assert.equal((await stageGold(bed, 'hourly_revenue', hour, { cause })).kind, 'unchanged');
    const other = { ...cause, id: 'b2' };
    assert.equal((await stageGold(bed, 'hourly_revenue', hour, { cause: other })).kind, 'staged');
  });

  it('makes the next version when silver has changed, and replaces the one before whole', async () => {
    const first = await build('hourly_revenue');
    await sealBatch(bed, 1, [{ id: 'd', type: 'purchase', price: 1 }]);
    await buildSilver(bed, 'fold', 1);
    const second = await build('hourly_revenue');
    assert.deepEqual([second.sequence, second.previous], [2, first.version]);
    const { rows } = await query(bed, 'SELECT total_revenue FROM hourly_revenue');
    assert.deepEqual(rows, [{ total_revenue: '13.50' }]);
    assert.deepEqual(await catalogFolders(bed, goldRef('hourly_revenue')), pointerFolders(second));
  });

  it('makes a window anew that was marked incomplete, once it is complete', async () => {
    const early = await stageGold(bed, 'hourly_revenue', hour, { complete: false });
    await publish(bed, early);
    assert.equal((await pointerOf(bed, early.ref)).complete, false);
    assert.equal(
      (await stageGold(bed, 'hourly_revenue', hour, { complete: false })).kind,
      'unchanged',
    );
    assert.equal((await build('hourly_revenue')).complete, true);
  });

  it('publishes a window without silver with 0 rows', async () => {
    const staged = await stageGold(bed, 'event_metrics', earlier);
    const gate = await bed.activities.checkStaged({ ref: staged.ref, version: staged.version });
    assert.deepEqual([gate.kind, gate.failures], ['passed', []]);
    await publish(bed, staged);
    const { rows, files } = await pointerOf(bed, staged.ref);
    assert.deepEqual([rows, files], [0, []]);
  });

  it('refuses the name of no gold table', async () => {
    await assert.rejects(stageGold(bed, 'events_cleaned'), {
      code: 'INPUT_INVALID',
      retryable: false,
      facts: { dataset: 'events', table: 'events_cleaned' },
    });
  });
});
