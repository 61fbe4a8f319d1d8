/* Longer than 300 lines because the scenarios of one workflow share their stubs. */

import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import {
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { type IngestResult, type LogPosition, laneId } from '../../src/lake/messages.ts';
import { ensureLane } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type StubLake, stubLake } from '../support/temporal/stub-lake.ts';
import { closedGate, during, log } from '../support/temporal/test-owner.ts';
import { type WorkflowBed, describeScenarios } from '../support/temporal/workflow-bed.ts';

function position(number: number, stopped: LogPosition['stopped'] = null): LogPosition {
  return {
    log,
    number,
    offsetNext: String(100 * number),
    frontier: during,
    batches: 1,
    records: 100,
    rows: 100,
    deadLetters: 0,
    stopped,
  };
}

async function startLane(bed: WorkflowBed, lake: StubLake): Promise<WorkflowHandle> {
  const dataset = bed.dataset(lake);
  await ensureLane(bed.client, dataset, 'lane-0');
  return bed.client.workflow.getHandle(laneId(dataset, 'lane-0'));
}

/** Slices that end at once up to a number, and a last one that goes on for as long as the test. */
function slices(count: number, answer: (number: number) => IngestResult) {
  const gate = closedGate();
  let number = 0;
  const ingest = async (): Promise<IngestResult> => {
    number += 1;
    if (number > count) await gate.opened;
    return answer(number);
  };
  return { ingest, open: gate.open };
}

const slice = (number: number): IngestResult => ({
  ended: 'slice',
  revision: 0,
  logs: [position(number)],
});

/** A slice that goes on until a decision ends it. */
async function untilCancelled(): Promise<never> {
  const context = Context.current();
  const beating = setInterval(() => context.heartbeat(), 50);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(beating);
  }
}

function decide(handle: WorkflowHandle, update: string): Promise<unknown> {
  return handle.executeUpdate(update, { args: [{ log, author: 'ann', reason: 'known loss' }] });
}

function saying(pattern: RegExp) {
  return (error: unknown): boolean =>
    error instanceof WorkflowUpdateFailedError && pattern.test(error.cause?.message ?? '');
}

describeScenarios('ingest-lane', (scenario) => {
  scenario('keeps the positions of every slice in its history, and shows the last', async (bed) => {
    const stub = slices(3, slice);
    const lake = stubLake(stub);
    const handle = await startLane(bed, lake);

    await lake.called('ingest', 4);
    const positions = await handle.query<readonly LogPosition[], []>('positions');
    const { currentDetails } = await handle.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    );
    const { events } = await handle.fetchHistory();
    await handle.terminate();
    stub.open();

    assert.deepEqual(positions, [position(3)]);
    assert.equal(currentDetails, 'orders-0: entry 3, next offset 300');
    const completed = (events ?? []).flatMap((event) => {
      const data = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
      return data
        ? [(JSON.parse(Buffer.from(data).toString()) as IngestResult).logs[0]?.number]
        : [];
    });
    assert.deepEqual(completed, [1, 2, 3]);
  });

  scenario('says which source log does not go on, and why', async (bed) => {
    const stopped = { code: 'OFFSETS_LOST', message: 'wanted 5, there is 9 [partition=0]' };
    const stub = slices(1, (number) => ({
      ended: 'slice',
      revision: 0,
      logs: [position(number, stopped)],
    }));
    const lake = stubLake(stub);
    const handle = await startLane(bed, lake);

    await lake.called('ingest', 2);
    const { currentDetails } = await handle.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    );
    await handle.terminate();
    stub.open();

    assert.equal(currentDetails, 'orders-0: stopped, wanted 5, there is 9 [partition=0]');
  });

  scenario('goes on after a hole only when a person accepts it', async (bed) => {
    const stopped = { code: 'OFFSETS_LOST', message: 'wanted 5, there is 9 [partition=0]' };
    const lake = stubLake({ ingest: untilCancelled });
    const handle = await startLane(bed, lake);
    await lake.called('ingest', 1);
    await handle.signal('logsStopped', { stopped: [position(1, stopped)] });

    await assert.rejects(decide(handle, 'resumeLog'), saying(/is stopped by OFFSETS_LOST/));
    await assert.rejects(decide(handle, 'pauseLog'), saying(/is stopped by OFFSETS_LOST/));
    const accepted = await decide(handle, 'acceptOffsetGap');
    await assert.rejects(decide(handle, 'acceptOffsetGap'), saying(/is not stopped/));
    await bed.record('gap-accepted', handle);
    await handle.terminate();

    assert.deepEqual(accepted, { log, number: 7, offsetFirst: '5', offsetNext: '9' });
    const [asked] = lake.calls('acceptGap');
    assert.deepEqual(
      { ...asked, id: null, dataset: null },
      { log, author: 'ann', reason: 'known loss', code: 'OFFSETS_LOST', id: null, dataset: null },
    );
    assert.deepEqual(
      lake.calls('changeControl').map(({ change }) => change),
      [{ kind: 'goOn', log }],
    );
    assert.equal(lake.calls('ingest').length, 1, 'the other logs were not disturbed');
  });

  scenario('pauses and resumes one log while the slice goes on', async (bed) => {
    const lake = stubLake({ ingest: untilCancelled });
    const handle = await startLane(bed, lake);
    await lake.called('ingest', 1);

    await assert.rejects(decide(handle, 'resumeLog'), saying(/is not stopped/));
    await assert.rejects(decide(handle, 'acceptOffsetGap'), saying(/is not stopped/));
    await assert.rejects(handle.executeUpdate('pauseLog', { args: ['nonsense'] }));
    await decide(handle, 'pauseLog');
    await assert.rejects(decide(handle, 'pauseLog'), saying(/is stopped by PAUSED/));
    await decide(handle, 'resumeLog');
    await bed.record('paused-and-resumed', handle);
    await handle.terminate();

    assert.deepEqual(
      lake.calls('changeControl').map(({ change }) => change),
      [
        { kind: 'pause', log, author: 'ann', reason: 'known loss' },
        { kind: 'goOn', log },
      ],
    );
    assert.equal(lake.calls('ingest').length, 1, 'the other logs were not disturbed');
  });

  scenario(
    'shows what the running slice tells of stopped logs, and ignores nonsense',
    async (bed) => {
      const stopped = { code: 'TOPIC_CHANGED', message: 'another record' };
      const lake = stubLake({ ingest: untilCancelled });
      const handle = await startLane(bed, lake);
      await lake.called('ingest', 1);
      const positions = () => handle.query<readonly LogPosition[], []>('positions');

      await handle.signal('logsStopped', { stopped: [position(4, stopped)] });
      assert.deepEqual(await positions(), [position(4, stopped)]);
      await handle.signal('logsStopped', { stopped: 'all of them' });
      assert.deepEqual(await positions(), [position(4, stopped)]);
      await handle.signal('logsStopped', { stopped: [] });
      assert.deepEqual(await positions(), [position(4)]);
      await handle.terminate();
    },
  );

  scenario(
    'ends as cancelled also when its slice meets a passing fault at its end',
    async (bed) => {
      const lake = stubLake({
        ingest: async () => {
          await untilCancelled().catch(() => undefined);
          throw ApplicationFailure.retryable('Kafka cannot answer now', 'PART_UNREACHABLE');
        },
      });
      const handle = await startLane(bed, lake);
      await lake.called('ingest', 1);

      await handle.cancel();
      await assert.rejects(handle.result());
      assert.equal((await handle.describe()).status.name, 'CANCELLED');
    },
  );

  scenario('does not take back a log that another writer has taken over', async (bed) => {
    const stopped = { code: 'WRITER_REPLACED', message: 'another writer' };
    const lake = stubLake({
      ingest: async ({ without }) =>
        without?.logs.includes(log)
          ? untilCancelled()
          : { ended: 'slice', revision: 3, logs: [position(1, stopped)] },
    });
    const handle = await startLane(bed, lake);
    await lake.called('ingest', 2);
    await handle.terminate();

    assert.deepEqual(lake.calls('ingest')[1]?.without, { logs: [log], revision: 3 });
  });

  scenario('ends when it is one lane too many, unless it is wanted again', async (bed) => {
    const gates = [closedGate(), closedGate()];
    let number = 0;
    const lake = stubLake({
      ingest: async () => {
        number += 1;
        await gates[number - 1]?.opened;
        return { ended: 'retired', revision: 1, logs: [] };
      },
    });
    const handle = await startLane(bed, lake);
    await lake.called('ingest', 1);
    await startLaneAgain(bed, handle);
    gates[0]!.open();
    await lake.called('ingest', 2);
    gates[1]!.open();
    await handle.result();
    await bed.record('retired', handle);

    assert.equal(lake.calls('ingest').length, 2);
    assert.equal((await handle.describe()).status.name, 'COMPLETED');
  });

  scenario(
    'survives a slice that fails, and is one lane however often it is started',
    async (bed) => {
      const stub = slices(3, (number) => {
        if (number === 2) throw ApplicationFailure.retryable('no broker', 'PART_UNREACHABLE');
        return slice(number);
      });
      const lake = stubLake(stub);
      const handle = await startLane(bed, lake);
      await startLaneAgain(bed, handle);

      await lake.called('ingest', 4);
      assert.deepEqual(await handle.query('positions'), [position(3)]);
      await bed.record('slices-with-a-retry', handle);
      await handle.terminate();
      stub.open();
    },
  );

  scenario('ends with the code of a fault that no retry mends', async (bed) => {
    const stub = slices(1, () => {
      throw ApplicationFailure.nonRetryable('Kafka refuses the login', 'CONFIG_INVALID');
    });
    const handle = await startLane(bed, stubLake(stub));

    await assert.rejects(handle.result(), (error: unknown) => {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      return (
        cause instanceof ActivityFailure &&
        cause.cause instanceof ApplicationFailure &&
        cause.cause.type === 'CONFIG_INVALID'
      );
    });
    await bed.record('permanent-fault', handle);
  });

  scenario(
    'begins a new run when it is asked to, with the positions of the last slice',
    async (bed) => {
      const stub = slices(3, slice);
      const lake = stubLake(stub);
      const handle = await startLane(bed, lake);

      await lake.called('ingest', 4);
      const before = await handle.describe();
      await handle.signal('renew');
      stub.open();
      const after = await eventually('the new run', async () => {
        const now = await handle.describe();
        return now.runId !== before.runId && now;
      });
      const { events } = await handle.fetchHistory();
      await handle.terminate();

      assert.equal(after.status.name, 'RUNNING');
      const started = events?.[0]?.workflowExecutionStartedEventAttributes;
      const [input] = started?.input?.payloads ?? [];
      assert.deepEqual(JSON.parse(Buffer.from(input?.data ?? []).toString()), {
        dataset: lake.calls('ingest')[0]?.dataset,
        lane: 'lane-0',
        revision: 0,
        logs: [position(4)],
      });
      assert.deepEqual(lake.calls('ingest').at(-1), lake.calls('ingest')[0]);
      const first = bed.client.workflow.getHandle(handle.workflowId, before.runId);
      await bed.record('renewed', first);
    },
  );

  scenario('begins a new run when its history has grown large', async (bed) => {
    // Temporal suggests a new run from 4 MiB on.
    const filler = { code: 'OFFSETS_LOST', message: 'x'.repeat(1_500_000) } as const;
    const stub = slices(4, (number) => ({
      ended: 'slice',
      revision: 0,
      logs: [position(number, number < 4 ? filler : null)],
    }));
    const lake = stubLake(stub);
    const handle = await startLane(bed, lake);
    const before = await handle.describe();

    await eventually('the new run', async () => (await handle.describe()).runId !== before.runId);
    await handle.terminate();
    stub.open();
  });
});

async function startLaneAgain(bed: WorkflowBed, handle: WorkflowHandle): Promise<void> {
  const before = await handle.describe();
  await ensureLane(bed.client, handle.workflowId.split('/')[1]!, 'lane-0');
  assert.equal((await handle.describe()).runId, before.runId);
}
