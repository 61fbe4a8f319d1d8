import assert from 'node:assert/strict';
import type { BuildMode, Pointer } from '../../src/lake/pointer.ts';
import {
  type LakeBed,
  createLakeBed,
  hour,
  log,
  pointerOf,
  publish,
  sealBatch,
} from './support/lake-bed.ts';

/** Builds the hour for the batches that the owner knows to be pending. */
async function build(
  bed: LakeBed,
  mode: BuildMode,
  pending: { readonly first: number; readonly through: number },
): Promise<Pointer> {
  const input = { dataset: 'events', window: hour, mode, owner: 'none' };
  const staged = await bed.activities.stageSilver({ ...input, pending: { [log]: pending } });
  assert.equal(staged.kind, 'staged');
  await publish(bed, staged);
  return pointerOf(bed, staged.ref);
}

async function fourBatches(): Promise<LakeBed> {
  const bed = await createLakeBed();
  for (let number = 0; number < 4; number += 1) {
    await sealBatch(bed, number, [{ id: `e${number}` }, { id: 'twice' }]);
  }
  return bed;
}

describe('a rewind, on the lake', () => {
  it('rebuilds an hour to the same rows that its folds had', async () => {
    const bed = await fourBatches();
    await build(bed, 'fold', { first: 0, through: 1 });
    const before = await build(bed, 'fold', { first: 2, through: 3 });
    const after = await build(bed, 'rebuild', { first: 2, through: 3 });
    await bed.remove();
    assert.deepEqual(after.accounting, before.accounting);
    assert.deepEqual(after.accounting, { bronze: 8, silver: 5, duplicates: 3, rejected: 0 });
    assert.deepEqual(after.logs, before.logs);
  });

  it('finds all batches of an hour also where only the last ones are known to be pending', async () => {
    const bed = await fourBatches();
    await build(bed, 'fold', { first: 0, through: 0 });
    // Batches 1 and 2 are queued, or were routed by an owner that was lost.
    const after = await build(bed, 'rebuild', { first: 3, through: 3 });
    await bed.remove();
    assert.deepEqual(after.logs[log], { through: 3, batches: [[0, 3]] });
    assert.equal(after.accounting?.silver, 5);
  });
});
