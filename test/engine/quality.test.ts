import assert from 'node:assert/strict';
import type { GateResult, StageResult } from '../../src/lake/messages.ts';
import { checkResultsKey } from '../../src/lake/paths.ts';
import type { Row } from '../../src/ports.ts';
import {
  type Event,
  type LakeBed,
  buildSilver,
  createLakeBed,
  emptyPointer,
  hour,
  sealBatch,
  silverRef,
  stageGold,
  stageSilver,
  pointerOf,
  putPointer,
} from './support/lake-bed.ts';

/** More than half of them are rejected. */
const mostlyBad: readonly Event[] = Array.from({ length: 110 }, (_, index) => ({
  id: `e${index}`,
  device: index < 60 ? 'toaster' : 'desktop',
}));

describe('checkStaged', () => {
  let bed: LakeBed;
  beforeEach(async () => {
    bed = await createLakeBed();
  });
  afterEach(() => bed.remove());

  const check = ({ ref, version }: StageResult): Promise<GateResult> =>
    bed.activities.checkStaged({ ref, version });

  async function resultsOf({ ref, version }: StageResult): Promise<readonly Row[]> {
    const key = checkResultsKey({ layer: ref.layer, name: ref.table }, ref.window, version);
    const stored = await bed.ports.objects.readObject(key);
    assert.ok(stored !== null);
    return bed.ports.rowFiles.decode(stored.bytes);
  }

  const names = (rows: readonly Row[]) => rows.map(({ check_id }) => String(check_id)).sort();

  it('runs the row checks on a fold, and those of a window on a whole build too', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b', device: 'toaster' }]);
    const fold = await stageSilver(bed, 'fold', 0);
    const whole = await stageSilver(bed, 'seal', 0);
    assert.deepEqual([(await check(fold)).kind, (await check(whole)).kind], ['passed', 'passed']);
    const headers = bed.ports.sql.checks;
    const expected = (runs: readonly string[]) =>
      Object.values(headers)
        .filter(({ header }) => header['layer'] === 'silver' && header['severity'] !== 'reject')
        .filter(({ header }) => runs.includes(header['runs'] ?? ''))
        .map(({ name }) => name);
    const rows = await resultsOf(fold);
    assert.deepEqual(names(rows), [...expected(['row']), 'row_accounting'].sort());
    const all = [...expected(['row', 'window']), 'row_accounting'].sort();
    assert.deepEqual(names(await resultsOf(whole)), all);
    assert.ok(rows.every(({ passed, score }) => passed === true && score === 100));
  });

  it('blocks an hour of which most was rejected, and the pointer stays where it was', async () => {
    const before = emptyPointer('000001-before', null);
    await putPointer(bed, before);
    await sealBatch(bed, 0, mostlyBad);
    const staged = await stageSilver(bed, 'rebuild', 0);
    const gate = await check(staged);
    assert.equal(gate.kind, 'blocked');
    assert.deepEqual(gate.failures, ['rejected_share (1 row): 60 of 110 rows were rejected']);
    const failed = (await resultsOf(staged)).filter(({ passed }) => passed === false);
    assert.deepEqual(names(failed), ['rejected_share']);
    assert.deepEqual(await pointerOf(bed, silverRef()), before);
  });

  it('lets a waived check pass, and keeps in results and version who waived it and why', async () => {
    await sealBatch(bed, 0, mostlyBad);
    const { ref, version } = await stageSilver(bed, 'rebuild', 0);
    const at = '2026-08-21T15:00:00.000Z';
    const waiver = { checks: ['rejected_share'], author: 'ops', reason: 'a test device', at };
    const gate = await bed.activities.checkStaged({ ref, version, waiver });
    assert.deepEqual([gate.kind, gate.waived], ['passed', waiver]);
    const kept = (await resultsOf({ kind: 'staged', ref, version, rows: 0, through: {} })).filter(
      ({ decision }) => decision === 'waive',
    );
    assert.deepEqual(
      kept.map((row) => [
        row['check_id'],
        row['passed'],
        row['decided_by'],
        row['decision_reason'],
      ]),
      [['rejected_share', false, 'ops', 'a test device']],
    );
    const { author, reason } = waiver;
    const cause = { kind: 'gate', decision: 'waive', author, reason } as const;
    await bed.activities.publishVersion({ ref, version, gate, cause });
    const pointer = await pointerOf(bed, silverRef());
    assert.deepEqual([pointer.waived, pointer.cause], [waiver, cause]);
  });

  it('blocks an hour whose rows do not add up: a seal counts a row that its file has not', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }], { countedRows: 2 });
    const gate = await check(await stageSilver(bed, 'fold', 0));
    assert.deepEqual(gate.failures, [
      'row_accounting (1 row): bronze 2 is not silver 1 + duplicates 0 + rejected 0',
    ]);
    assert.ok(gate.kind === 'blocked' && gate.score !== null && gate.score < 100);
  });

  it('judges gold by the silver that it was made from, also when that has moved on since', async () => {
    await sealBatch(bed, 0, [{ id: 'a', type: 'purchase', price: 10 }]);
    const silver = await buildSilver(bed, 'fold', 0);
    const staged = await stageGold(bed, 'hourly_revenue');
    // The next version of the hour has lost the purchase.
    await putPointer(bed, emptyPointer('000002-after', silver.version));
    const gate = await check(staged);
    assert.deepEqual([gate.kind, gate.failures], ['passed', []]);
  });

  it('names the object when what it has to check is gone', async () => {
    const staged = { ref: silverRef(), version: 'none' };
    await assert.rejects(bed.activities.checkStaged(staged), {
      code: 'OBJECT_MISSING',
      facts: { key: `_staged/silver/events_cleaned/${hour}/none.json` },
    });
  });
});
