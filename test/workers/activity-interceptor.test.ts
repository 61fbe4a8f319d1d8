import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mock } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import {
  Client,
  type Connection,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import { type IngestResult, laneId, taskQueues } from '../../src/lake/messages.ts';
import { connectTemporal } from '../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../src/stack/temporal-namespace.ts';
import { activityInterceptor } from '../../src/workers/activity-interceptor.ts';
import { connectWorker, ensureLane } from '../../src/workers/temporal.ts';
import { shippedBundle } from '../support/temporal/bundle.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { beQuiet } from '../support/temporal/workflow-bed.ts';

/** States of a pending activity in Temporal's interface. */
const states = { scheduled: 1, started: 2, paused: 4, pauseRequested: 5 } as const;

/** Works until it is told to stop, the way libraries do: by an AbortError of Temporal's own signal. */
async function abortable(): Promise<never> {
  const context = Context.current();
  for (;;) {
    context.heartbeat();
    await pause(20, undefined, { signal: context.cancellationSignal });
  }
}

type PendingActivity = {
  readonly state?: number | null;
  readonly attempt?: number | null;
  readonly lastFailure?: { readonly message?: string | null } | null;
};

type Lane = {
  readonly handle: WorkflowHandle;
  readonly stop: () => Promise<void>;
  /** Times that an attempt of the activity has ended, in any way. */
  readonly ended: () => number;
  readonly pending: () => Promise<PendingActivity | undefined>;
};

describe('activityInterceptor', function () {
  this.timeout(180_000);
  const namespace = `interceptor-${randomBytes(4).toString('hex')}`;
  let connection: Connection;
  let native: NativeConnection;
  let client: Client;
  let workflows: { readonly worker: Worker; readonly run: Promise<void> };
  const lanes: Lane[] = [];

  before(async () => {
    beQuiet();
    const config = loadConfig(process.env);
    connection = await connectTemporal(config, 60_000);
    await ensureTemporalNamespace({ connection, namespace });
    native = await connectWorker(config);
    client = new Client({ connection, namespace });
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: taskQueues.workflows,
      workflowBundle: await shippedBundle(),
    });
    workflows = { worker, run: worker.run() };
  });
  afterEach(async () => {
    await Promise.all(lanes.splice(0).map(({ stop }) => stop()));
  });
  after(async () => {
    workflows.worker.shutdown();
    await workflows.run;
    await native.close();
    await connection.close();
  });

  /** A lane whose worker does this instead of ingesting, with the interceptor or without. */
  async function startLane(
    activity: () => Promise<IngestResult>,
    { intercepted }: { readonly intercepted: boolean } = { intercepted: true },
  ): Promise<Lane> {
    const dataset = `d${randomBytes(4).toString('hex')}`;
    let ended = 0;
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: taskQueues.ingest,
      maxHeartbeatThrottleInterval: '50ms',
      activities: { ingest: () => activity().finally(() => (ended += 1)) },
      interceptors: {
        activity: intercepted ? [activityInterceptor({ keepAlive: false })] : [],
      },
    });
    const run = worker.run();
    await ensureLane(client, dataset, 'lane-0');
    const handle = client.workflow.getHandle(laneId(dataset, 'lane-0'));
    const lane: Lane = {
      handle,
      stop: async () => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await run;
      },
      ended: () => ended,
      pending: async () => (await handle.describe()).raw.pendingActivities?.[0] ?? undefined,
    };
    lanes.push(lane);
    await eventually(
      'the activity',
      async () => ended > 0 || (await lane.pending())?.state === states.started,
    );
    return lane;
  }

  const request = ({ handle }: Lane) => ({
    namespace,
    execution: { workflowId: handle.workflowId },
    type: 'ingest',
  });

  function attempt(lane: Lane, number: number): Promise<PendingActivity> {
    return eventually(`attempt ${number}`, async () => {
      const found = await lane.pending();
      return found?.attempt === number && found;
    });
  }

  describe('where work is stopped by an AbortError', () => {
    it('lets a pause take effect, which the SDK alone leaves open', async () => {
      const plain = await startLane(abortable, { intercepted: false });
      await connection.workflowService.pauseActivity(request(plain));
      await eventually('the end of the attempt', () => plain.ended() === 1);
      await plain.stop();

      const mended = await startLane(abortable);
      await connection.workflowService.pauseActivity(request(mended));
      const paused = await eventually('the pause', async () => {
        const found = await mended.pending();
        return found?.state === states.paused && found;
      });

      assert.equal(paused.lastFailure?.message, 'Activity paused');
      // The SDK said "cancelled", which the server refuses where no cancellation was asked for.
      assert.equal((await plain.pending())?.state, states.pauseRequested);
      await Promise.all([plain.handle.terminate(), mended.handle.terminate()]);
    });

    it('lets a reset begin the next attempt at once', async () => {
      const lane = await startLane(abortable);
      await connection.workflowService.resetActivity(request(lane));
      const next = await attempt(lane, 2);

      assert.equal(next.lastFailure?.message, 'Activity reset');
      await lane.handle.terminate();
    });

    it('ends the workflow as cancelled when it was cancelled', async () => {
      const lane = await startLane(abortable);
      await lane.handle.cancel();

      await assert.rejects(
        lane.handle.result(),
        (error) => error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure,
      );
    });

    it('leaves the slice to another worker when its own is shut down', async () => {
      const lane = await startLane(abortable);
      await lane.stop();
      const left = await attempt(lane, 2);

      assert.equal(left.state, states.scheduled);
      assert.match(left.lastFailure?.message ?? '', /shut/i);
      await lane.handle.terminate();
    });

    it('sees through a fault that an adapter made of it', async () => {
      const lane = await startLane(async () => {
        try {
          return await abortable();
        } catch (cause) {
          throw new IngotError('PART_UNREACHABLE', 'no answer', { retryable: true, cause });
        }
      });
      await lane.handle.cancel();

      await assert.rejects(
        lane.handle.result(),
        (error) => error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure,
      );
    });
  });

  it('makes a fault a failure whose type is the code, and retries only what may succeed', async () => {
    let attempts = 0;
    const lane = await startLane(async () => {
      attempts += 1;
      const retryable = attempts === 1;
      throw new IngotError(retryable ? 'PART_UNREACHABLE' : 'TOPIC_CHANGED', 'the topic ends', {
        retryable,
        facts: { topic: 'orders', wanted: 7 },
      });
    });

    await assert.rejects(lane.handle.result(), (error) => {
      assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ActivityFailure);
      const failure = error.cause.cause;
      assert.ok(failure instanceof ApplicationFailure);
      assert.equal(failure.type, 'TOPIC_CHANGED');
      assert.equal(failure.nonRetryable, true);
      assert.equal(failure.message, 'the topic ends [topic=orders, wanted=7]');
      assert.deepEqual(failure.details, [{ topic: 'orders', wanted: 7 }]);
      return true;
    });
    assert.equal(attempts, 2);
  });

  it('keeps work alive that does not heartbeat by itself, until it ends, however it ends', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let beats = 0;
      const context = {
        info: { heartbeatTimeoutMs: 60_000 },
        cancellationSignal: new AbortController().signal,
        heartbeat: () => void (beats += 1),
      };
      const { inbound } = activityInterceptor({ keepAlive: true })(context as unknown as Context);
      let fail = (_: Error): void => undefined;
      const work = new Promise((_, reject) => (fail = reject));
      const run = inbound!.execute!({ args: [], headers: {} }, () => work);

      mock.timers.tick(30_000);
      assert.equal(beats, 3);
      fail(new Error('over'));
      await assert.rejects(run, /over/);
      mock.timers.tick(30_000);
      assert.equal(beats, 3);
    } finally {
      mock.timers.reset();
    }
  });

  it('beats several times before Temporal would give the work up, however short that is', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let beats = 0;
      const context = {
        info: { heartbeatTimeoutMs: 4_000 },
        cancellationSignal: new AbortController().signal,
        heartbeat: () => void (beats += 1),
      };
      const { inbound } = activityInterceptor({ keepAlive: true })(context as unknown as Context);
      let end: (value: unknown) => void = () => undefined;
      const run = inbound!.execute!({ args: [], headers: {} }, () => new Promise((r) => (end = r)));

      mock.timers.tick(3_999);
      assert.equal(beats, 3);
      end('done');
      await run;
    } finally {
      mock.timers.reset();
    }
  });
});
