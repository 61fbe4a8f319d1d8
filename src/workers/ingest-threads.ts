import type { ResourceLimits, Worker } from 'node:worker_threads';
import type { Group, GroupSpec, StartGroup } from '../activities/ingest-group.ts';
import type { LogReport } from '../activities/ingest-logs.ts';
import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { Dataset } from '../lake/dataset.ts';
import { logName } from '../lake/paths.ts';
import {
  type FromThread,
  type ThreadStart,
  type ToThread,
  fromPlainError,
} from './ingest-thread-messages.ts';
import { startThread } from './thread.ts';

export type GroupThreadsOptions = {
  readonly config: Config;
  readonly dataset: Pick<Dataset, 'name'>;
  /** Threads that share the buffers of the process. */
  readonly groups: number;
  /** What runs in the thread, as compileThread made it. */
  readonly module: URL;
};

/**
 * Starts each group in a worker thread of its own, so that fetching, checking and encoding use all
 * cores. A thread that dies is a failed group, like any other.
 */
export function createGroupThreads(options: GroupThreadsOptions): StartGroup {
  return (spec) => startGroupThread(options, spec);
}

function startGroupThread(options: GroupThreadsOptions, spec: GroupSpec): Group {
  const { config, dataset, groups } = options;
  const start: ThreadStart = { config, dataset: dataset.name, spec, groups };
  const thread = startThread(options.module, {
    workerData: start,
    resourceLimits: limitsOf(config, spec),
  });
  const send = (message: ToThread): void => thread.postMessage(message);
  let reports: readonly LogReport[] = [];
  const ended = endOf(thread, (latest) => (reports = latest));
  return {
    logs: spec.topicPartitions.map(({ topic, partition }) => logName(topic, partition)),
    observe: (offsets, atMs) => send({ kind: 'observe', offsets, atMs }),
    reports: () => reports,
    drop: (log) => send({ kind: 'drop', log }),
    finish: () => send({ kind: 'finish' }),
    halt: () => send({ kind: 'halt' }),
    ended,
  };
}

/**
 * Buffers of many topic partitions wait so long for each other that they are not young any more, and
 * V8 lets them lie until the heap has grown fourfold. The smaller a heap may become, the sooner it
 * looks (`MemoryController::MaxGrowingFactor`), which costs a twentieth of the core-seconds.
 */
function limitsOf(config: Config, { topicPartitions }: GroupSpec): ResourceLimits {
  const young = { maxYoungGenerationSizeMb: config.INGEST_YOUNG_HEAP_MB };
  if (topicPartitions.length < manyTopicPartitions) return young;
  return {
    ...young,
    maxOldGenerationSizeMb: oldHeapMb + oldHeapPerBuffer * config.INGEST_BUFFER_MB,
  };
}

const manyTopicPartitions = 8;
/** Ten times what has been seen; and what records of JSON become as objects, in a batch of them. */
const oldHeapMb = 512;
const oldHeapPerBuffer = 8;

/** Settles after the thread is gone: nothing of a group runs then. */
function endOf(
  thread: Worker,
  onReport: (reports: readonly LogReport[]) => void,
): Promise<readonly LogReport[]> {
  return new Promise((resolve, reject) => {
    let last: FromThread | null = null;
    let crash: Error | null = null;
    thread.on('message', (message: FromThread) => {
      last = message;
      if (message.kind !== 'failed') onReport(message.reports);
      // It has told everything; a socket that it keeps must not keep it alive.
      if (message.kind !== 'report') void thread.terminate();
    });
    thread.once('error', (error) => (crash = error));
    thread.once('exit', (code) => {
      if (last?.kind === 'ended') return resolve(last.reports);
      if (last?.kind === 'failed') return reject(fromPlainError(last.error));
      const options = { retryable: true, facts: { code }, cause: crash };
      reject(new IngotError('THREAD_LOST', 'a thread of ingest died', options));
    });
  });
}
