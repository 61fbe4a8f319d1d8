import type { FlushLimits, PlanSettings } from '../lake/batch.ts';
import type { Dataset } from '../lake/dataset.ts';
import { logName } from '../lake/paths.ts';
import type { Ports, TopicPartition, TopicPartitionOffsets } from '../ports.ts';
import {
  type LogReport,
  type Logs,
  keepCheckpoints,
  statesOf,
  takeOverAll,
} from './ingest-logs.ts';
import type { PartitionWriter } from './ingest-partition.ts';
import { createMemoryBudget } from './memory-budget.ts';

/*
 * Some topic partitions of a lane, served from takeover to seal: in a worker thread of their own, or
 * in the thread of the activity. A group knows neither Temporal nor the owner of the windows.
 */

/** What a group is told when it starts. Plain data, because it may travel to a thread. */
export type GroupSpec = {
  readonly writer: string;
  /** As Kafka has described them just now. */
  readonly topicPartitions: readonly TopicPartitionOffsets[];
};

export type GroupDeps = {
  readonly ports: Pick<Ports, 'objects' | 'source' | 'bronze' | 'rowFiles' | 'now' | 'logger'>;
  readonly dataset: Dataset;
  readonly limits: FlushLimits;
  readonly plan: Omit<PlanSettings, 'contractHash' | 'encoder'>;
  /** What its buffers may hold together. */
  readonly bufferBytesMax: number;
};

/** A group that runs. */
export type Group = {
  readonly logs: readonly string[];
  /** Tells how far Kafka had come at an instant. */
  observe(offsets: readonly TopicPartitionOffsets[], atMs: number): void;
  /** Where its logs stand, as far as it has told; empty before they are taken over. */
  reports(): readonly LogReport[];
  /** Asks it to commit what it has of one log and let go of it, while the others go on. */
  drop(log: string): void;
  /** Asks it to commit everything and end. */
  finish(): void;
  /** Asks it to begin nothing more and end. */
  halt(): void;
  /**
   * Resolves when nothing of it runs any more, by itself when it has let go of all its logs; rejects
   * with what it failed with.
   */
  readonly ended: Promise<readonly LogReport[]>;
};

export type StartGroup = (spec: GroupSpec) => Group;

const tickMs = 250;

/** Runs a group in this thread. */
export function startGroup(deps: GroupDeps, spec: GroupSpec): Group {
  const state: State = {
    finishing: new AbortController(),
    halted: new AbortController(),
    failed: new AbortController(),
    failure: null,
    logs: { writers: [], keepers: [], stopped: [] },
    leaving: new Set(),
    left: new Set(),
  };
  const names = spec.topicPartitions.map(({ topic, partition }) => logName(topic, partition));
  const takenOver = takeOver(deps, spec, state);
  const run = async (): Promise<readonly LogReport[]> => {
    await takenOver;
    await readUntilOver(deps, state);
    return statesOf(state.logs, state.left);
  };
  const letGo = async (log: string): Promise<void> => {
    await takenOver;
    await state.logs.writers.find((writer) => writer.log === log)?.leave();
    state.left.add(log);
    if (names.every((name) => state.left.has(name))) state.finishing.abort();
  };
  return {
    logs: names,
    observe: (offsets, atMs) => observe(state.logs, offsets, atMs),
    reports: () => statesOf(state.logs, state.left),
    drop: (log) => {
      if (state.leaving.has(log)) return;
      state.leaving.add(log);
      letGo(log).catch((error: unknown) => fail(state, error));
    },
    finish: () => state.finishing.abort(),
    halt: () => state.halted.abort(),
    ended: run(),
  };
}

/** What changes while a group runs. */
type State = {
  readonly finishing: AbortController;
  readonly halted: AbortController;
  readonly failed: AbortController;
  /** The first one. */
  failure: { readonly error: unknown } | null;
  logs: Logs;
  readonly leaving: Set<string>;
  readonly left: Set<string>;
};

async function takeOver(deps: GroupDeps, spec: GroupSpec, state: State): Promise<void> {
  const budget = createMemoryBudget(deps.bufferBytesMax);
  const { plan: settings, ...rest } = deps;
  const { signal } = state.halted;
  const logsDeps = { ...rest, settings, budget, writer: spec.writer, signal };
  state.logs = await takeOverAll(logsDeps, spec.topicPartitions);
}

function fail(state: State, error: unknown): void {
  state.failure ??= { error };
  state.failed.abort();
}

async function readUntilOver(deps: GroupDeps, state: State): Promise<void> {
  const { writers, keepers } = state.logs;
  const ticking = setInterval(() => {
    try {
      for (const writer of writers) writer.flushDue();
      keepCheckpoints(state.logs);
    } catch (error) {
      fail(state, error);
    }
  }, tickMs);
  try {
    await readAll(deps, state);
    if (state.failure === null && !state.halted.signal.aborted) {
      await Promise.all(writers.map((writer) => writer.finish()));
    }
  } catch (error) {
    fail(state, error);
  } finally {
    clearInterval(ticking);
    // What is being written goes on to its seal, and nothing of a group outlives it.
    await Promise.all([...writers, ...keepers].map((each) => each.idle()));
  }
  if (state.failure !== null) throw state.failure.error;
}

async function readAll({ ports }: GroupDeps, state: State): Promise<void> {
  const { writers } = state.logs;
  const byLog = new Map(writers.map((writer) => [writer.log, writer]));
  const writerOf = ({ topic, partition }: TopicPartition): PartitionWriter | undefined =>
    byLog.get(logName(topic, partition));
  const { finishing, halted, failed } = state;
  await ports.source.read({
    positions: writers.map(({ topic, partition, readFrom }) => ({
      topic,
      partition,
      offset: readFrom,
    })),
    signal: AbortSignal.any([finishing.signal, halted.signal, failed.signal]),
    onFetched: async (fetched) => writerOf(fetched)?.accept(fetched),
    isWanted: (where) => {
      const writer = writerOf(where);
      if (writer === undefined || state.leaving.has(writer.log)) return false;
      return writer.position().stopped === null;
    },
    onLost: (where, error) => {
      ports.logger.error({ code: error.code, ...error.facts }, error.message);
      writerOf(where)?.stop({ code: error.code, message: error.message });
    },
  });
}

function observe({ writers }: Logs, offsets: readonly TopicPartitionOffsets[], atMs: number): void {
  const byLog = new Map(offsets.map((each) => [logName(each.topic, each.partition), each]));
  for (const writer of writers) {
    const found = byLog.get(writer.log);
    if (found !== undefined) writer.observe(found, atMs);
  }
}
