import assert from 'node:assert/strict';
import { type Tally, emptyTally } from '../../src/lake/janitor-tally.ts';
import { type JanitorReport, janitorId, taskQueues } from '../../src/lake/messages.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import { type WorkflowBed, describeScenarios } from '../support/temporal/workflow-bed.ts';

const removedOne: Tally = {
  ...emptyTally,
  removed: { versions: { objects: 1, bytes: 10 } },
  waiting: 2,
};

/** A janitor with so many pages, each of which removes one object. */
function pagesOf(pages: number) {
  return stubLake({
    sweep: async ({ cursor }) => ({
      next: cursor.step + 1 < pages ? { step: cursor.step + 1, after: '' } : null,
      at: `step ${cursor.step + 1}`,
      tally: removedOne,
    }),
  });
}

function start(bed: WorkflowBed, dataset: string, dryRun = false) {
  return bed.client.workflow.start('janitor', {
    workflowId: janitorId(dataset),
    taskQueue: taskQueues.workflows,
    args: [{ dataset, dryRun }],
  });
}

describeScenarios('janitor', (scenario) => {
  scenario('goes from page to page, and ends with the sum of what they removed', async (bed) => {
    const lake = pagesOf(3);
    const dataset = bed.dataset(lake);
    const run = await start(bed, dataset);
    const report = (await run.result()) as JanitorReport;

    assert.deepEqual(
      lake.calls('sweep').map(({ cursor }) => cursor.step),
      [0, 1, 2],
    );
    assert.deepEqual(report.tally.removed, { versions: { objects: 3, bytes: 30 } });
    assert.deepEqual(lake.calls('recordSweep'), [report]);
    await bed.record('removed', run);
  });

  scenario('records nothing in the lake when it is only asked', async (bed) => {
    const lake = pagesOf(2);
    const report = await (await start(bed, bed.dataset(lake), true)).result();

    assert.equal((report as JanitorReport).dryRun, true);
    assert.deepEqual(lake.calls('recordSweep'), []);
  });

  scenario('continues as new after many pages, and forgets nothing', async (bed) => {
    const lake = pagesOf(12);
    const dataset = bed.dataset(lake);
    const run = await start(bed, dataset);
    const first = run.firstExecutionRunId;
    const report = (await run.result()) as JanitorReport;

    assert.equal(report.pages, 12);
    assert.equal(report.tally.removed.versions?.objects, 12);
    const last = await bed.client.workflow.getHandle(janitorId(dataset)).describe();
    assert.notEqual(last.runId, first);
  });
});
