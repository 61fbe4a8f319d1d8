import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { signalOwner } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import {
  advanced,
  afterwards,
  during,
  firstHour,
  log,
  nextHour,
  ownerOf,
  silverReport,
  startOwner,
} from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

/** Payloads that make no sense, and what is said of each. */
const nonsense: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  logAdvanced: [
    [undefined, 'the message is not an object'],
    ['up to 5', 'the message is not an object'],
    [{}, 'logs is not a list'],
    [{ logs: [null] }, 'an entry of logs is not an object'],
    [
      { logs: [{ log: '__proto__', sealedTo: 0, frontier: during }] },
      'not the name of a source log: __proto__',
    ],
    [{ logs: [{ log, sealedTo: '5', frontier: during }] }, 'not a whole number from -1 on: 5'],
    [{ logs: [{ log, sealedTo: 0, frontier: 'soon' }] }, 'not an instant: soon'],
  ],
  windowBuilt: [
    [null, 'the message is not an object'],
    [silverReport({ window: 'noon' }), 'not a window: noon'],
    [{ ...silverReport(), through: undefined }, 'through is not an object'],
    [{ ...silverReport(), layer: 'bronze' }, 'not one of silver, gold: bronze'],
    [
      { ...silverReport(), outcome: 'fine' },
      'not one of published, unchanged, superseded, blocked, failed: fine',
    ],
    [{ ...silverReport(), durationMs: 'long' }, 'not a whole number from 0 on: long'],
  ],
  hourDue: [
    [undefined, 'the message is not an object'],
    [{ hour: '2026-01-01' }, 'not an hour: 2026-01-01'],
    [{ hour: 5 }, 'not an hour: 5'],
    [{ hour: '9999-12-31T23' }, 'has not begun: 9999-12-31T23'],
  ],
};

describeScenarios('lakehouse-messages', (scenario) => {
  scenario('records signals that make no sense, ignores them and goes on', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);
    const before = await owner.status();

    for (const [name, cases] of Object.entries(nonsense)) {
      for (const [payload] of cases) await owner.handle.signal(name, payload);
    }
    await owner.handle.signal('unheardOf', { some: 'thing' });
    const { ignored, ...rest } = await owner.status();
    assert.deepEqual({ ...rest, ignored: [] }, before);
    // Which five were the last hangs on when the settings came: reports wait for them.
    assert.equal(ignored.length, 5);

    await owner.advance(0, during);
    await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    const said = bed
      .warnings(dataset)
      .map(({ facts }) => `${String(facts['signal'])}: ${String(facts['reason'])}`);
    const wanted = Object.entries(nonsense).flatMap(([name, cases]) =>
      cases.map(([, reason]) => `${name}: ${reason}`),
    );
    assert.deepEqual([...new Set(said)].toSorted(), [...new Set(wanted)].toSorted());
    await bed.record('nonsense-signals', owner.handle);
  });

  scenario('takes a frontier that is ahead of the clock for now', async (bed) => {
    const dataset = bed.dataset(stubLake());
    const owner = await startOwner(bed, dataset, { nextToClose: null });

    await owner.advance(-1, '9999-12-31T23:59:59.000Z');
    const { logs } = await owner.until('the frontier', (state) => state.logs[log] !== undefined);

    assert.ok(Date.parse(logs[log]!.frontier) <= Date.now() + 60_000);
  });

  scenario('is started by the first signal, which it takes up', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);

    await signalOwner(bed.client, dataset, advanced(0, afterwards));
    const owner = ownerOf(bed, dataset);
    const state = await owner.until('the build', ({ counters }) => counters.silverBuilt === 1);

    // Hours are closed from the first signal on, and this one was long over by then.
    assert.deepEqual(
      lake.calls('stageSilver').map(({ window, mode }) => ({ window, mode })),
      [{ window: firstHour, mode: 'rebuild' }],
    );
    assert.deepEqual(state.logs[log]?.routedTo, 0);
    await bed.record('started-by-signal', owner.handle);
  });

  scenario('answers how far it is, and shows it to those who look at the Web UI', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);
    await signalOwner(bed.client, dataset, advanced(0, during));
    const owner = ownerOf(bed, dataset);
    await owner.until('the build', ({ counters }) => counters.silverBuilt === 1);

    const bookmark = await owner.handle.query<Record<string, { sealedTo: number }>, []>('bookmark');
    assert.deepEqual(Object.keys(bookmark), [log]);
    assert.deepEqual(bookmark, (await owner.status()).logs);
    const description = await owner.handle.describe();
    assert.equal(await description.staticSummary(), `owner of all windows of ${dataset}`);
    const details = await eventually('the current details', async () => {
      const { currentDetails } = await owner.handle.query<{ currentDetails: string }, []>(
        '__temporal_workflow_metadata',
      );
      return /1 silver and 0 gold versions published/.test(currentDetails) && currentDetails;
    });
    assert.match(details, /^Complete up to 2026-01-01T05:30:00\.000Z\./);

    const build = bed.client.workflow.getHandle(`silver/${dataset}/${firstHour}`);
    assert.match((await (await build.describe()).staticSummary()) ?? '', / of 2026-01-01T05$/);
    const found = await eventually('the build in the list', async () => {
      const query = `IngotDataset = '${dataset}' AND IngotLayer = 'silver' AND IngotWindow = '${firstHour}'`;
      for await (const { workflowId } of bed.client.workflow.list({ query })) return workflowId;
      return undefined;
    });
    assert.equal(found, build.workflowId);
  });

  scenario('starts no build while it is paused, and goes on when it is resumed', async (bed) => {
    const lake = stubLake({ windows: [firstHour] });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.handle.executeUpdate('pause', {
      args: [{ author: 'ops', reason: 'a look at the sources' }],
    });
    await owner.advance(0, during);
    const paused = await owner.until('the route', ({ logs }) => logs[log]?.routedTo === 0);
    assert.equal(paused.paused, true);
    assert.deepEqual(
      [paused.pauseSaid?.author, paused.pauseSaid?.reason],
      ['ops', 'a look at the sources'],
    );
    assert.deepEqual(lake.calls('stageSilver'), []);

    await owner.handle.executeUpdate('resume', { args: [{ reason: 'seen' }] });
    const state = await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    assert.equal(state.paused, false);
    await bed.record('pause-resume', owner.handle);
  });

  scenario(
    'refuses to pause or resume without a reason, and leaves no trace of it',
    async (bed) => {
      const dataset = bed.dataset(stubLake());
      const owner = await startOwner(bed, dataset, { paused: true });

      for (const [name, request] of [
        ['pause', undefined],
        ['pause', { reason: ' ' }],
        ['resume', null],
        ['resume', { reason: 5 }],
      ] as const) {
        await assert.rejects(
          owner.handle.executeUpdate<void, [unknown]>(name, { args: [request] }),
          (error: unknown) =>
            error instanceof WorkflowUpdateFailedError && /say why/.test(String(error.cause)),
        );
      }

      assert.equal((await owner.status()).paused, true);
      const { events } = await owner.handle.fetchHistory();
      const updates = (events ?? []).filter(
        (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
      );
      assert.equal(updates.length, 0);
    },
  );

  scenario('builds the gold of a due hour when the hour is over and sealed', async (bed) => {
    const gold = [{ name: 'due_hours', grain: 'hour' }] as const;
    const lake = stubLake({ windows: [firstHour], settings: { gold, goldRefresh: 'schedule' } });
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);

    await owner.advance(0, during);
    await owner.until('the fold', ({ counters }) => counters.silverBuilt === 1);
    await owner.handle.signal('hourDue', { hour: firstHour });
    await owner.handle.signal('hourDue', { hour: firstHour });
    const waiting = await owner.until('the hour', ({ dues }) => dues.length > 0);
    assert.deepEqual(
      waiting.dues.map(({ hour }) => hour),
      [firstHour],
    );
    assert.deepEqual(lake.calls('stageGold'), []);

    await owner.advance(0, afterwards);
    const state = await owner.until('the gold', ({ counters }) => counters.goldBuilt === 1);
    assert.deepEqual(
      lake.calls('stageGold').map(({ window, complete }) => ({ window, complete })),
      [{ window: firstHour, complete: true }],
    );
    assert.deepEqual(state.dues, []);
    await bed.record('hour-due', owner.handle);
  });

  scenario(
    'lets the gold of a due hour go, marked incomplete, after the longest wait',
    async (bed) => {
      const gold = [{ name: 'late_hours', grain: 'hour' }] as const;
      const settings = { gold, goldRefresh: 'schedule', maxWaitMs: 1 } as const;
      const lake = stubLake({ windows: [nextHour], settings });
      const dataset = bed.dataset(lake);
      const owner = await startOwner(bed, dataset);

      await owner.advance(0, during);
      await owner.handle.signal('hourDue', { hour: firstHour });
      await owner.until('the gold', ({ counters }) => counters.goldBuilt === 1);

      assert.deepEqual(
        lake.calls('stageGold').map(({ window, complete }) => ({ window, complete })),
        [{ window: firstHour, complete: false }],
      );
      assert.ok(
        bed
          .warnings(dataset)
          .some(({ message }) => message === 'gold goes on with an incomplete hour'),
      );
      await bed.record('hour-due-incomplete', owner.handle);
    },
  );
});
