import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { WildFound } from '../../src/lake/owner-parts.ts';
import { wildTimesId } from '../../src/lake/wild-times.ts';
import { type StubLake, stubLake } from '../support/temporal/stub-lake.ts';
import { afterwards, firstHour, log, startOwner } from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const held: WildFound = {
  ...{ log, first: 0, last: 0, windows: 4, rows: 4, windowsMax: 100 },
  hours: { from: '2003-01-01T00', to: '2003-01-01T03' },
};

const hours = Array.from({ length: 4 }, (_, index) => `2003-01-01T0${index}`);

/** A lake whose first batch touches the first hour, and far more hours than a batch may. */
function wildLake(): StubLake {
  return stubLake({
    routeBatches: async ({ ranges }) => ({
      through: Object.fromEntries(ranges.map((range) => [range.log, range.through])),
      windows: ranges.map(({ first, through }) => {
        return { window: firstHour, log, first, last: through, rows: 1 };
      }),
      batches: 1,
      ingestHours: [],
      ...(ranges[0]?.first === 0 ? { wild: [held] } : {}),
    }),
    routeWild: async ({ after }) => {
      const left = hours.filter((each) => after === null || each > after);
      const windows = left.slice(0, 3).map((window) => ({ window, rows: 1 }));
      return { windows, after: left.length > 3 ? windows.at(-1)!.window : null, wild: [] };
    },
  });
}

const request = { window: wildTimesId, author: 'ops', reason: 'the clock was wrong' } as const;

describeScenarios('lakehouse-wild-times', (scenario) => {
  scenario(
    'holds the excess of a batch at one gate while all else goes on, and builds it when it is waived',
    async (bed) => {
      const lake = wildLake();
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset);
      await owner.advance(0, afterwards);
      const before = await owner.until(
        'the first hour',
        ({ counters }) => counters.silverBuilt === 1,
      );
      assert.equal(before.wild.parked?.windows, 4);
      assert.equal(lake.calls('routeWild').length, 0);
      const details = await owner.handle.query<string>('__temporal_workflow_metadata');
      assert.match(JSON.stringify(details), /4 rows of wild event times are held/);

      // A new run knows of it, too.
      await owner.handle.signal('renew');
      await lake.called('describeLakehouse', 2);
      await owner.handle.executeUpdate('resolveGate', {
        args: [{ ...request, decision: 'waive' }],
      });
      const after = await owner.until('all of it', ({ counters }) => counters.silverBuilt === 5);

      assert.deepEqual(after.wild, { parked: null, going: null });
      const built = lake.calls('stageSilver').map(({ window }) => window);
      assert.deepEqual(built.sort(), [...hours, firstHour].sort());
      assert.equal(lake.calls('publishVersion').at(-1)?.cause?.kind, 'wildTimes');
      const kept = lake.calls('keepEvents').flatMap(({ note }) => note.events);
      assert.deepEqual(
        kept.map(({ kind }) => kind),
        ['gateParked', 'gateResolved'],
      );
      await bed.record('wild-event-times', owner.handle);
    },
  );

  scenario('leaves what is abandoned in bronze, and refuses what makes no sense', async (bed) => {
    const lake = wildLake();
    const owner = await startOwner(bed, bed.dataset(lake));
    const decide = (more: object) =>
      owner.handle.executeUpdate<void, [unknown]>('resolveGate', {
        args: [{ ...request, ...more }],
      });
    const isRefused = (more: object, reason: RegExp) =>
      assert.rejects(
        decide(more),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && reason.test(String(error.cause)),
      );
    await isRefused({ decision: 'waive' }, /no rows of wild event times are held/);
    await owner.advance(0, afterwards);
    await owner.until('the gate', ({ wild }) => wild.parked !== null);
    await isRefused({ decision: 'abandon', reason: '' }, /to abandon a gate needs a reason/);
    await isRefused(
      { decision: 'waive', layer: 'gold', table: 't' },
      /not a window: wild-event-times/,
    );
    await decide({ decision: 'abandon' });
    await owner.advance(1, afterwards);
    const state = await owner.until('the next batch', ({ logs }) => logs[log]?.routedTo === 1);

    assert.deepEqual(state.wild, { parked: null, going: null });
    assert.equal(lake.calls('routeWild').length, 0);
    await bed.record('abandoned-wild-event-times', owner.handle);
  });
});
