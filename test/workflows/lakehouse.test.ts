import assert from 'node:assert/strict';
import { inBothCacheModes } from '../support/temporal/workflow-bed.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import {
  afterwards,
  closedGate,
  during,
  firstHour,
  nextHour,
  startOwner,
} from '../support/temporal/test-owner.ts';

inBothCacheModes('lakehouse', (bed) => {
  it('folds an open hour and seals it when every frontier has passed its end', async () => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed().dataset(lake);
    const owner = await startOwner(bed(), dataset);

    await owner.advance(0, during);
    await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    await owner.advance(1, afterwards);
    await owner.until('the seal build', ({ counters }) => counters.silverBuilt === 2);

    assert.deepEqual(
      lake.calls('stageSilver').map(({ mode, pending }) => ({ mode, pending })),
      [
        { mode: 'fold', pending: { 'orders-0': { first: 0, through: 0 } } },
        { mode: 'seal', pending: { 'orders-0': { first: 1, through: 1 } } },
      ],
    );
  });

  it('builds again at once what changed while a build ran', async () => {
    const gate = closedGate();
    const lake = stubLake({
      windows: [firstHour],
      checkStaged: async () => {
        await gate.opened;
        return { kind: 'passed', score: 100, failures: [], warnings: [] };
      },
    });
    const dataset = bed().dataset(lake);
    const owner = await startOwner(bed(), dataset, { nextToClose: nextHour });
    for (let n = 0; n < 5; n += 1) {
      await owner.advance(n, afterwards);
      await owner.until('routed', ({ logs }) => logs['orders-0']?.routedTo === n);
    }
    gate.open();
    await owner.until('both builds', ({ counters }) => counters.silverBuilt === 2);
  });
});
