import assert from 'node:assert/strict';
import { readJson } from '../../src/activities/json-objects.ts';
import { createKafka, withAdmin } from '../../src/adapters/kafka-client.ts';
import { logStates } from '../../src/cli/lane-states.ts';
import { events } from '../../src/datasets/events.ts';
import { type AcceptedGap, type LogPosition, laneId } from '../../src/lake/messages.ts';
import { logEntryKey, logName } from '../../src/lake/paths.ts';
import type { GapEntry } from '../../src/lake/source-log.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { type TemporalClient, connectClient } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* Records that Kafka drops before they are read, on real parts, from the stop to the accepted gap. */

const endMs = endOfClosedHours();
const waiting = { limitMs: 120_000, everyMs: 250 };
const lost = 1;

describe('a hole in one topic partition', function () {
  this.timeout(600_000);
  let pipeline: Pipeline;
  let temporal: TemporalClient;
  let topic: string;

  before(async () => {
    pipeline = await startPipeline('holes', { INGEST_SLICE_SECONDS: '10' });
    topic = pipeline.config.KAFKA_TOPICS;
    temporal = await connectClient(pipeline.config);
  });

  after(async () => {
    await temporal.connection.close();
    await pipeline.stop();
  });

  const recordsOf = (seed: number): StreamRecord[] => [
    ...generateEvents({
      ...{ profile: 'ecommerce', seed, count: 600 },
      start: new Date(endMs - 3_600_000).toISOString(),
      end: new Date(endMs).toISOString(),
      rates: { duplicates: 0, malformed: 0, late: 0 },
    }),
  ];
  const lane = () => temporal.client.workflow.getHandle(laneId(events.name, 'lane-0'));
  const decide = <T>(update: string): Promise<T> =>
    lane().executeUpdate<T, [object]>(update, {
      args: [{ log: logName(topic, lost), author: 'ann', reason: 'known loss' }],
    });
  const states = () =>
    logStates({
      ...{ client: temporal.client, dataset: events.name, lanes: 1 },
      source: pipeline.ports.source,
    });
  const offsets = async (partition: number) =>
    (await pipeline.ports.source.describeTopic(topic)).find((each) => each.partition === partition);

  it('stops that one alone, and goes on behind the gap that a person accepts', async () => {
    await pipeline.produce(recordsOf(1));
    await pipeline.settle();
    const wanted = (await offsets(lost))?.offsetEnd ?? '';
    await decide('pauseLog');
    await nextSlice();

    await pipeline.produce(recordsOf(2));
    const { offsetEnd = '' } = (await offsets(lost)) ?? {};
    const offsetStart = String(BigInt(offsetEnd) - 10n);
    await withAdmin(createKafka(pipeline.config, silentLogger), async (admin) => {
      await admin.fetchTopicOffsets(topic);
      const partitions = [{ partition: lost, offset: offsetStart }];
      await admin.deleteTopicRecords({ topic, partitions });
    });
    await decide('resumeLog');
    const message = await stoppedBy('OFFSETS_LOST');
    for (const fact of [`topic=${topic}`, `partition=${lost}`, offsetStart]) {
      assert.ok(message.includes(fact), message);
    }
    // The last sealed record is wanted once more, to be compared, where the read begins anew.
    const [, named = ''] = /wanted=(\d+)/.exec(message) ?? [];
    assert.ok([wanted, String(BigInt(wanted) - 1n)].includes(named), message);
    await pipeline.produce(recordsOf(3));
    await othersAtTheirEnd();

    const { number, offsetFirst, offsetNext } = await decide<AcceptedGap>('acceptOffsetGap');
    assert.deepEqual([offsetFirst, offsetNext], [wanted, offsetStart]);
    await pipeline.settle();
    const key = logEntryKey(events.name, logName(topic, lost), number);
    const gap = (await readJson<GapEntry>(pipeline.ports.objects, key))?.value;
    assert.deepEqual(
      [gap?.kind, gap?.code, gap?.author, gap?.reason],
      ['gap', 'OFFSETS_LOST', 'ann', 'known loss'],
    );
    const missing = Number(BigInt(offsetNext) - BigInt(offsetFirst));
    const { consumption, identitiesHold } = await pipeline.figures();
    assert.equal(consumption.consumed, 1_800 - missing);
    assert.equal(consumption.bronze + consumption.deadLetters, consumption.consumed);
    assert.equal(identitiesHold, true);
  });

  const known = () => lane().query<readonly LogPosition[], []>('positions');

  /** The slice that runs while a log is paused may still read of it; the next one does not begin with it. */
  async function nextSlice(): Promise<void> {
    const numbers = async (): Promise<string> =>
      (await known())
        .filter(({ log }) => log !== logName(topic, lost))
        .map(({ log, number }) => `${log} ${String(number)}`)
        .join();
    const before = await numbers();
    await eventually('the next slice', async () => (await numbers()) !== before, waiting);
  }

  function stoppedBy(code: string): Promise<string> {
    return eventually(
      `the log to stop by ${code}`,
      async () => {
        // The workflow, which is asked to decide, is told some moments after a heartbeat says it.
        const found = (await known()).find(({ log }) => log === logName(topic, lost));
        return found?.stopped?.code === code ? found.stopped.message : undefined;
      },
      waiting,
    );
  }

  async function othersAtTheirEnd(): Promise<void> {
    await eventually(
      'the other topic partitions to go on',
      async () => {
        const described = await pipeline.ports.source.describeTopic(topic);
        const found = await states();
        return described
          .filter(({ partition }) => partition !== lost)
          .every(({ partition, offsetEnd }) => {
            const state = found.find(({ log }) => log === logName(topic, partition));
            return state?.offsetNext === offsetEnd && state.stopped === null;
          });
      },
      waiting,
    );
  }
});
