import assert from 'node:assert/strict';
import { stubLake } from '../support/temporal/stub-lake.ts';
import {
  advanced,
  afterwards,
  during,
  firstHour,
  startOwner,
} from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const request = { log: 'old-0', author: 'ops', reason: 'the topic is gone' };

describeScenarios('lakehouse-retired', (scenario) => {
  scenario('seals an hour that waited for a log which nothing serves any more', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);
    const silent = { log: request.log, sealedTo: -1, frontier: during };
    await owner.handle.signal('logAdvanced', { logs: [silent] });
    await owner.advance(0, afterwards);
    await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    assert.equal(lake.calls('stageSilver').at(-1)?.mode, 'fold');

    await assert.rejects(
      owner.handle.executeUpdate('retireLog', { args: [{ ...request, reason: '' }] }),
    );
    await owner.handle.executeUpdate('retireLog', { args: [request] });
    await owner.until('the seal build', ({ counters }) => counters.silverBuilt === 2);
    assert.equal(lake.calls('stageSilver').at(-1)?.mode, 'seal');

    const again = { ...advanced(0, afterwards).logs[0]!, log: request.log };
    await owner.handle.signal('logAdvanced', { logs: [again] });
    await owner.until('the log to count again', ({ logs }) => logs['old-0']?.retired === undefined);
    await bed.record('retired-log', owner.handle);
  });
});
