import assert from 'node:assert/strict';
import { events } from '../../src/datasets/events.ts';
import { laneId } from '../../src/lake/messages.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { type TemporalClient, connectClient } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* What an operator does to the running ingest activity by Temporal's own means, on real parts. */

/** States of a pending activity in Temporal's interface. */
const states = { started: 2, paused: 4 } as const;
const waiting = { limitMs: 120_000, everyMs: 100 };
const endMs = endOfClosedHours();

describe('the ingest activity under an operator', function () {
  this.timeout(600_000);
  let pipeline: Pipeline;
  let temporal: TemporalClient;
  let chunks: StreamRecord[][];

  before(async () => {
    pipeline = await startPipeline('operator');
    temporal = await connectClient(pipeline.config);
    const sent = generateEvents({
      ...{ profile: 'ecommerce', seed: 9, count: 1_500 },
      start: new Date(endMs - 3_600_000).toISOString(),
      end: new Date(endMs).toISOString(),
      rates: { duplicates: 0, malformed: 0.03, late: 0 },
    });
    const all = [...sent];
    chunks = Array.from({ length: 15 }, (_, index) => all.slice(index * 100, index * 100 + 100));
  });

  after(async () => {
    await temporal.connection.close();
    await pipeline.stop();
  });

  const lane = () => temporal.client.workflow.getHandle(laneId(events.name, 'lane-0'));
  const request = () => ({
    namespace: pipeline.config.temporalNamespace,
    execution: { workflowId: laneId(events.name, 'lane-0') },
    type: 'ingest',
  });
  const running = async () => (await lane().describe()).raw.pendingActivities?.[0];
  const inState = (state: number) =>
    eventually(
      `an activity in state ${state}`,
      async () => Number((await running())?.state) === state,
      waiting,
    );
  const startedAt = async () => {
    const { seconds, nanos } = (await running())?.lastStartedTime ?? {};
    return `${String(seconds)}.${nanos}`;
  };
  const sealed = async () => (await pipeline.figures()).consumption;

  async function produce(from: number, to: number): Promise<void> {
    for (const chunk of chunks.slice(from, to)) await pipeline.produce(chunk);
  }

  it('rests while it is paused, and goes on with what came meanwhile', async () => {
    await produce(0, 3);
    await pipeline.settle();
    await temporal.connection.workflowService.pauseActivity(request());
    await inState(states.paused);
    await produce(3, 5);
    const whilePaused = await sealed();
    await temporal.connection.workflowService.unpauseActivity(request());
    await pipeline.settle();

    assert.equal(whilePaused.bronze + whilePaused.deadLetters, 300);
    const after = await sealed();
    assert.equal(after.bronze + after.deadLetters, 500);
  });

  it('begins again where it was when it is reset under load', async () => {
    await inState(states.started);
    const before = await startedAt();
    const producing = produce(5, 10);
    await temporal.connection.workflowService.resetActivity(request());
    // Where it was not the first attempt, the server takes the running one for lost (1.29): it is told
    // that nobody knows it, stops, and the next one starts when it has not been heard of for a while.
    const isNext = async () =>
      Number((await running())?.state) === states.started && (await startedAt()) !== before;
    await eventually('the next attempt', isNext, waiting);
    await producing;
    await pipeline.settle();

    const { bronze, deadLetters } = await sealed();
    assert.equal(bronze + deadLetters, 1_000);
  });

  it('ends when its lane is cancelled, and a worker that starts goes on', async () => {
    await lane().cancel();
    await assert.rejects(lane().result());
    assert.equal((await lane().describe()).status.name, 'CANCELLED');
    await produce(10, 15);
    const whileCancelled = await sealed();
    await pipeline.restartWorker('ingest');
    await pipeline.settle();

    assert.equal(whileCancelled.bronze + whileCancelled.deadLetters, 1_000);
    const { consumption, identitiesHold } = await pipeline.figures();
    assert.equal(consumption.bronze + consumption.deadLetters, 1_500);
    assert.equal(identitiesHold, true);
  });
});
