import { type IngestDeps, runSlice } from '../../../src/activities/ingest.ts';
import { type GroupDeps, startGroup } from '../../../src/activities/ingest-group.ts';
import type { IngestInput, IngestResult, LogPosition } from '../../../src/lake/messages.ts';
import { logPrefix } from '../../../src/lake/paths.ts';
import type { LogEntry } from '../../../src/lake/source-log.ts';
import {
  type IngestBed,
  type LakeBed,
  createIngestBed,
  readJsonFile,
  rowsUnder,
  valueOf,
  writerDeps,
} from './ingest-bed.ts';

/* Lanes of one topic in memory, whose time is as long as they sleep. */

export const topic = 'views';
export const topicPartitions = 4;
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export type RunningLane = {
  readonly positions: () => readonly LogPosition[];
  readonly told: LogPosition[][];
  readonly drain: () => void;
  readonly result: Promise<IngestResult>;
};

export type LaneBed = IngestBed & {
  produce(partition: number, count: number): void;
  startLane(
    index: number,
    without?: IngestInput['without'],
    slow?: LaneOptions['slow'],
  ): RunningLane;
};

export function createLaneBed(): LaneBed {
  const bed = createIngestBed(20);
  bed.source.createTopic(topic, topicPartitions);
  let produced = 0;
  return {
    ...bed,
    produce: (partition, count) => {
      const values = Array.from({ length: count }, () => valueOf((produced += 1)));
      bed.source.append(
        topic,
        partition,
        values.map((value) => ({ value })),
      );
    },
    startLane: (index, without = null, slow) =>
      startLane(bed, { index, without, topic, sleepMs: 5, ...(slow ? { slow } : {}) }),
  };
}

export type LaneOptions = {
  readonly index: number;
  readonly without: IngestInput['without'];
  readonly topic: string;
  /** What a tick of a lane takes; its time is as long as it would be. */
  readonly sleepMs: number;
  /** A slice of so many milliseconds whose groups tell nothing for so long. */
  readonly slow?: { readonly sliceMs: number; readonly silentMs: number };
};

export function startLane(bed: LakeBed, options: LaneOptions): RunningLane {
  const { index, without, sleepMs, slow } = options;
  const toldFromMs = bed.clock.nowMs + (slow?.silentMs ?? 0);
  const draining = new AbortController();
  const told: LogPosition[][] = [];
  let positions: readonly LogPosition[] = [];
  const writer = writerDeps(bed, 'unused');
  const ports = { ...writer.ports, logger };
  const groupDeps: GroupDeps = {
    ...{ ports, dataset: writer.dataset, plan: writer.settings, bufferBytesMax: 1e6 },
    limits: { rowsMax: 15, bytesMax: 1e6, ageMs: 300, ageIdleMs: 300 },
  };
  const deps: IngestDeps = {
    ...{ ports, dataset: writer.dataset, topics: [options.topic], groupsMax: 2 },
    startGroup: (spec) => {
      const group = startGroup(groupDeps, spec);
      return { ...group, reports: () => (bed.clock.nowMs < toldFromMs ? [] : group.reports()) };
    },
    sliceMs: slow?.sliceMs ?? 1e9,
    lagGroup: 'lag',
    tellOwner: async () => undefined,
    tellLane: async (_workflow, { stopped }) => void told.push([...stopped]),
    draining: draining.signal,
    uniqueId: () => 'unique',
  };
  const lane = `lane-${index}`;
  const result = runSlice(
    deps,
    { dataset: 'events', lane, without: without ?? null },
    {
      writer: `${lane}/${Math.random()}`,
      workflowId: lane,
      heartbeat: (latest) => (positions = latest),
      sleep: async (ms) => {
        bed.clock.nowMs += ms;
        // As long as the ticks of its groups, so that both see the same time go by.
        await new Promise((resolve) => setTimeout(resolve, sleepMs));
      },
    },
  );
  return { positions: () => positions, told, drain: () => draining.abort(), result };
}

export async function entriesOf(bed: LakeBed, log: string): Promise<readonly LogEntry[]> {
  const listed = await bed.objects.listObjects(logPrefix('events', log));
  const keys = listed.map(({ key }) => key).filter((key) => !key.endsWith('.seal.json'));
  return Promise.all(keys.map((key) => readJsonFile<LogEntry>(bed.objects, key)));
}

/** Offsets of a log that lie in bronze or in the dead letters, ascending. */
export async function offsetsInLake(bed: LakeBed, partition: number): Promise<readonly number[]> {
  const bronze = await rowsUnder(bed.objects, 'bronze/');
  const letters = await rowsUnder(bed.objects, 'dead_letters/');
  return [
    ...bronze.filter((row) => row['_partition'] === partition).map((row) => Number(row['_offset'])),
    ...letters.filter((row) => row['partition'] === partition).map((row) => Number(row['offset'])),
  ].sort((a, b) => a - b);
}
