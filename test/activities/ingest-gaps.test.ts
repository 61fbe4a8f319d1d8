import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { takeOver } from '../../src/activities/ingest-takeover.ts';
import { loadConfig } from '../../src/config.ts';
import { writerDeps } from '../activities-unit/support/ingest-bed.ts';
import { collect } from '../support/event-source-reading.ts';
import type { TestKafka } from '../support/kafka.ts';
import { eventually } from '../support/temporal/eventually.ts';
import {
  type KafkaBed,
  checkedLog,
  eventOf,
  gapsOf,
  idsInLake,
  idsOf,
  ingestAll,
  openKafkaBed,
  planAndDie,
  produce,
} from './support/kafka-lane.ts';

// Node does not find this name among the exports of a CommonJS module.
const { ConfigResourceTypes } = kafkajs;

/* Offsets without a record are no loss: what transactions and compaction leave in a real topic. */

describe('a lane over lawful gaps', function () {
  this.timeout(180_000);
  let kafka: TestKafka;
  let newBed: (topicPartitions: number) => Promise<KafkaBed>;
  let endLanes: () => Promise<void>;
  before(async () => {
    ({ kafka, newBed, endLanes } = await openKafkaBed(loadConfig(process.env)));
  });
  afterEach(() => endLanes());
  after(() => kafka.close());

  const commit = (bed: KafkaBed, ids: readonly string[]): Promise<void> =>
    kafka.appendCommitted(
      bed.topic,
      0,
      ids.map((id) => ({ value: eventOf(id) })),
    );

  async function offsetEnd(bed: KafkaBed): Promise<string> {
    return (await bed.source.describeTopic(bed.topic))[0]?.offsetEnd ?? '';
  }

  /** Where the log goes on after all. */
  async function offsetNext(bed: KafkaBed): Promise<string> {
    const { entries, seals } = await checkedLog(bed);
    const last = entries.at(-1);
    return seals.get(last?.number ?? -1)?.seal.offsetEnd ?? last?.before.offsetNext ?? '';
  }

  it('has what was committed, nothing of what was aborted, and stands at the end', async () => {
    const bed = await newBed(1);
    await commit(bed, idsOf('a', 5));
    await kafka.appendAborted(bed.topic, 0, 7);
    await produce(bed, 0, idsOf('b', 5));
    await ingestAll(bed);
    await kafka.appendAborted(bed.topic, 0, 3);
    await commit(bed, idsOf('c', 5));
    await kafka.appendAborted(bed.topic, 0, 4);
    await ingestAll(bed);
    assert.deepEqual(
      await idsInLake(bed),
      [...idsOf('a', 5), ...idsOf('b', 5), ...idsOf('c', 5)].sort(),
    );
    assert.equal(await offsetNext(bed), await offsetEnd(bed));
    assert.deepEqual(await gapsOf(bed), []);
  });

  it('ends the redo of a plan whose end holds only aborted records', async () => {
    const bed = await newBed(1);
    await produce(bed, 0, idsOf('a', 5));
    await kafka.appendAborted(bed.topic, 0, 20);
    const end = await offsetEnd(bed);
    await planAndDie(bed, end);
    const [offsets] = await bed.source.describeTopic(bed.topic);
    const { open } = await takeOver(writerDeps(bed, 'next'), offsets!);
    assert.equal(open.state.offsetNext, end);
    assert.deepEqual(await idsInLake(bed), idsOf('a', 5));
  });

  it('ends the redo of a plan that holds nothing but aborted records, and goes on behind it', async () => {
    const bed = await newBed(1);
    await kafka.appendAborted(bed.topic, 0, 20);
    const end = await offsetEnd(bed);
    await planAndDie(bed, end);
    await ingestAll(bed);
    await produce(bed, 0, idsOf('b', 5));
    await ingestAll(bed);
    const { seals } = await checkedLog(bed);
    assert.deepEqual([seals.get(1)?.seal.records, seals.get(1)?.seal.offsetEnd], [0, end]);
    assert.deepEqual(await idsInLake(bed), idsOf('b', 5));
  });

  describe('in a compacted topic', () => {
    const backoff = 'log.cleaner.backoff.ms';
    const setBackoff = (value: string): Promise<unknown> =>
      kafka.admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.BROKER,
            name: '1',
            configEntries: [{ name: backoff, value }],
          },
        ],
      });
    before(() => setBackoff('50'));
    after(() => setBackoff('15000'));

    it('goes on over the holes, and knows the topic again whose last record is gone', async () => {
      const bed = await newBed(1);
      await compact(bed);
      const keyed = (ids: readonly string[]) =>
        kafka.append(
          bed.topic,
          0,
          ids.map((id) => ({ key: 'k', value: eventOf(id) })),
        );
      await keyed(idsOf('old', 6));
      await ingestAll(bed);
      await produceUntilCompacted(bed, keyed);
      const before = new Set([...idsOf('old', 6), ...(await idsInKafka(bed))]);
      await ingestAll(bed);
      const lake = await idsInLake(bed);
      // Kafka may have compacted on meanwhile: what it still has must be there, and nothing else.
      assert.equal(new Set(lake).size, lake.length);
      assert.ok(lake.every((id) => before.has(id)));
      for (const id of [...idsOf('old', 6), ...(await idsInKafka(bed))]) {
        assert.ok(lake.includes(id), id);
      }
      assert.deepEqual(await gapsOf(bed), []);
      assert.equal(await offsetNext(bed), await offsetEnd(bed));
    });

    /** Each record begins a segment, and all but the last segment are compacted soon. */
    const compact = (bed: KafkaBed): Promise<unknown> =>
      kafka.admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: bed.topic,
            configEntries: [
              { name: 'cleanup.policy', value: 'compact' },
              { name: 'segment.ms', value: '1' },
              { name: 'min.cleanable.dirty.ratio', value: '0.01' },
            ],
          },
        ],
      });

    async function produceUntilCompacted(
      bed: KafkaBed,
      keyed: (ids: readonly string[]) => Promise<void>,
    ): Promise<void> {
      let count = 0;
      await eventually(
        'the records of before to be compacted away',
        async () => {
          await keyed([`new${(count += 1)}`, `new${(count += 1)}`]);
          return !(await idsInKafka(bed)).some((id) => id.startsWith('old'));
        },
        { limitMs: 120_000, everyMs: 100 },
      );
    }

    async function idsInKafka(bed: KafkaBed): Promise<readonly string[]> {
      const fetched = await collect(bed.source, [{ topic: bed.topic, partition: 0, offset: '0' }]);
      return fetched
        .flatMap(({ records }) => records)
        .map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as { event_id: string })
        .map(({ event_id: id }) => id);
    }
  });
});
