import assert from 'node:assert/strict';
import { withAdmin } from '../../src/adapters/kafka-client.ts';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import type { TestKafka } from '../support/kafka.ts';
import {
  type KafkaBed,
  acceptGap,
  checkedLog,
  gapsOf,
  idsInLake,
  idsOf,
  ingestAll,
  openKafkaBed,
  planAndDie,
  positionOf,
  produce,
  runLane,
  sealed,
  stopped,
  withoutTopicIds,
} from './support/kafka-lane.ts';

/* Offsets never skip silently: what a lane does when a real broker has lost, changed or added some. */

describe('a lane whose topic changes', function () {
  this.timeout(180_000);
  let kafka: TestKafka;
  let newBed: (topicPartitions: number) => Promise<KafkaBed>;
  let endLanes: () => Promise<void>;
  before(async () => {
    ({ kafka, newBed, endLanes } = await openKafkaBed(loadConfig(process.env)));
  });
  afterEach(() => endLanes());
  after(() => kafka.close());

  it('stops at records that were dropped before they were read, alone, until that is accepted', async () => {
    const bed = await newBed(3);
    for (const partition of [0, 1, 2]) await produce(bed, partition, idsOf(`${partition}-`, 10));
    await ingestAll(bed);
    await produce(bed, 1, idsOf('1-', 10, 10));
    await kafka.deleteBefore(bed.topic, 1, '15');

    const lane = runLane(bed);
    const message = await stopped(bed, lane, 1, 'OFFSETS_LOST');
    const place = `topic=${bed.topic}, partition=1, wanted=10, offsetStart=15, offsetEnd=20`;
    assert.equal(message, `Kafka dropped records before they were read [${place}]`);
    for (const partition of [0, 2]) {
      await produce(bed, partition, idsOf(`${partition}-`, 5, 10));
      await sealed(bed, lane, partition, '15');
    }
    assert.equal(positionOf(bed, lane, 1)?.offsetNext, '10');

    const accepted = await acceptGap(bed, 1, 'OFFSETS_LOST');
    const { offsetFirst, offsetNext } = accepted;
    assert.deepEqual([offsetFirst, offsetNext], ['10', '15']);
    await sealed(bed, lane, 1, '20');
    await lane.end();
    const wanted = [
      ...['0-', '2-'].flatMap((name) => idsOf(name, 15)),
      ...[...idsOf('1-', 10), ...idsOf('1-', 5, 15)],
    ];
    assert.deepEqual(await idsInLake(bed, 3), wanted.sort());
    assert.deepEqual(
      (await gapsOf(bed, 1)).map((gap) => [gap.code, gap.offsetFirst, gap.offsetEnd, gap.author]),
      [['OFFSETS_LOST', '10', '15', 'ann']],
    );
  });

  it('stops at records whose retention time has passed before they were read', async () => {
    const bed = await newBed(1);
    await produce(bed, 0, idsOf('a', 10));
    await ingestAll(bed);
    await produce(bed, 0, idsOf('unread', 10));
    await kafka.expire(bed.topic);
    await produce(bed, 0, idsOf('b', 5));

    const lane = runLane(bed);
    const message = await stopped(bed, lane, 0, 'OFFSETS_LOST');
    assert.match(message, /wanted=10, offsetStart=20/);
    const { offsetFirst, offsetNext } = await acceptGap(bed, 0, 'OFFSETS_LOST');
    assert.deepEqual([offsetFirst, offsetNext], ['10', '20']);
    await sealed(bed, lane, 0, '25');
    await lane.end();
    assert.deepEqual(await idsInLake(bed), [...idsOf('a', 10), ...idsOf('b', 5)].sort());
  });

  it('goes on without a word when all that was dropped had been read', async () => {
    const bed = await newBed(1);
    await produce(bed, 0, idsOf('a', 10));
    const lane = runLane(bed);
    await sealed(bed, lane, 0, '10');
    await kafka.deleteBefore(bed.topic, 0, '10');
    await produce(bed, 0, idsOf('b', 5));
    await sealed(bed, lane, 0, '15');
    await kafka.deleteBefore(bed.topic, 0, '15');
    await lane.end();
    await ingestAll(bed);
    await produce(bed, 0, idsOf('c', 5));
    await ingestAll(bed);
    assert.deepEqual(
      await idsInLake(bed),
      [...idsOf('a', 10), ...idsOf('b', 5), ...idsOf('c', 5)].sort(),
    );
    assert.deepEqual(await gapsOf(bed), []);
  });

  for (const [count, how] of [
    [3, 'fewer records than before'],
    [10, 'as many records as before'],
    [25, 'more records than before'],
  ] as const) {
    it(`stops at a topic that was made anew between two slices, with ${how}`, async () => {
      const bed = await newBed(1);
      await produce(bed, 0, idsOf('same', 10));
      await ingestAll(bed);
      await kafka.recreateTopic(bed.topic, 1);
      // The very records of before, so that no digest could tell.
      await produce(bed, 0, idsOf('same', count));
      await goesOnWithTheNewTopic(bed, runLane(bed), count);
    });

    it(`stops at a topic that was made anew during a slice, with ${how}`, async () => {
      const bed = await newBed(1);
      await produce(bed, 0, idsOf('same', 10));
      const lane = runLane(bed);
      await sealed(bed, lane, 0, '10');
      await kafka.recreateTopic(bed.topic, 1);
      await produce(bed, 0, idsOf('same', count));
      await goesOnWithTheNewTopic(bed, lane, count);
    });
  }

  async function goesOnWithTheNewTopic(
    bed: KafkaBed,
    lane: ReturnType<typeof runLane>,
    count: number,
  ): Promise<void> {
    const message = await stopped(bed, lane, 0, 'TOPIC_CHANGED');
    assert.match(message, new RegExp(`topic=${bed.topic}, partition=0, wanted=10,`));
    assert.deepEqual(await idsInLake(bed), [...idsOf('same', 10)].sort());

    const { offsetFirst, offsetNext } = await acceptGap(bed, 0, 'TOPIC_CHANGED');
    assert.deepEqual([offsetFirst, offsetNext], ['10', '0']);
    await sealed(bed, lane, 0, String(count));
    await produce(bed, 0, ['later']);
    await sealed(bed, lane, 0, String(count + 1));
    await lane.end();
    assert.deepEqual(
      await idsInLake(bed),
      [...idsOf('same', 10), ...idsOf('same', count), 'later'].sort(),
    );
    assert.deepEqual(
      (await gapsOf(bed)).map((gap) => [gap.code, gap.offsetFirst, gap.offsetEnd]),
      [['TOPIC_CHANGED', '10', '0']],
    );
  }

  for (const count of [3, 10, 25]) {
    it(`tells a new topic of ${count} records by its last record where the broker tells no ids`, async () => {
      const bed = withoutTopicIds(await newBed(1));
      await produce(bed, 0, idsOf('old', 10));
      await ingestAll(bed);
      await kafka.recreateTopic(bed.topic, 1);
      await produce(bed, 0, idsOf('new', count));
      const lane = runLane(bed);
      await stopped(bed, lane, 0, 'TOPIC_CHANGED');
      assert.deepEqual(await idsInLake(bed), idsOf('old', 10));
      await acceptGap(bed, 0, 'TOPIC_CHANGED');
      await sealed(bed, lane, 0, String(count));
      await lane.end();
      assert.deepEqual(await idsInLake(bed), [...idsOf('old', 10), ...idsOf('new', count)].sort());
    });
  }

  it('does not finish an open plan with the records of another topic', async () => {
    const bed = await newBed(1);
    await produce(bed, 0, idsOf('old', 10));
    await planAndDie(bed, '10');
    await kafka.recreateTopic(bed.topic, 1);
    await produce(bed, 0, idsOf('new', 20));
    const lane = runLane(bed);
    await stopped(bed, lane, 0, 'TOPIC_CHANGED');
    await acceptGap(bed, 0, 'TOPIC_CHANGED');
    await sealed(bed, lane, 0, '20');
    await lane.end();
    assert.deepEqual(await idsInLake(bed), [...idsOf('new', 20)].sort());
    const [gap] = await gapsOf(bed);
    assert.deepEqual([gap?.offsetFirst, gap?.offsetEnd], ['0', '0']);
  });

  it('says what is missing when a topic comes back with fewer topic partitions', async () => {
    const bed = await newBed(2);
    for (const partition of [0, 1]) await produce(bed, partition, idsOf(`${partition}-`, 5));
    await ingestAll(bed);
    await kafka.recreateTopic(bed.topic, 1);
    const lane = runLane(bed);
    await stopped(bed, lane, 0, 'TOPIC_CHANGED');
    await assert.rejects(
      acceptGap(bed, 1, 'TOPIC_CHANGED'),
      (error) => error instanceof IngotError && error.code === 'TOPIC_MISSING',
    );
    await lane.end();
    assert.equal((await idsInLake(bed, 2)).length, 10);
  });

  it('takes up topic partitions that are added, from their first record, in the same slice', async () => {
    const bed = await newBed(1);
    await produce(bed, 0, idsOf('0-', 5));
    const lane = runLane(bed);
    await sealed(bed, lane, 0, '5');
    await withAdmin(kafka.kafka, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic: bed.topic, count: 3 }] }),
    );
    for (const partition of [1, 2]) await produceToNew(bed, partition, idsOf(`${partition}-`, 5));
    for (const partition of [0, 1, 2]) await sealed(bed, lane, partition, '5');
    await produce(bed, 0, idsOf('0-', 5, 5));
    await sealed(bed, lane, 0, '10');
    assert.equal(lane.slices(), 1);
    await lane.end();
    assert.deepEqual(
      await idsInLake(bed, 3),
      [...idsOf('0-', 10), ...idsOf('1-', 5), ...idsOf('2-', 5)].sort(),
    );
    const { entries } = await checkedLog(bed, 0);
    assert.equal(entries.filter(({ kind }) => kind === 'takeover').length, 1);
  });

  /** The producer of the test knows the topic as it was. */
  async function produceToNew(bed: KafkaBed, partition: number, ids: readonly string[]) {
    const fresh = await openKafkaBed(loadConfig(process.env));
    await produce({ ...bed, kafka: fresh.kafka }, partition, ids);
    await fresh.kafka.close();
  }
});
