import assert from 'node:assert/strict';
import { unexplainedRows } from '../../src/lake/accounting.ts';
import { foldFilesMax } from '../../src/lake/fold.ts';
import { versionFolder } from '../../src/lake/paths.ts';
import { events } from '../../src/datasets/events.ts';
import type { Row } from '../../src/ports.ts';
import { recordingStore } from '../support/around-store.ts';
import {
  type Event,
  type LakeBed,
  activitiesOver,
  buildSilver,
  catalogFolders,
  createLakeBed,
  hour,
  idsOf,
  log,
  pointerFolders,
  pointerOf,
  publish,
  putPointer,
  sealBatch,
  silverRef,
  stageSilver,
} from './support/lake-bed.ts';

/** Three batches with a duplicate inside one, one across two, an earlier twin that came late, rejects. */
const batches: readonly (readonly Event[])[] = [
  [
    { id: 'a' },
    { id: 'a', minute: 1 },
    { id: 'b', ingestSecond: 5 },
    { id: 'x', device: 'toaster' },
  ],
  [
    { id: 'b', ingestSecond: 2 },
    { id: 'c', type: 'search' },
    { id: 'z', hour: '2026-08-21T12' },
  ],
  [{ id: 'a', ingestSecond: 9 }, { id: 'd' }, { id: 'x' }, { id: 'y', device: '' }],
];

describe('stageSilver', () => {
  let bed: LakeBed;
  beforeEach(async () => {
    bed = await createLakeBed();
  });
  afterEach(() => bed.remove());

  async function sealAll(): Promise<void> {
    for (const [number, batch] of batches.entries()) await sealBatch(bed, number, batch);
  }

  it('has the ids and counts of one rebuild after any number of folds, and every row explained', async () => {
    await sealAll();
    for (const through of [0, 1, 2]) {
      const { accounting } = await buildSilver(bed, 'fold', through);
      assert.equal(unexplainedRows(accounting!), 0);
    }
    const folded = await pointerOf(bed, silverRef());
    const thisHour = "events_cleaned WHERE hour = '13'";
    const foldedIds = await idsOf(bed, thisHour);
    const rebuilt = await buildSilver(bed, 'rebuild', 2);
    assert.deepEqual(foldedIds, ['a', 'b', 'c', 'd', 'x']);
    assert.deepEqual(await idsOf(bed, thisHour), foldedIds);
    assert.deepEqual(folded.accounting, { bronze: 10, silver: 5, duplicates: 3, rejected: 2 });
    assert.deepEqual(rebuilt.accounting, folded.accounting);
    assert.deepEqual([folded.betterDuplicates, rebuilt.betterDuplicates], [1, 0]);
  });

  it('reads only the batches after the pointer in a fold, and all of them in a rebuild', async () => {
    await sealAll();
    await buildSilver(bed, 'fold', 0);
    const bronzeReads = async (mode: 'fold' | 'rebuild', through: number) => {
      const { store, steps } = recordingStore(bed.ports.objects);
      const ports = { ...bed.ports, objects: store };
      await stageSilver({ activities: activitiesOver(ports) }, mode, through);
      return steps
        .filter(({ key }) => key.endsWith('.seal.json'))
        .map(({ key }) => key.slice(-15, -10));
    };
    assert.deepEqual(await bronzeReads('fold', 1), ['00001']);
    assert.deepEqual((await bronzeReads('rebuild', 2)).sort(), ['00000', '00001', '00002']);
  });

  it('answers `unchanged` for the same inputs, and writes nothing', async () => {
    await sealAll();
    const { version } = await buildSilver(bed, 'rebuild', 2);
    const { store, steps } = recordingStore(bed.ports.objects);
    const activities = activitiesOver({ ...bed.ports, objects: store });
    for (const mode of ['rebuild', 'seal', 'fold'] as const) {
      const again = await stageSilver({ activities }, mode, 2);
      assert.deepEqual(
        [again.kind, again.version, again.rows, again.through],
        ['unchanged', version, 5, { [log]: 2 }],
      );
    }
    assert.deepEqual(
      steps.filter(({ isWrite }) => isWrite),
      [],
    );
  });

  it('builds a closed window anew that was only folded: a fold has not passed the window checks', async () => {
    await sealBatch(bed, 0, batches[0]!);
    const folded = await buildSilver(bed, 'fold', 0);
    const sealed = await buildSilver(bed, 'seal', 0);
    assert.deepEqual([folded.mode, sealed.mode], ['fold', 'seal']);
    assert.notEqual(sealed.version, folded.version);
    assert.deepEqual(sealed.accounting, folded.accounting);
  });

  it('publishes an hour without events with 0 rows', async () => {
    const staged = await stageSilver(bed, 'seal', null);
    const gate = await bed.activities.checkStaged({ ref: staged.ref, version: staged.version });
    assert.deepEqual([gate.kind, gate.failures], ['passed', []]);
    await publish(bed, staged);
    const { rows, files, accounting } = await pointerOf(bed, staged.ref);
    assert.deepEqual([rows, files], [0, []]);
    assert.deepEqual(accounting, { bronze: 0, silver: 0, duplicates: 0, rejected: 0 });
    assert.deepEqual(await idsOf(bed), []);
    assert.equal((await stageSilver(bed, 'seal', null)).kind, 'unchanged');
  });

  it('takes a table partition that vanished in a rebuild out of the catalog', async () => {
    await sealAll();
    const before = await buildSilver(bed, 'fold', 1);
    assert.equal(before.files.length, 2);
    // As after a new rule: the rebuild finds that no search is there any more.
    const search = 'event_type=search';
    const kept = { ...bed.ports.sql.silver['events_cleaned']! };
    const cleaned = {
      ...kept,
      sql: `SELECT * FROM (${kept.sql}) AS c WHERE event_type <> 'search'`,
    };
    const sql = { ...bed.ports.sql, silver: { ...bed.ports.sql.silver, events_cleaned: cleaned } };
    const stricter = { ...bed, activities: activitiesOver({ ...bed.ports, sql }) };
    const after = await buildSilver(stricter, 'rebuild', 1);
    assert.deepEqual(await catalogFolders(bed, silverRef()), pointerFolders(after));
    assert.ok(pointerFolders(before).some((folder) => folder.includes(search)));
    assert.ok(!pointerFolders(after).some((folder) => folder.includes(search)));
  });

  it('leaves a table partition in its folder that a fold adds nothing to', async () => {
    await sealAll();
    const before = await buildSilver(bed, 'fold', 1);
    const after = await buildSilver(bed, 'fold', 2);
    const searchFolder = pointerFolders(before).find((folder) => folder.includes('search'))!;
    assert.ok(pointerFolders(after).includes(searchFolder));
    const views = after.files.filter(({ partition }) => partition['event_type'] === 'page_view');
    assert.equal(new Set(pointerFolders({ files: views })).size, 1, 'one version, one folder');
    assert.equal(views.length, 2);
  });

  describe('more than 8 files of a table partition', () => {
    /** As so many folds leave them, each with one row. */
    async function foldedTimes(count: number): Promise<void> {
      await sealBatch(bed, 0, [{ id: 'e0' }]);
      const first = await buildSilver(bed, 'fold', 0);
      const [file] = first.files;
      const files = [file!];
      const ordinary = await firstRowOf(file!.key);
      for (let index = 1; index < count; index += 1) {
        const row = { ...ordinary, event_id: `e${index}` };
        const key = `${versionFolder(events.silver, file!.partition, first.version)}f${index}.parquet`;
        const input = { columns: events.silver.columns, rows: [row], metadata: {} };
        const bytes = await bed.ports.rowFiles.encode(input);
        await bed.ports.objects.createObject(key, bytes);
        // The later ones count as larger.
        files.push({ ...file!, key, bytes: file!.bytes + index });
      }
      const accounting = { bronze: count, silver: count, duplicates: 0, rejected: 0 };
      await putPointer(bed, { ...first, files, rows: count, accounting });
    }

    async function firstRowOf(key: string): Promise<Row> {
      const columns = events.silver.columns;
      const files = [{ key, partition: {} }];
      const session = await bed.ports.engine.open([{ kind: 'files', name: 'f', columns, files }]);
      try {
        const [row] = (await session.query('SELECT * FROM f')).rows;
        const instant = (column: string) => `${String(row![column]).replace(' ', 'T')}Z`;
        return { ...row, event_ts: instant('event_ts'), _ingest_ts: instant('_ingest_ts') };
      } finally {
        await session.close();
      }
    }

    it('are merged: the smallest with the new rows into one file, the others copied', async () => {
      await foldedTimes(foldFilesMax);
      const before = await pointerOf(bed, silverRef());
      await sealBatch(bed, 1, [{ id: 'e8' }, { id: 'e3' }]);
      const after = await buildSilver(bed, 'fold', 1);
      assert.equal(after.files.length, 5);
      assert.deepEqual(after.files.map(({ rows }) => rows).sort(), [1, 1, 1, 1, 5]);
      const names = (files: typeof after.files) => files.map(({ key }) => key.split('/').at(-1));
      assert.deepEqual(names(after.files).slice(0, 4), names(before.files).slice(4));
      const ids = ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'];
      assert.deepEqual(await idsOf(bed), ids);
      assert.deepEqual(after.accounting, { bronze: 10, silver: 9, duplicates: 1, rejected: 0 });
    });
  });

  it('keeps what it rejects under the version, and a reader sees the rule', async () => {
    await sealAll();
    await buildSilver(bed, 'fold', 0);
    const { quarantineKeys } = await buildSilver(bed, 'fold', 2);
    assert.equal(quarantineKeys.length, 2);
    assert.deepEqual(await idsOf(bed, 'quarantine'), ['x', 'y']);
  });

  it('counts rows of its own hour only', async () => {
    await sealAll();
    const other = '2026-08-21T12';
    const { accounting } = await buildSilver(bed, 'fold', 2, other);
    assert.deepEqual(accounting, { bronze: 1, silver: 1, duplicates: 0, rejected: 0 });
    assert.notEqual(other, hour);
  });
});
