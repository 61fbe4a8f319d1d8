import assert from 'node:assert/strict';
import { events } from '../../src/datasets/events.ts';
import { unexplainedRows } from '../../src/lake/accounting.ts';
import { foldFilesMax } from '../../src/lake/fold.ts';
import { versionFolder } from '../../src/lake/paths.ts';
import type { Pointer, PointerFile } from '../../src/lake/pointer.ts';
import type { SqlEngine } from '../../src/ports.ts';
import { Crash, recordingStore } from '../support/around-store.ts';
import {
  type Event,
  type LakeBed,
  activitiesOver,
  bronzeRow,
  buildSilver,
  createLakeBed,
  emptyPointer,
  hour,
  log,
  publish,
  putPointer,
  sealBatch,
  stageSilver,
  pointerOf,
} from './support/lake-bed.ts';
import { idsOf, pointerFolders } from './support/lake-readers.ts';

/** A duplicate inside a batch, one across two, an earlier twin that came late, and rejects. */
const batches: readonly (readonly Event[])[] = [
  [{ id: 'a' }, { id: 'a', minute: 1 }, { id: 'b', ingestSecond: 5 }, { id: 'x', device: 'pot' }],
  [
    { id: 'b', ingestSecond: 2 },
    { id: 'c', type: 'search' },
  ],
  [{ id: 'a', ingestSecond: 9 }, { id: 'd' }, { id: 'x' }, { id: 'y', device: '' }],
];

describe('stageSilver', () => {
  let bed: LakeBed;

  describe('of batches that come one after the other', () => {
    let folds: readonly Pointer[];
    let foldedIds: readonly string[];
    let rebuilt: Pointer;

    before(async () => {
      bed = await createLakeBed();
      for (const [number, batch] of batches.entries()) await sealBatch(bed, number, batch);
      folds = [
        await buildSilver(bed, 'fold', 0),
        await buildSilver(bed, 'fold', 1),
        await buildSilver(bed, 'fold', 2),
      ];
      foldedIds = await idsOf(bed);
      rebuilt = await buildSilver(bed, 'rebuild', 2);
    });
    after(() => bed.remove());

    it('has the ids and counts of one rebuild after any number of folds', async () => {
      assert.deepEqual(foldedIds, ['a', 'b', 'c', 'd', 'x']);
      assert.deepEqual(await idsOf(bed), foldedIds);
      const counts = { bronze: 10, silver: 5, duplicates: 3, rejected: 2 };
      assert.deepEqual([folds[2]?.accounting, rebuilt.accounting], [counts, counts]);
    });

    it('explains every row of every version', () => {
      for (const { accounting } of [...folds, rebuilt]) {
        assert.equal(accounting === null ? null : unexplainedRows(accounting), 0);
      }
    });

    it('counts a twin that should have won, until the rebuild swaps it', () => {
      assert.deepEqual([folds[2]?.betterDuplicates, rebuilt.betterDuplicates], [1, 0]);
    });

    it('leaves a table partition in its folder that a fold adds nothing to', () => {
      const filesOf = (pointer: Pointer | undefined, type: string) =>
        pointer?.files.filter(({ partition }) => partition['event_type'] === type) ?? [];
      assert.deepEqual(filesOf(folds[2], 'search'), filesOf(folds[1], 'search'));
      const views = filesOf(folds[2], 'page_view');
      // Batch 1 brought no new view, so two folds have written one each.
      assert.deepEqual(
        views.map(({ rows }) => rows),
        [2, 2],
      );
      assert.equal(pointerFolders({ files: views }).length, 1, 'one version, one folder');
    });

    it('keeps what a fold rejects beside what earlier ones did, with the rule', async () => {
      assert.deepEqual(
        folds.map(({ quarantineKeys }) => quarantineKeys.length),
        [1, 1, 2],
      );
      assert.deepEqual(await idsOf(bed, 'quarantine'), ['x', 'y']);
    });

    it('answers `unchanged` for the same inputs, and writes nothing', async () => {
      const { store, steps } = recordingStore(bed.ports.objects);
      const activities = activitiesOver({ ...bed.ports, objects: store });
      for (const mode of ['rebuild', 'seal', 'fold'] as const) {
        const again = await stageSilver({ activities }, mode, 2);
        assert.deepEqual(
          [again.kind, again.version, again.rows, again.through],
          ['unchanged', rebuilt.version, 5, { [log]: 2 }],
        );
      }
      assert.ok(steps.every(({ isWrite }) => !isWrite));
    });

    it('is made anew for a backfill although it comes out the same, and once for each', async () => {
      const cause = { kind: 'backfill', id: 'b1', author: 'ops', reason: 'new disks' } as const;
      const staged = await stageSilver(bed, 'rebuild', 2, hour, cause);
      assert.equal(staged.kind, 'staged');
      await publish(bed, staged, cause);
      const anew = await pointerOf(bed, staged.ref);
      assert.deepEqual([anew.previous, anew.rows], [rebuilt.version, rebuilt.rows]);
      assert.deepEqual(anew.accounting, rebuilt.accounting);
      assert.equal((await stageSilver(bed, 'rebuild', 2, hour, cause)).kind, 'unchanged');
    });

    it('reads only the batches after the pointer in a fold, and all of them in a rebuild', async () => {
      await sealBatch(bed, 3, [{ id: 'e' }]);
      const read = async (mode: 'fold' | 'rebuild') => {
        const { store, steps } = recordingStore(bed.ports.objects);
        const open: SqlEngine['open'] = () => Promise.reject(new Crash('far enough'));
        const engine = { ...bed.ports.engine, open };
        const activities = activitiesOver({ ...bed.ports, objects: store, engine });
        await assert.rejects(stageSilver({ activities }, mode, 3), Crash);
        const seals = steps.filter(({ key }) => key.endsWith('.seal.json'));
        return seals.map(({ key }) => Number(key.slice(-22, -10))).sort();
      };
      assert.deepEqual(await read('fold'), [3]);
      assert.deepEqual(await read('rebuild'), [0, 1, 2, 3]);
    });
  });

  describe('of one window', () => {
    beforeEach(async () => {
      bed = await createLakeBed();
    });
    afterEach(() => bed.remove());

    it('is done again when the window is over and was only folded: a fold has not passed the window checks', async () => {
      await sealBatch(bed, 0, [{ id: 'a' }]);
      const folded = await buildSilver(bed, 'fold', 0);
      const sealed = await buildSilver(bed, 'seal', 0);
      assert.deepEqual([folded.mode, sealed.mode], ['fold', 'seal']);
      assert.notEqual(sealed.version, folded.version);
      assert.deepEqual(sealed.accounting, folded.accounting);
    });

    it('never rejects a row for another one in its place, of a topic that was made anew', async () => {
      await sealBatch(bed, 0, [{ id: 'bad', device: 'pot' }, { id: 'a' }]);
      await sealBatch(bed, 1, [{ id: 'good' }, { id: 'worse', device: 'pan' }], { firstOffset: 0 });
      const built = await buildSilver(bed, 'seal', 1);
      assert.deepEqual(await idsOf(bed), ['a', 'good']);
      assert.deepEqual(await idsOf(bed, 'quarantine'), ['bad', 'worse']);
      assert.equal(built.accounting?.rejected, 2);
    });

    it('without events is a version with 0 rows, which passes its gate', async () => {
      const staged = await stageSilver(bed, 'seal', null);
      const gate = await bed.activities.checkStaged({ ref: staged.ref, version: staged.version });
      assert.deepEqual([gate.kind, gate.failures], ['passed', []]);
      await publish(bed, staged);
      const { rows, files, accounting } = await pointerOf(bed, staged.ref);
      assert.deepEqual([rows, files], [0, []]);
      assert.deepEqual(accounting, { bronze: 0, silver: 0, duplicates: 0, rejected: 0 });
      assert.equal((await stageSilver(bed, 'seal', null)).kind, 'unchanged');
    });

    it('merges the smallest of more than 8 files with the new rows, and copies the others', async () => {
      const before = await foldedTimes(foldFilesMax);
      await sealBatch(bed, 1, [{ id: 'e8' }, { id: 'e3' }]);
      const after = await buildSilver(bed, 'fold', 1);
      const names = (files: readonly PointerFile[]) =>
        files.map(({ key }) => key.slice(key.lastIndexOf('/')));
      assert.deepEqual(names(after.files).slice(0, 4), names(before.files).slice(4));
      assert.deepEqual(
        after.files.map(({ rows }) => rows),
        [1, 1, 1, 1, 5],
      );
      const ids = ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'];
      assert.deepEqual(await idsOf(bed), ids);
      assert.deepEqual(after.accounting, { bronze: 10, silver: 9, duplicates: 1, rejected: 0 });
    });

    /** The version that so many folds leave: each has brought one event, and later files are larger. */
    async function foldedTimes(count: number): Promise<Pointer> {
      const partition = { event_date: '2026-08-21', hour: '13', event_type: 'page_view' };
      const files: PointerFile[] = [];
      for (let index = 0; index < count; index += 1) {
        const key = `${versionFolder(events.silver, partition, 'v8')}f${index}.parquet`;
        const known = new Set(events.silver.columns.map(({ name }) => name));
        const fields = Object.entries(bronzeRow({ id: `e${index}` }, index));
        const row = Object.fromEntries(fields.filter(([name]) => known.has(name)));
        const input = { columns: events.silver.columns, rows: [row], metadata: {} };
        await bed.ports.objects.createObject(key, await bed.ports.rowFiles.encode(input));
        files.push({ key, partition, rows: 1, bytes: 1_000 + index });
      }
      const logs = { [log]: { through: 0, batches: [[0, 0]] as const } };
      const accounting = { bronze: count, silver: count, duplicates: 0, rejected: 0 };
      const pointer = { ...emptyPointer('v8', null), files, rows: count, logs, accounting };
      await putPointer(bed, pointer);
      return pointer;
    }

    it('takes the rows of its own hour only', async () => {
      await sealBatch(bed, 0, [{ id: 'z', hour: '2026-08-21T12' }, { id: 'a' }]);
      const { accounting } = await buildSilver(bed, 'fold', 0, hour);
      assert.deepEqual(accounting, { bronze: 1, silver: 1, duplicates: 0, rejected: 0 });
    });
  });
});
