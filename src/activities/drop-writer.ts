import { IngotError } from '../errors.ts';
import { type FlushLimits, takeoverEntry } from '../lake/batch.ts';
import { dropLog, isInPart, isUnderWay, lineNext, offsetOfLine } from '../lake/drop.ts';
import { type DroppedObject, dropTopic } from '../lake/dropped-object.ts';
import { type PlanEntry, type Seal, decideTakeover } from '../lake/source-log.ts';
import { createDropBatch } from './drop-content.ts';
import { markTaken } from './drop-index.ts';
import { type ReadDeps, readDropped } from './drop-read.ts';
import {
  type BatchDeps,
  type OpenLog,
  commitBatch,
  replaced,
  writeAndSeal,
} from './ingest-writer.ts';
import { appendEntry } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/*
 * The source log of the drop folder: taken over like any other, and written batch by batch from
 * objects instead of a topic. The object itself is the raw copy.
 */

export type DropWriterDeps = BatchDeps & {
  readonly limits: Pick<FlushLimits, 'rowsMax' | 'bytesMax'>;
};

const takeoverRoundsMax = 20;

/**
 * Takes the log over: finishes an open plan, marks the object that the log ends with if it was taken
 * whole, then appends a takeover entry. `OBJECT_LOST` when an open plan names what is not there any
 * more, `WRITER_REPLACED` when another newcomer was faster.
 */
export async function takeOverDrop(deps: DropWriterDeps): Promise<OpenLog> {
  const { objects, now } = deps.ports;
  const dataset = deps.dataset.name;
  const first = await readTail(objects, { dataset, log: dropLog });
  for (let round = 0; round < takeoverRoundsMax; round += 1) {
    const tail = round === 0 ? first : await readTail(objects, { dataset, log: dropLog });
    const by = tail.entry?.writer ?? null;
    if (by !== (first.entry?.writer ?? null)) throw replaced(deps, dropLog, by);
    const decision = decideTakeover(tail);
    if (decision.kind === 'finishPlan') {
      await finishPlan(deps, decision.plan);
      continue;
    }
    const { number, state: before } = decision;
    const last = before.object;
    if (last !== undefined && !isUnderWay(last)) await markTaken(objects, dataset, last);
    const offsetNext = before.offsetNext ?? '0';
    const { writer } = deps;
    const nowMs = now();
    const entry = takeoverEntry({ log: dropLog, number, writer, nowMs, before, offsetNext });
    if ((await appendEntry(objects, dataset, entry)) === 'appended') {
      const state = { ...before, offsetNext };
      return { log: dropLog, topic: dropTopic, partition: 0, next: number + 1, state };
    }
  }
  throw replaced(deps, dropLog, null);
}

/** Writes what an open plan says, from the object that it names. */
async function finishPlan(deps: DropWriterDeps, plan: PlanEntry): Promise<void> {
  const { object, offsetFirst } = plan;
  if (object === undefined) throw new Error(`plan ${plan.log} #${plan.number} names no object`);
  const batch = createDropBatch(contentDeps(deps), {
    limits: deps.limits,
    recordBytesMax: plan.recordBytesMax,
    foundAt: object.foundAt,
    range: { offsetFirst, lineFirst: object.lineFirst },
    nowMs: Date.parse(plan.ingestTime),
  });
  const reading = { ...readDeps(deps), recordBytesMax: plan.recordBytesMax };
  for await (const lines of readDropped(reading, object)) {
    for (const line of lines) if (isInPart(line, object)) batch.add(line);
    if (lines.some(({ line }) => line >= object.lineEnd)) break;
  }
  await writeAndSeal(deps, plan, batch.take());
}

export type TakeOptions = {
  /** Asked often: to stop before everything was taken. */
  readonly isOver: () => boolean;
  readonly onCommitted: (open: OpenLog, seal: Seal) => void;
};

export type Taken = {
  readonly open: OpenLog;
  /** `gone`: it was replaced or deleted before anything of it was planned, and is looked for anew. */
  readonly ended: 'whole' | 'stopped' | 'gone';
};

/**
 * Takes an object from where the log ends in it, batch by batch, and marks it. `OBJECT_LOST` when it
 * is replaced or deleted after a part of it was taken.
 */
export async function takeObject(
  deps: DropWriterDeps,
  open: OpenLog,
  object: DroppedObject,
  options: TakeOptions,
): Promise<Taken> {
  let current = open;
  let lineFirst = lineNext(open.state.object, object);
  const isBegun = (): boolean => lineFirst > 0;
  let batch = nextBatch(deps, current, object, lineFirst);
  const commit = async (lineEnd: number, ends: boolean): Promise<void> => {
    const range = { offsetFirst: current.state.offsetNext, lineFirst };
    const { key, etag, bytes, foundAt } = object;
    const committed = await commitBatch(deps, current, {
      content: batch.take(),
      offsetEnd: String(offsetOfLine(range, lineEnd)),
      object: { key, etag, bytes, foundAt, lineFirst, lineEnd, ends },
    });
    current = committed.open;
    lineFirst = lineEnd;
    options.onCommitted(current, committed.seal);
    batch = nextBatch(deps, current, object, lineFirst);
  };
  const lines = readDropped(readDeps(deps), object);
  try {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) {
        await commit(next.value, true);
        break;
      }
      for (const line of next.value) {
        if (line.line < lineFirst) continue;
        // Only before a further line: so that the last batch of an object is never an empty one.
        if (batch.isFull()) await commit(line.line, false);
        batch.add(line);
      }
      if (options.isOver()) return { open: current, ended: 'stopped' };
    }
  } catch (error) {
    const isLost = error instanceof IngotError && error.code === 'OBJECT_LOST';
    if (!isLost || isBegun()) throw error;
    return { open: current, ended: 'gone' };
  } finally {
    await lines.return(0);
  }
  const { object: last } = current.state;
  if (last !== undefined) await markTaken(deps.ports.objects, deps.dataset.name, last);
  return { open: current, ended: 'whole' };
}

function nextBatch(
  deps: DropWriterDeps,
  { state }: OpenLog,
  { foundAt }: DroppedObject,
  lineFirst: number,
): ReturnType<typeof createDropBatch> {
  return createDropBatch(contentDeps(deps), {
    limits: deps.limits,
    recordBytesMax: deps.settings.recordBytesMax,
    foundAt,
    range: { offsetFirst: state.offsetNext, lineFirst },
    nowMs: deps.ports.now(),
  });
}

function contentDeps({ dataset, ports }: DropWriterDeps): Parameters<typeof createDropBatch>[0] {
  return { dataset, bronze: ports.bronze };
}

function readDeps({ ports, dataset, settings }: DropWriterDeps): ReadDeps {
  return { objects: ports.objects, dataset, recordBytesMax: settings.recordBytesMax };
}
