import assert from 'node:assert/strict';
import { changeControl } from '../../src/activities/control.ts';
import { readJson } from '../../src/activities/json-objects.ts';
import { ask } from '../../src/activities/query.ts';
import { createKafka, withAdmin } from '../../src/adapters/kafka-client.ts';
import { logStates } from '../../src/cli/lane-states.ts';
import { events } from '../../src/datasets/events.ts';
import { laneName, laneOf } from '../../src/lake/lanes.ts';
import { laneId } from '../../src/lake/messages.ts';
import { logName, logPrefix } from '../../src/lake/paths.ts';
import type { LogEntry } from '../../src/lake/source-log.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { type TemporalClient, connectClient, ensureLane } from '../../src/workers/temporal.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* Topic partitions that move between lanes while records come, on real parts. */

const endMs = endOfClosedHours();
const waiting = { limitMs: 120_000, everyMs: 250 };

describe('lanes', function () {
  this.timeout(600_000);
  let pipeline: Pipeline;
  let temporal: TemporalClient;
  let topic: string;
  let chunks: StreamRecord[][];

  before(async () => {
    pipeline = await startPipeline('lanes');
    topic = pipeline.config.KAFKA_TOPICS;
    temporal = await connectClient(pipeline.config);
    const sent = [
      ...generateEvents({
        ...{ profile: 'ecommerce', seed: 5, count: 3_000 },
        start: new Date(endMs - 3_600_000).toISOString(),
        end: new Date(endMs).toISOString(),
        rates: { duplicates: 0, malformed: 0.03, late: 0 },
      }),
    ];
    chunks = Array.from({ length: 30 }, (_, index) => sent.slice(index * 100, index * 100 + 100));
  });

  after(async () => {
    await temporal.connection.close();
    await pipeline.stop();
  });

  const states = (lanes: number) =>
    logStates({
      ...{ client: temporal.client, dataset: events.name, lanes },
      source: pipeline.ports.source,
    });

  /** Waits until each topic partition is served by the lane whose it is. */
  const served = (lanes: number) =>
    eventually(
      `${lanes} lanes`,
      async () => {
        const found = await states(lanes);
        return [0, 1, 2].every((partition) => {
          const lane = laneName(laneOf({ topic, partition }, lanes));
          const state = found.find(({ log }) => log === logName(topic, partition));
          return state?.lane === lane && state.stopped === null;
        });
      },
      waiting,
    );

  async function writersOf(partition: number): Promise<ReadonlySet<string>> {
    const { objects } = pipeline.ports;
    const listed = await objects.listObjects(logPrefix(events.name, logName(topic, partition)));
    const keys = listed.map(({ key }) => key).filter((key) => !key.endsWith('.seal.json'));
    const entries = await Promise.all(keys.map((key) => readJson<LogEntry>(objects, key)));
    return new Set(entries.map((entry) => entry?.value.writer.split('/')[0] ?? ''));
  }

  it('become two and one again under load, and every record is once in the lake', async () => {
    await served(1);
    let isMoved = false;
    const producing = (async () => {
      for (const [index, chunk] of chunks.entries()) {
        await pipeline.produce(chunk);
        // The last third is kept until everything has moved there and back.
        if (index === 19) await eventually('the moves', () => isMoved, waiting);
      }
    })();
    // What a worker does that starts with INGEST_LANES=2.
    await changeControl(pipeline.ports.objects, events.name, { kind: 'lanes', lanes: 2 });
    await ensureLane(temporal.client, events.name, 'lane-0');
    await ensureLane(temporal.client, events.name, 'lane-1');
    await served(2);
    await pipeline.restartWorker('ingest', { INGEST_LANES: '1' });
    await served(1);
    isMoved = true;
    await producing;
    await pipeline.settle();

    const total = chunks.flat().length;
    const { consumption, identitiesHold } = await pipeline.figures();
    assert.equal(consumption.consumed, total);
    assert.equal(consumption.bronze + consumption.deadLetters, total);
    assert.equal(identitiesHold, true);
    const { rows } = await ask(
      { ports: pipeline.ports, dataset: events },
      {
        sql:
          'SELECT DISTINCT _partition, _offset FROM events ' +
          'UNION SELECT DISTINCT "partition", "offset" FROM dead_letters',
        ...{ parameters: {}, dateFrom: null, dateTo: null },
      },
    );
    assert.equal(rows.length, total);
    for (const partition of [0, 1, 2]) {
      const wanted = laneOf({ topic, partition }, 2) === 1 ? ['lane-0', 'lane-1'] : ['lane-0'];
      assert.deepEqual([...(await writersOf(partition))].sort(), wanted);
    }
  });

  it('end by themselves when they are too many', async () => {
    const surplus = temporal.client.workflow.getHandle(laneId(events.name, 'lane-1'));
    await surplus.result();
    assert.equal((await surplus.describe()).status.name, 'COMPLETED');
  });

  it('show lag tools one consumer group for the whole dataset', async () => {
    const group = `ingot-${pipeline.config.INGOT_ID}-${events.name}`;
    const described = await pipeline.ports.source.describeTopic(topic);
    await eventually(
      'committed offsets',
      async () => {
        const committed = await committedOffsets(pipeline, group, topic);
        return described.every(
          ({ partition, offsetEnd }) => committed.get(partition) === offsetEnd,
        );
      },
      waiting,
    );
  });
});

async function committedOffsets(
  { config }: Pipeline,
  group: string,
  topic: string,
): Promise<ReadonlyMap<number, string>> {
  const found = await withAdmin(createKafka(config, silentLogger), (admin) =>
    admin.fetchOffsets({ groupId: group, topics: [topic] }),
  );
  const partitions = found[0]?.partitions ?? [];
  return new Map(partitions.map(({ partition, offset }) => [partition, offset]));
}
