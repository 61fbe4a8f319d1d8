import { setTimeout as pause } from 'node:timers/promises';
import { IngotError } from '../errors.ts';
import type { FlushLimits, PlanSettings } from '../lake/batch.ts';
import type { Dataset } from '../lake/dataset.ts';
import { dropLog, isUnderWay } from '../lake/drop.ts';
import { type DroppedObject, dropTopic } from '../lake/dropped-object.ts';
import type { LogPosition, LogStop } from '../lake/messages.ts';
import { decideTakeover } from '../lake/source-log.ts';
import { formatInstant } from '../lake/time.ts';
import type { EventSource, Ports } from '../ports.ts';
import { type CheckpointKeeper, createCheckpointKeeper } from './checkpoint-keeper.ts';
import { type DropFolder, createDropFolder } from './drop-folder.ts';
import { readTaken } from './drop-index.ts';
import { type DropWriterDeps, takeObject, takeOverDrop } from './drop-writer.ts';
import type { Group, StartGroup } from './ingest-group.ts';
import type { OpenLog } from './ingest-writer.ts';
import type { LogReport } from './ingest-logs.ts';
import { readTail } from './source-log-tail.ts';

/*
 * The drop folder, served as a group of one source log: what a lane knows of it is what it knows of
 * any group, so that slices, heartbeats and signals to the owner are the same as for Kafka.
 */

export type DropGroupDeps = {
  readonly ports: Pick<Ports, 'objects' | 'bronze' | 'rowFiles' | 'now' | 'logger'>;
  readonly dataset: Dataset;
  readonly limits: Pick<FlushLimits, 'rowsMax' | 'bytesMax'>;
  readonly plan: Omit<PlanSettings, 'contractHash' | 'encoder' | 'rawCopy'>;
  readonly folder: {
    /** Without it nothing new is taken, and no window waits for the folder. */
    readonly enabled: boolean;
    readonly prefix: string;
    readonly pollMs: number;
    /** How old events may be when their file is dropped. */
    readonly delayMs: number;
  };
};

/** The folder in place of a topic: one topic partition, whose end nobody knows. */
export const dropSource: EventSource = {
  describeTopic: async () => [{ topic: dropTopic, partition: 0, offsetStart: '0', offsetEnd: '0' }],
  read: () => Promise.reject(new Error('a drop folder is not read as a topic')),
  publishPositions: async () => undefined,
};

/** What changes while a group runs; only the functions of this file touch it. */
type State = {
  open: OpenLog | null;
  folder: DropFolder | null;
  /** Where the log of a group that cannot go on ends. */
  stopped: LogPosition | null;
  object: string | null;
  waiting: number;
  frontierMs: number;
  caughtUp: boolean;
  done: { batches: number; records: number; rows: number; deadLetters: number };
  /** It was asked to let go of its log, and has done so. */
  leaving: boolean;
  left: boolean;
};

type Signals = { readonly finishing: AbortController; readonly halted: AbortController };

export function createDropGroups(deps: DropGroupDeps): StartGroup {
  return ({ writer }) => startDropGroup(deps, writer);
}

function startDropGroup(deps: DropGroupDeps, writer: string): Group {
  const signals = { finishing: new AbortController(), halted: new AbortController() };
  const state: State = {
    open: null,
    folder: null,
    stopped: null,
    object: null,
    waiting: 0,
    frontierMs: 0,
    caughtUp: false,
    done: { batches: 0, records: 0, rows: 0, deadLetters: 0 },
    leaving: false,
    left: false,
  };
  const run = async (): Promise<readonly LogReport[]> => {
    try {
      await serve(deps, writer, state, signals);
    } catch (error) {
      state.stopped = await stoppedBy(deps, state, error);
    }
    state.left = state.leaving;
    return reportsOf(state);
  };
  return {
    logs: [dropLog],
    observe: () => undefined,
    reports: () => reportsOf(state),
    drop: () => {
      state.leaving = true;
      state.left = state.stopped !== null;
      signals.finishing.abort();
    },
    finish: () => signals.finishing.abort(),
    halt: () => signals.halted.abort(),
    ended: run(),
  };
}

async function serve(
  deps: DropGroupDeps,
  writer: string,
  state: State,
  signals: Signals,
): Promise<void> {
  const { ports } = deps;
  const writerDeps = writerDepsOf(deps, writer);
  state.open = await takeOverDrop(writerDeps);
  const keeperDeps = { ports, signal: signals.halted.signal };
  const keeper = createCheckpointKeeper(keeperDeps, { dataset: deps.dataset.name, log: dropLog });
  try {
    await takeUntilOver(deps, writerDeps, state, signals, keeper);
  } finally {
    await keeper.idle();
  }
}

async function takeUntilOver(
  deps: DropGroupDeps,
  writerDeps: DropWriterDeps,
  state: State,
  signals: Signals,
  keeper: CheckpointKeeper,
): Promise<void> {
  const { ports, folder: settings } = deps;
  const folder = await openFolder(deps);
  state.folder = folder;
  const over = AbortSignal.any([signals.finishing.signal, signals.halted.signal]);
  const take = async (object: DroppedObject): Promise<void> => {
    await takeOne(writerDeps, deps, state, signals, object, keeper);
    keep();
  };
  const keep = (): void => {
    if (state.open !== null) keeper.tick(state.open.next - 1);
  };

  const last = state.open?.state.object;
  if (last !== undefined && isUnderWay(last)) await take(last);
  while (!over.aborted) {
    keep();
    const startedMs = ports.now();
    const { take: found, isComplete } = settings.enabled
      ? await folder.poll(startedMs)
      : { take: [], isComplete: true };
    state.waiting = found.length;
    for (const object of found) {
      if (over.aborted) return;
      await take(object);
      state.waiting -= 1;
    }
    state.caughtUp = isComplete;
    if (!isComplete) continue;
    state.frontierMs = startedMs - (settings.enabled ? settings.delayMs : 0);
    // An abort is how the wait is cut short; the loop sees it.
    await pause(settings.pollMs, undefined, { signal: over }).catch(() => undefined);
  }
}

async function takeOne(
  writerDeps: DropWriterDeps,
  { ports }: DropGroupDeps,
  state: State,
  { finishing, halted }: Signals,
  object: DroppedObject,
  keeper: CheckpointKeeper,
): Promise<void> {
  if (state.open === null) return;
  state.object = object.key;
  let batches = 0;
  try {
    const taken = await takeObject(writerDeps, state.open, object, {
      // A slice that ends before its first batch would begin the object anew in each slice.
      isOver: () => halted.signal.aborted || (finishing.signal.aborted && batches > 0),
      onCommitted: (open, seal) => {
        const { number, records, rows, deadLetters } = seal;
        keeper.sealed(seal);
        batches += 1;
        state.open = open;
        state.done.batches += 1;
        state.done.records += records;
        state.done.rows += rows;
        state.done.deadLetters += deadLetters;
        const facts = { log: dropLog, number, object: object.key, records, rows, deadLetters };
        ports.logger.debug(facts, 'batch sealed');
      },
    });
    state.open = taken.open;
    if (taken.ended === 'whole') state.folder?.noteTaken(object);
    if (taken.ended === 'gone') {
      const facts = { key: object.key, etag: object.etag };
      ports.logger.info(facts, 'a dropped object went before it was taken; it is looked for anew');
    }
  } finally {
    state.object = null;
  }
}

async function openFolder({ ports, dataset, folder }: DropGroupDeps): Promise<DropFolder> {
  return createDropFolder({
    objects: ports.objects,
    dataset: dataset.name,
    prefix: folder.prefix,
    taken: await readTaken(ports.objects, dataset.name),
    onOdd: ({ key, etag }, kind) =>
      ports.logger.warn(
        { key, etag },
        kind === 'undecided'
          ? 'a dropped object was replaced after it was taken; `ingot drop decide` says what to do'
          : 'a dropped object is left alone: its name does not say how to read it',
      ),
  });
}

export function writerDepsOf(
  { ports, dataset, limits, plan }: DropGroupDeps,
  writer: string,
): DropWriterDeps {
  // The object is the raw copy: a second one would only double what is kept.
  return { ports, dataset, limits, settings: { ...plan, rawCopy: false }, writer };
}

/** A group stops alone where a person has to look; any other fault is the lane's. */
async function stoppedBy(deps: DropGroupDeps, state: State, error: unknown): Promise<LogPosition> {
  const isStop =
    error instanceof IngotError && ['OBJECT_LOST', 'WRITER_REPLACED'].includes(error.code);
  // By an attempt of its own lane: Temporal starts the one that it wants.
  if (!isStop || error.retryable) throw error;
  deps.ports.logger.error({ code: error.code, ...error.facts }, error.message);
  const stopped = { code: error.code, message: error.message };
  if (state.open !== null) return positionOf(state, state.open, stopped);
  // Not taken over: an open plan is not counted, or the owner would never route what it will hold.
  const ref = { dataset: deps.dataset.name, log: dropLog };
  const decision = decideTakeover(await readTail(deps.ports.objects, ref));
  const before = decision.kind === 'append' ? decision.state : decision.plan.before;
  const next = decision.kind === 'append' ? decision.number : decision.plan.number;
  return {
    log: dropLog,
    number: next - 1,
    offsetNext: before.offsetNext ?? '0',
    frontier: formatInstant(state.frontierMs),
    ...state.done,
    stopped,
  };
}

function reportsOf(state: State): readonly LogReport[] {
  const { open, stopped, caughtUp, left } = state;
  if (stopped !== null) return [{ ...stopped, caughtUp: false, left }];
  return open === null ? [] : [{ ...positionOf(state, open, null), caughtUp, left }];
}

function positionOf(state: State, open: OpenLog, stopped: LogStop | null): LogPosition {
  const { folder, waiting, object } = state;
  return {
    log: dropLog,
    number: open.next - 1,
    offsetNext: open.state.offsetNext,
    frontier: formatInstant(state.frontierMs),
    ...state.done,
    stopped,
    ...(folder === null ? {} : { drop: { waiting, object, ...folder.figures() } }),
  };
}
