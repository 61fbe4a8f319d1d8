import { IngotError, messageOf } from '../errors.ts';
import type { FlushLimits, PlanSettings } from '../lake/batch.ts';
import type { Dataset } from '../lake/dataset.ts';
import { logName } from '../lake/paths.ts';
import type { Ports, TopicPartitionOffsets } from '../ports.ts';
import {
  type LogReport,
  type Logs,
  keepCheckpoints,
  statesOf,
  takeOverAll,
} from './ingest-logs.ts';
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
  /** Asks it to commit everything and end. */
  finish(): void;
  /** Asks it to begin nothing more and end. */
  halt(): void;
  /** Resolves when nothing of it runs any more; rejects with what it failed with. */
  readonly ended: Promise<readonly LogReport[]>;
};

export type StartGroup = (spec: GroupSpec) => Group;

const tickMs = 250;

/** Runs a group in this thread. */
export function startGroup(deps: GroupDeps, spec: GroupSpec): Group {
  const finishing = new AbortController();
  const halted = new AbortController();
  let logs: Logs = { writers: [], keepers: [], stopped: [] };
  const run = async (): Promise<readonly LogReport[]> => {
    const budget = createMemoryBudget(deps.bufferBytesMax);
    const { plan: settings, ...rest } = deps;
    const logsDeps = { ...rest, settings, budget, writer: spec.writer, signal: halted.signal };
    logs = await takeOverAll(logsDeps, spec.topicPartitions);
    await readUntilOver(deps, logs, { finishing: finishing.signal, halted: halted.signal });
    return statesOf(logs);
  };
  return {
    logs: spec.topicPartitions.map(({ topic, partition }) => logName(topic, partition)),
    observe: (offsets, atMs) => observe(logs, offsets, atMs),
    reports: () => statesOf(logs),
    finish: () => finishing.abort(),
    halt: () => halted.abort(),
    ended: run(),
  };
}

type Signals = { readonly finishing: AbortSignal; readonly halted: AbortSignal };

async function readUntilOver(deps: GroupDeps, logs: Logs, signals: Signals): Promise<void> {
  const { writers, keepers } = logs;
  const failed = new AbortController();
  let failure: { readonly error: unknown } | null = null;
  const fail = (error: unknown): void => {
    failure ??= { error };
    failed.abort();
  };
  const ticking = setInterval(() => {
    try {
      for (const writer of writers) writer.flushDue();
      keepCheckpoints(logs);
    } catch (error) {
      fail(error);
    }
  }, tickMs);
  const byLog = new Map(writers.map((writer) => [writer.log, writer]));
  try {
    await deps.ports.source.read({
      positions: writers.map(({ topic, partition, readFrom }) => ({
        topic,
        partition,
        offset: readFrom,
      })),
      signal: AbortSignal.any([signals.finishing, signals.halted, failed.signal]),
      onFetched: async (fetched) => {
        await byLog.get(logName(fetched.topic, fetched.partition))?.accept(fetched);
      },
    });
    if (failure === null && !signals.halted.aborted) {
      await Promise.all(writers.map((writer) => writer.finish()));
    }
  } catch (error) {
    fail(lostWhileReading(error));
  } finally {
    clearInterval(ticking);
    // What is being written goes on to its seal, and nothing of a group outlives it.
    await Promise.all([...writers, ...keepers].map((each) => each.idle()));
  }
  // TypeScript does not see that the callbacks above assign it.
  const found = failure as { readonly error: unknown } | null;
  if (found !== null) throw found.error;
}

/** A hole that opens under a running read: the next attempt stops that topic partition alone. */
function lostWhileReading(error: unknown): Error {
  if (!(error instanceof IngotError) || error.code !== 'OFFSETS_LOST') {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
  const { code, facts } = error;
  const sentence = 'Kafka dropped records while their topic partition was read';
  return new IngotError(code, sentence, { retryable: true, facts, cause: error });
}

function observe({ writers }: Logs, offsets: readonly TopicPartitionOffsets[], atMs: number): void {
  const byLog = new Map(offsets.map((each) => [logName(each.topic, each.partition), each]));
  for (const writer of writers) {
    const found = byLog.get(writer.log);
    if (found !== undefined) writer.observe(found, atMs);
  }
}
