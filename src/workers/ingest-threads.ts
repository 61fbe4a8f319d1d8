import { isDeepStrictEqual } from 'node:util';
import type { ResourceLimits, Worker } from 'node:worker_threads';
import type { Group, GroupSpec, StartGroup } from '../activities/ingest-group.ts';
import type { LogReport } from '../activities/ingest-logs.ts';
import type { Config } from '../config.ts';
import { IngotError, messageOf } from '../errors.ts';
import type { Dataset } from '../lake/dataset.ts';
import { logName } from '../lake/paths.ts';
import type { Logger } from '../ports.ts';
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
  readonly logger: Pick<Logger, 'warn'>;
};

/**
 * Runs each group in a worker thread of its own, so that fetching, checking and encoding use all
 * cores. A thread that dies is a failed group, like any other. One whose group has ended waits for
 * the next: to start a thread takes seconds on a busy machine, in which nothing would be read between
 * two slices.
 */
export function createGroupThreads(options: GroupThreadsOptions): StartGroup {
  const waiting = createWaitingThreads(options.logger);
  return (spec) => {
    const limits = limitsOf(options.config, spec);
    const thread = waiting.take(limits) ?? startOne(options, limits);
    return runGroup(thread, spec, () => waiting.keep(thread, limits));
  };
}

function startOne(
  { config, dataset, groups, module }: GroupThreadsOptions,
  resourceLimits: ResourceLimits,
): Worker {
  const start: ThreadStart = { config, dataset: dataset.name, groups };
  const thread = startThread(module, { workerData: start, resourceLimits });
  // Whoever has a group in it is told; without one it is a thread less.
  thread.on('error', () => undefined);
  return thread;
}

function runGroup(thread: Worker, spec: GroupSpec, onPeace: () => void): Group {
  let isOver = false;
  let reports: readonly LogReport[] = [];
  const send = (message: ToThread): void => {
    // The next group of the thread must not hear what was meant for this one.
    if (!isOver) thread.postMessage(message);
  };
  const over = (): void => void (isOver = true);
  const onReport = (latest: readonly LogReport[]): void => void (reports = latest);
  const ended = endOf(thread, { onReport, onPeace, over });
  send({ kind: 'begin', spec });
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

type WaitingThreads = {
  /** One that was started with these limits; `undefined` when none waits. */
  readonly take: (limits: ResourceLimits) => Worker | undefined;
  readonly keep: (thread: Worker, limits: ResourceLimits) => void;
};

/** So long a thread whose group has ended waits for the next one. */
const waitMsMax = 60_000;

function createWaitingThreads(logger: Pick<Logger, 'warn'>): WaitingThreads {
  const threads = new Map<Worker, { limits: ResourceLimits; leave: () => void }>();
  return {
    take: (limits) => {
      for (const [thread, waits] of threads) {
        if (!isDeepStrictEqual(waits.limits, limits)) continue;
        waits.leave();
        thread.ref();
        return thread;
      }
      return undefined;
    },
    keep: (thread, limits) => {
      const leave = (): void => {
        threads.delete(thread);
        clearTimeout(timer);
        thread.off('error', onError).off('exit', onExit);
      };
      let crash = '';
      const onError = (error: Error): void => void (crash = messageOf(error));
      const onExit = (code: number): void => {
        leave();
        logger.warn({ code, crash }, 'a thread of ingest died while it waited: another is started');
      };
      const timer = setTimeout(() => {
        leave();
        void thread.terminate();
      }, waitMsMax);
      thread.on('error', onError).on('exit', onExit);
      threads.set(thread, { limits, leave });
      // Neither keeps a process alive that has nothing else to do.
      timer.unref();
      thread.unref();
    },
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

/** Settles when nothing of the group runs any more; after a failure the thread is gone, too. */
function endOf(
  thread: Worker,
  told: {
    readonly onReport: (reports: readonly LogReport[]) => void;
    /** The thread may have another group. */
    readonly onPeace: () => void;
    readonly over: () => void;
  },
): Promise<readonly LogReport[]> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    let crash: Error | null = null;
    const settle = (): void => {
      told.over();
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (message: FromThread): void => {
      if (message.kind === 'failed') {
        failure = fromPlainError(message.error);
        // It has told everything; a socket that it keeps must not keep it alive.
        return void thread.terminate();
      }
      told.onReport(message.reports);
      if (message.kind === 'report') return;
      settle();
      told.onPeace();
      resolve(message.reports);
    };
    const onError = (error: Error): void => void (crash = error);
    const onExit = (code: number): void => {
      settle();
      const options = { retryable: true, facts: { code }, cause: crash };
      reject(failure ?? new IngotError('THREAD_LOST', 'a thread of ingest died', options));
    };
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
