import { IngotError } from '../errors.ts';
import type { FlushLimits } from '../lake/batch.ts';
import type { LogPosition } from '../lake/messages.ts';
import { logName } from '../lake/paths.ts';
import { type Seal, decideTakeover } from '../lake/source-log.ts';
import { formatInstant } from '../lake/time.ts';
import type { Logger, ObjectStore, TopicPartitionOffsets } from '../ports.ts';
import { type CheckpointKeeper, createCheckpointKeeper } from './checkpoint-keeper.ts';
import { type PartitionWriter, createPartitionWriter } from './ingest-partition.ts';
import { takeOver } from './ingest-takeover.ts';
import type { WriterDeps } from './ingest-writer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { LogRef } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/* Taking over the source logs of a group of topic partitions, and what it then knows of them. */

export type LogsDeps = WriterDeps & {
  readonly ports: { readonly logger: Logger };
  readonly limits: FlushLimits;
  readonly budget: MemoryBudget;
};

/**
 * The topic partitions of a group: those that are written, each with the keeper of its checkpoints,
 * and those that stopped at a hole.
 */
export type Logs = {
  readonly writers: readonly PartitionWriter[];
  readonly keepers: readonly CheckpointKeeper[];
  readonly stopped: readonly LogPosition[];
};

/**
 * Takes over a log for each topic partition. One whose records Kafka has lost stops alone: the
 * others go on.
 */
export async function takeOverAll(
  deps: LogsDeps,
  topicPartitions: readonly TopicPartitionOffsets[],
): Promise<Logs> {
  // All of them end before one that failed is told of: none goes on behind the caller's back.
  const settled = await Promise.allSettled(
    topicPartitions.map((offsets) => takeOverOrStop(deps, offsets)),
  );
  const failure = settled.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  const taken = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return {
    writers: taken.flatMap((one) => (one.kind === 'taken' ? [one.writer] : [])),
    keepers: taken.flatMap((one) => (one.kind === 'taken' ? [one.keeper] : [])),
    stopped: taken.flatMap((one) => (one.kind === 'stopped' ? [one.position] : [])),
  };
}

/** Checkpoints are written beside the batches, of logs that are still this writer's. */
export function keepCheckpoints({ writers, keepers }: Logs): void {
  for (const [index, writer] of writers.entries()) {
    const { number, stopped } = writer.position();
    if (stopped === null) keepers[index]?.tick(number);
  }
}

export function statesOf(
  { writers, stopped }: Logs,
  left: ReadonlySet<string>,
): readonly LogReport[] {
  return [
    ...writers.map((writer) => ({ ...writer.position(), caughtUp: writer.isCaughtUp() })),
    ...stopped.map((position) => ({ ...position, caughtUp: false })),
  ].map((report) => ({ ...report, left: left.has(report.log) }));
}

/**
 * Where a log stands, whether everything that Kafka had when last asked is sealed, and whether the
 * group has let go of it.
 */
export type LogReport = LogPosition & { readonly caughtUp: boolean; readonly left: boolean };

type Taken =
  | {
      readonly kind: 'taken';
      readonly writer: PartitionWriter;
      readonly keeper: CheckpointKeeper;
    }
  | { readonly kind: 'stopped'; readonly position: LogPosition };

async function takeOverOrStop(deps: LogsDeps, offsets: TopicPartitionOffsets): Promise<Taken> {
  try {
    const takeover = await takeOver(deps, offsets);
    const { log } = takeover.open;
    const keeper = createCheckpointKeeper(deps, { dataset: deps.dataset.name, log });
    const onSealed = (seal: Seal): void => {
      const { number, rows, deadLetters, records } = seal;
      deps.ports.logger.debug({ log, number, records, rows, deadLetters }, 'batch sealed');
      keeper.sealed(seal);
    };
    return {
      kind: 'taken',
      writer: createPartitionWriter({ ...deps, onSealed }, takeover),
      keeper,
    };
  } catch (error) {
    if (!isHole(error) && !isOvertaken(error)) throw error;
    deps.ports.logger.error({ code: error.code, ...error.facts }, error.message);
    const log = logName(offsets.topic, offsets.partition);
    const position = await restingPosition(deps.ports.objects, { dataset: deps.dataset.name, log });
    const stopped = { code: error.code, message: error.message };
    return { kind: 'stopped', position: { ...position, stopped } };
  }
}

function isHole(error: unknown): error is IngotError {
  return (
    error instanceof IngotError &&
    ['OFFSETS_LOST', 'TOPIC_CHANGED', 'RECORDS_UNREADABLE'].includes(error.code)
  );
}

/** By a newcomer of another lane; one of the same lane fails the slice. */
function isOvertaken(error: unknown): error is IngotError {
  return error instanceof IngotError && error.code === 'WRITER_REPLACED' && !error.retryable;
}

/**
 * Where a log ends that nobody writes; its frontier does not move. A plan that is still open is not
 * counted, or the owner would pass over it and never route what it will hold.
 */
export async function restingPosition(
  objects: ObjectStore,
  ref: LogRef,
): Promise<Omit<LogPosition, 'stopped'>> {
  const decision = decideTakeover(await readTail(objects, ref));
  const state = decision.kind === 'append' ? decision.state : decision.plan.before;
  const next = decision.kind === 'append' ? decision.number : decision.plan.number;
  return {
    log: ref.log,
    number: next - 1,
    offsetNext: state.offsetNext ?? '0',
    frontier: state.lastRecordTime ?? formatInstant(0),
    batches: 0,
    records: 0,
    rows: 0,
    deadLetters: 0,
  };
}
