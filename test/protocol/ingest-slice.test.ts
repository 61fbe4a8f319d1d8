import assert from 'node:assert/strict';
import { changeControl } from '../../src/activities/control.ts';
import { takeOver } from '../../src/activities/ingest-takeover.ts';
import { IngotError } from '../../src/errors.ts';
import type { ControlChange } from '../../src/lake/control.ts';
import { laneOf } from '../../src/lake/lanes.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { writerDeps } from '../activities-unit/support/ingest-bed.ts';
import {
  type LaneBed,
  type RunningLane,
  createLaneBed,
  entriesOf,
  offsetsInLake,
  topic,
  topicPartitions,
} from '../activities-unit/support/lane-bed.ts';

const all = Array.from({ length: topicPartitions }, (_, partition) => partition);
const logOf = (partition: number) => `${topic}-${partition}`;
const change = (bed: LaneBed, what: ControlChange) => changeControl(bed.objects, 'events', what);
const decision = { author: 'ann', reason: 'why' };

/** Waits until lanes together say that they have sealed so much of these topic partitions. */
async function sealed(lanes: readonly RunningLane[], partitions: readonly number[], end: number) {
  await eventually(`${end} of ${partitions.join()} sealed`, () =>
    partitions.every((partition) =>
      lanes.some((lane) =>
        lane
          .positions()
          .some(({ log, offsetNext }) => log === logOf(partition) && Number(offsetNext) >= end),
      ),
    ),
  );
}

function at(lane: RunningLane, partition: number) {
  return lane.positions().find(({ log }) => log === logOf(partition));
}

async function end(...lanes: readonly RunningLane[]): Promise<void> {
  for (const lane of lanes) lane.drain();
  await Promise.allSettled(lanes.map(({ result }) => result));
}

describe('runSlice', function () {
  this.timeout(180_000);
  let bed: LaneBed;
  const produce = (count: number, partitions = all) => {
    for (const partition of partitions) bed.produce(partition, count);
  };
  beforeEach(() => {
    bed = createLaneBed();
  });

  it('moves topic partitions from one lane to two and back, none lost, none twice, the others undisturbed', async () => {
    const first = bed.startLane(0);
    produce(40);
    await sealed([first], all, 30);
    await change(bed, { kind: 'lanes', lanes: 2 });
    const second = bed.startLane(1);
    produce(40);
    await sealed([first, second], all, 80);
    assert.equal(second.positions().length, 2);
    await change(bed, { kind: 'lanes', lanes: 1 });
    produce(40);
    assert.equal((await second.result).ended, 'retired');
    await sealed([first], all, 120);
    await end(first);

    for (const partition of all) {
      assert.deepEqual(
        await offsetsInLake(bed, partition),
        Array.from({ length: 120 }, (_, offset) => offset),
      );
      const takeovers = (await entriesOf(bed, logOf(partition))).filter(
        ({ kind }) => kind === 'takeover',
      );
      const isMoved = laneOf({ topic, partition }, 2) === 1;
      assert.equal(takeovers.length, isMoved ? 3 : 1, `takeovers of ${partition}`);
    }
  });

  it('counts from when its logs are taken over, however long that takes', async () => {
    const beganMs = bed.clock.nowMs;
    const slice = bed.startLane(0, null, { sliceMs: 1_000, silentMs: 5_000 });
    produce(20);
    const { ended, logs } = await slice.result;
    assert.equal(ended, 'slice');
    assert.ok(bed.clock.nowMs - beganMs >= 6_000);
    assert.ok(logs.every(({ offsetNext }) => offsetNext === '20'));
  });

  it('pauses one log and lets it go on, while the others are not disturbed', async () => {
    const lane = bed.startLane(0);
    produce(20);
    await sealed([lane], all, 20);
    await change(bed, { kind: 'pause', log: logOf(1), ...decision });
    await eventually('the pause', () => at(lane, 1)?.stopped?.code === 'PAUSED');
    await eventually('the lane to be told', () => lane.told.length > 0);
    assert.deepEqual(
      lane.told.at(-1)?.map(({ log, stopped }) => [log, stopped?.message]),
      [[logOf(1), 'paused by ann: why']],
    );
    produce(20);
    await sealed([lane], [0, 2, 3], 40);
    assert.equal(at(lane, 1)?.offsetNext, '20');
    await change(bed, { kind: 'goOn', log: logOf(1) });
    await sealed([lane], all, 40);
    await eventually('the lane to be told', () => lane.told.at(-1)?.length === 0);
    await end(lane);

    for (const partition of all) {
      const takeovers = (await entriesOf(bed, logOf(partition))).filter(
        ({ kind }) => kind === 'takeover',
      );
      assert.equal(takeovers.length, partition === 1 ? 2 : 1);
    }
  });

  it('stops at a hole in one topic partition alone, and tells so', async () => {
    const lane = bed.startLane(0);
    produce(20);
    await sealed([lane], all, 20);
    bed.source.appendGap(topic, 2, 50);
    bed.source.setOffsetStart(topic, 2, '60');
    produce(20, [0, 1, 3]);
    await sealed([lane], [0, 1, 3], 40);
    await eventually('the stop', () => lane.told.at(-1)?.[0]?.stopped?.code === 'OFFSETS_LOST');
    assert.equal(lane.told.at(-1)?.[0]?.log, logOf(2));
    produce(20, [0, 1, 3]);
    await sealed([lane], [0, 1, 3], 60);
    await end(lane);
    assert.equal((await lane.result).ended, 'draining');
  });

  it('does not take back what another writer has, until the control says so', async () => {
    const lane = bed.startLane(0);
    produce(20);
    await sealed([lane], all, 20);
    const described = await bed.source.describeTopic(topic);
    await takeOver(writerDeps(bed, 'foreign'), described[3]!);
    produce(20);
    await sealed([lane], [0, 1, 2], 40);
    await eventually('the stop', () => at(lane, 3)?.stopped?.code === 'WRITER_REPLACED');
    produce(20, [0, 1, 2]);
    await sealed([lane], [0, 1, 2], 60);
    assert.equal((await entriesOf(bed, logOf(3))).at(-1)?.writer, 'foreign');

    await change(bed, { kind: 'goOn', log: logOf(3) });
    await sealed([lane], [3], 40);
    await end(lane);
    assert.deepEqual(
      await offsetsInLake(bed, 3),
      Array.from({ length: 40 }, (_, offset) => offset),
    );
  });

  it('never leaves a log to an attempt of its own lane that woke up: it fails, and is started again', async () => {
    const lane = bed.startLane(0);
    produce(20);
    await sealed([lane], all, 20);
    const own = (await entriesOf(bed, logOf(3))).at(-1)!.writer;
    const described = await bed.source.describeTopic(topic);
    await takeOver(writerDeps(bed, `${own}/woken`), described[3]!);

    produce(20);
    let failure: unknown = null;
    lane.result.catch((error: unknown) => (failure = error));
    await eventually('the end', () => failure !== null || (at(lane, 3)?.stopped ?? null) !== null);
    await end(lane);
    assert.ok(failure instanceof IngotError, 'the slice does not go on without the log');
    assert.deepEqual([failure.code, failure.retryable], ['WRITER_REPLACED', true]);
  });

  it('takes back from another lane what is its own by the control', async () => {
    const lane = bed.startLane(0);
    produce(20);
    await sealed([lane], all, 20);
    const described = await bed.source.describeTopic(topic);
    // A lane that has read a control of a moment ago, which has been taken back since.
    await takeOver(writerDeps(bed, 'lane-1/run/1/x'), described[3]!);
    produce(20);
    await sealed([lane], all, 40);
    await end(lane);
    assert.deepEqual(
      await offsetsInLake(bed, 3),
      Array.from({ length: 40 }, (_, offset) => offset),
    );
  });

  it('leaves alone in the next slice what another writer has, at the same revision', async () => {
    produce(20);
    const lane = bed.startLane(0, { logs: [logOf(0)], revision: 0 });
    await sealed([lane], [1, 2, 3], 20);
    await end(lane);
    assert.deepEqual(await entriesOf(bed, logOf(0)), []);
  });
});
