import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { changeControl } from '../../../src/activities/control.ts';
import { createGapActivities } from '../../../src/activities/ingest-gap.ts';
import { takeOver } from '../../../src/activities/ingest-takeover.ts';
import { appendEntry } from '../../../src/activities/source-log.ts';
import { createKafkaEventSource } from '../../../src/adapters/kafka-event-source.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import type { Config } from '../../../src/config.ts';
import { IngotError } from '../../../src/errors.ts';
import { planEntry } from '../../../src/lake/batch.ts';
import type { AcceptedGap, LogPosition } from '../../../src/lake/messages.ts';
import { logName } from '../../../src/lake/paths.ts';
import type { GapEntry } from '../../../src/lake/source-log.ts';
import type { EventSource } from '../../../src/ports.ts';
import { silentLogger } from '../../../src/workers/logger.ts';
import {
  type FoundLog,
  type LakeBed,
  checkEntries,
  readLog,
  rowsUnder,
  startMs,
  writerDeps,
} from '../../activities-unit/support/ingest-bed.ts';
import { type RunningLane, startLane } from '../../activities-unit/support/lane-bed.ts';
import { type TestKafka, openTestKafka } from '../../support/kafka.ts';
import { eventually } from '../../support/temporal/eventually.ts';

/* A lane between a real Kafka and a lake in memory, begun anew when it fails, as its workflow does. */

export type KafkaBed = LakeBed & { readonly kafka: TestKafka; readonly topic: string };

const sleepMs = 50;

export async function openKafkaBed(config: Config): Promise<{
  readonly kafka: TestKafka;
  /** A new topic and an empty lake. */
  readonly newBed: (topicPartitions: number) => Promise<KafkaBed>;
  /** Ends what a test that failed has left running. */
  readonly endLanes: () => Promise<void>;
}> {
  const kafka = await openTestKafka(config);
  const source = createKafkaEventSource({
    ...{ kafka: kafka.kafka, logger: silentLogger },
    uniqueId: randomUUID,
  });
  return {
    kafka,
    endLanes: async () => {
      await Promise.allSettled([...running].map((lane) => lane.end()));
    },
    newBed: async (topicPartitions) => {
      const topic = await kafka.createTopic(topicPartitions);
      return {
        kafka,
        topic,
        source,
        objects: createMemoryObjectStore(),
        clock: { nowMs: startMs },
      };
    },
  };
}

/** As a broker before 2.8 is, which knows no ids of topics. */
export function withoutTopicIds(bed: KafkaBed): KafkaBed {
  const source: EventSource = {
    ...bed.source,
    describeTopic: async (topic) =>
      (await bed.source.describeTopic(topic)).map(({ topicId: _, ...rest }) => rest),
  };
  return { ...bed, source };
}

/** Events with these ids. */
export async function produce(
  { kafka, topic }: KafkaBed,
  partition: number,
  ids: readonly string[],
): Promise<void> {
  const records = ids.map((id) => ({ value: eventOf(id) }));
  await kafka.append(topic, partition, records);
}

export function eventOf(id: string): string {
  const timestamp = new Date(startMs).toISOString();
  return JSON.stringify({ event_id: id, timestamp, event_type: 'page_view' });
}

export const idsOf = (name: string, count: number, first = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}${first + index}`);

export type Lane = Pick<RunningLane, 'positions'> & {
  readonly slices: () => number;
  readonly end: () => Promise<void>;
};

const running = new Set<Lane>();

/** Runs slice after slice until it is ended. One that fails must have failed with what may be retried. */
export function runLane(bed: KafkaBed): Lane {
  const begin = (): RunningLane =>
    startLane(bed, { index: 0, without: null, topic: bed.topic, sleepMs });
  let isOver = false;
  let slices = 1;
  let current = begin();
  const run = async (): Promise<void> => {
    while (!isOver) {
      await current.result.catch((error: unknown) => {
        assert.ok(error instanceof IngotError && error.retryable, String(error));
      });
      if (isOver) return;
      slices += 1;
      current = begin();
    }
  };
  const ended = run();
  // Whoever ends the lane is told.
  ended.catch(() => undefined);
  const lane: Lane = {
    positions: () => current.positions(),
    slices: () => slices,
    end: async () => {
      isOver = true;
      current.drain();
      running.delete(lane);
      await ended;
    },
  };
  running.add(lane);
  return lane;
}

/** Serves the topic until everything that it has now is sealed, or its logs have stopped. */
export async function ingestAll(bed: KafkaBed): Promise<void> {
  const lane = runLane(bed);
  const described = await bed.source.describeTopic(bed.topic);
  for (const { partition, offsetEnd } of described) await sealed(bed, lane, partition, offsetEnd);
  await lane.end();
}

export function positionOf(bed: KafkaBed, lane: Lane, partition: number): LogPosition | undefined {
  return lane.positions().find(({ log }) => log === logName(bed.topic, partition));
}

export async function sealed(
  bed: KafkaBed,
  lane: Lane,
  partition: number,
  offset: string,
): Promise<void> {
  await eventually(`${offset} of ${partition} to be sealed`, () => {
    const found = positionOf(bed, lane, partition);
    return found?.offsetNext === offset && found.stopped === null;
  });
}

/** Answers what the log says, once it has stopped with this code. */
export async function stopped(
  bed: KafkaBed,
  lane: Lane,
  partition: number,
  code: string,
): Promise<string> {
  return eventually(`${partition} to stop with ${code}`, () => {
    const stop = positionOf(bed, lane, partition)?.stopped;
    return stop?.code === code ? stop.message : undefined;
  });
}

/** A writer without raw copies that plans from the start to an offset, and dies. */
export async function planAndDie(bed: KafkaBed, offsetEnd: string): Promise<void> {
  const [offsets] = await bed.source.describeTopic(bed.topic);
  const { open } = await takeOver(writerDeps(bed, 'dying'), offsets!);
  const { log, topic, partition, next } = open;
  const plan = planEntry({
    ...{ log, topic, partition, number: next, before: open.state, offsetEnd },
    ...{ writer: 'dying', nowMs: bed.clock.nowMs },
    settings: {
      ...{ contractHash: 'c', encoder: 'json', rawCopy: false, recordBytesMax: 1_000_000 },
    },
  });
  assert.equal(await appendEntry(bed.objects, 'events', plan), 'appended');
}

/** What the update `acceptOffsetGap` does. */
export async function acceptGap(
  bed: KafkaBed,
  partition: number,
  code: string,
): Promise<AcceptedGap> {
  const log = logName(bed.topic, partition);
  const deps = writerDeps(bed, 'unused');
  const accepted = await createGapActivities(deps).acceptGap({
    ...{ dataset: 'events', log, code, id: randomUUID() },
    ...{ author: 'ann', reason: 'known loss' },
  });
  await changeControl(bed.objects, 'events', { kind: 'goOn', log });
  return accepted;
}

/** The log of a topic partition, which must follow from entry to entry. */
export async function checkedLog(bed: KafkaBed, partition = 0): Promise<FoundLog> {
  const found = await readLog(bed.objects, logName(bed.topic, partition));
  checkEntries(found);
  return found;
}

export async function gapsOf(bed: KafkaBed, partition = 0): Promise<readonly GapEntry[]> {
  const { entries } = await checkedLog(bed, partition);
  return entries.filter((entry) => entry.kind === 'gap');
}

/** Ids of the events in bronze, and that the seals count the same: consumed = bronze + dead letters. */
export async function idsInLake(bed: KafkaBed, topicPartitions = 1): Promise<readonly string[]> {
  const rows = await rowsUnder(bed.objects, 'bronze/');
  const letters = await rowsUnder(bed.objects, 'dead_letters/');
  let records = 0;
  for (let partition = 0; partition < topicPartitions; partition += 1) {
    const { seals } = await checkedLog(bed, partition);
    for (const { seal } of seals.values()) records += seal.records;
  }
  assert.equal(records, rows.length + letters.length, 'consumed = bronze + dead letters');
  return rows.map((row) => String(row['event_id'])).sort();
}
