import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { stubLake } from '../support/temporal/stub-lake.ts';
import { afterwards, firstHour, log, startOwner } from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const request = { author: 'ops', reason: 'the SQL has changed' } as const;

describeScenarios('lakehouse-rewind', (scenario) => {
  scenario('routes once more what comes after, and rebuilds whole what it touches', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const owner = await startOwner(bed, bed.dataset(lake));
    await owner.advance(2, afterwards);
    await owner.until('the seal build', ({ counters }) => counters.silverBuilt === 1);

    await owner.handle.executeUpdate('rewind', { args: [{ ...request, to: { [log]: 0 } }] });
    const state = await owner.until('the rebuild', ({ counters }) => counters.silverBuilt === 2);

    assert.equal(state.logs[log]?.routedTo, 2);
    assert.deepEqual(state.rewinds, {});
    assert.deepEqual(
      lake.calls('routeBatches').map(({ ranges }) => ranges),
      [[{ log, first: 0, through: 2 }], [{ log, first: 1, through: 2 }]],
    );
    const builds = lake.calls('stageSilver').map(({ mode, cause }) => `${mode} ${cause?.kind}`);
    assert.equal(builds.at(-1), 'rebuild rewind');
    const kept = lake.calls('keepEvents').flatMap(({ note }) => note.events);
    const rewound = kept.find(({ kind }) => kind === 'rewound');
    assert.deepEqual(rewound, {
      ...{ kind: 'rewound', ...request, moved: { [log]: { from: 2, to: 0 } }, at: rewound?.at },
    });
    await bed.record('rewind', owner.handle);
  });

  scenario('refuses a rewind that makes no sense, with the reason and no trace', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const owner = await startOwner(bed, bed.dataset(lake));
    await owner.advance(2, afterwards);
    await owner.until('the seal build', ({ counters }) => counters.silverBuilt === 1);
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /the request is not an object/],
      [{ ...request }, /to is not an object/],
      [{ ...request, to: {} }, /say which source log/],
      [{ ...request, reason: ' ', to: { [log]: 0 } }, /to rewind the bookmark needs a reason/],
      [
        { ...request, to: { 'other-7': 0 } },
        new RegExp(`no source log other-7; there are: ${log}`),
      ],
      [{ ...request, to: { [log]: 9 } }, /ends at batch 2: 9 is past its end/],
      [{ ...request, to: { [log]: 2 } }, /is at batch 2: 2 is no way back/],
      [{ ...request, to: { [log]: -2 } }, /not a whole number from -1 on: -2/],
      [{ ...request, to: { [log]: 'noon' } }, /not a whole number from -1 on: noon/],
      [{ ...request, reason: 'x'.repeat(301), to: { [log]: 0 } }, /takes more than 300 bytes/],
    ];
    for (const [payload, reason] of cases) {
      await assert.rejects(
        owner.handle.executeUpdate<void, [unknown]>('rewind', { args: [payload] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && reason.test(String(error.cause)),
      );
    }
    const { events } = await owner.handle.fetchHistory();
    const accepted = (events ?? []).some((e) => e.workflowExecutionUpdateAcceptedEventAttributes);
    assert.equal(accepted, false);
    assert.equal(lake.calls('routeBatches').length, 1);
  });
});
