import { IngotError } from '../errors.ts';
import {
  type BatchFacts,
  type Checkpoint,
  batchesOf,
  checkpointOf,
  factsOf,
} from '../lake/checkpoint.ts';
import {
  type IndexNode,
  type NodeName,
  type Wanted,
  childrenOf,
  childrenWanted,
  decideVisit,
  indexOf,
  indexesDue,
  isIndex,
  nodesOver,
} from '../lake/checkpoint-index.ts';
import { checkpointKey, checkpointPrefix } from '../lake/paths.ts';
import type { Seal } from '../lake/source-log.ts';
import type { WindowId } from '../lake/window.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';
import { type LogRef, numbersBetween, readSealsOf } from './source-log.ts';

/* Reading and writing checkpoints of source logs. What one says is decided in lake/checkpoint.ts. */

export type FoundCheckpoint = { readonly checkpoint: Checkpoint; readonly hash: string };

/** Two requests, however many there are. */
export async function newestCheckpoint(
  objects: ObjectStore,
  { dataset, log }: LogRef,
): Promise<FoundCheckpoint | null> {
  const [newest] = await objects.listObjects(checkpointPrefix(dataset, log, 0), { limit: 1 });
  if (newest === undefined) return null;
  const found = await readJson<Checkpoint>(objects, newest.key);
  if (found !== null) return { checkpoint: found.value, hash: sha256(found.bytes) };
  throw new IngotError('LOG_CORRUPT', 'a checkpoint that was listed is gone', {
    retryable: true,
    facts: { key: newest.key },
  });
}

/**
 * Writes the checkpoint after `previous`, and before it the indexes that are due. Where another
 * writer has written one at its number, that one is the answer: both say what the log says.
 */
export async function writeCheckpoint(
  objects: ObjectStore,
  ref: LogRef,
  input: {
    readonly previous: FoundCheckpoint | null;
    readonly through: number;
    readonly completeTo: WindowId | null;
    readonly seals: readonly Seal[];
  },
): Promise<FoundCheckpoint> {
  const { dataset, log } = ref;
  const last = input.seals.at(-1);
  const lastSealHash = last === undefined ? null : sha256(jsonBytes(last));
  const checkpoint = checkpointOf({ log, ...input, lastSealHash });
  // Before the next one, so that an index is missing only behind the newest checkpoint.
  for (const name of indexesDue(checkpoint.number)) await writeIndex(objects, ref, name);
  const key = checkpointKey(dataset, log, { level: 0, number: checkpoint.number });
  const bytes = jsonBytes(checkpoint);
  const { kind } = await objects.createObject(key, bytes);
  if (kind === 'created') return { checkpoint, hash: sha256(bytes) };
  const found = await readNode(objects, ref, { level: 0, number: checkpoint.number });
  if (found !== null && !isIndex(found.node)) return { checkpoint: found.node, hash: found.hash };
  throw new IngotError('LOG_CORRUPT', 'a checkpoint is there and cannot be read', {
    retryable: true,
    facts: { key },
  });
}

async function writeIndex(objects: ObjectStore, ref: LogRef, name: NodeName): Promise<void> {
  const key = checkpointKey(ref.dataset, ref.log, name);
  if ((await objects.headObject(key)) !== null) return;
  const children = await Promise.all(
    childrenOf(name).map((child) => readNode(objects, ref, child)),
  );
  const found = children.filter((child) => child !== null);
  // Without one of them there is no index; readers then go by the children.
  if (found.length < children.length) return;
  await objects.createObject(key, jsonBytes(indexOf(ref.log, name, found)));
}

async function readNode(
  objects: ObjectStore,
  { dataset, log }: LogRef,
  name: NodeName,
): Promise<{ readonly node: IndexNode; readonly hash: string } | null> {
  const found = await readJson<IndexNode>(objects, checkpointKey(dataset, log, name));
  return found === null ? null : { node: found.value, hash: sha256(found.bytes) };
}

/**
 * The sealed batches of a range of numbers, ascending; of a window, those that hold rows of it. What
 * checkpoints cover is read from them. Of what follows them, the seals of the range are read, or of
 * `numbersBehind` where the caller knows which ones matter.
 */
export async function readBatches(
  objects: ObjectStore,
  ref: LogRef,
  wanted: Wanted & { readonly numbersBehind?: readonly number[] },
): Promise<readonly BatchFacts[]> {
  if (wanted.through < wanted.first) return [];
  const newest = (await newestCheckpoint(objects, ref))?.checkpoint ?? null;
  const covered = newest?.through ?? -1;
  const found = newest === null ? [] : await walk(objects, ref, newest, wanted);
  const first = Math.max(wanted.first, covered + 1);
  const numbers = numbersBetween(first, wanted.through);
  const matters = wanted.numbersBehind === undefined ? null : new Set(wanted.numbersBehind);
  const seals = await readSealsOf(
    objects,
    ref,
    matters === null ? numbers : numbers.filter((number) => matters.has(number)),
  );
  const behind = seals
    .map(({ seal }) => factsOf(seal))
    .filter(({ rowsPerEventHour }) => wanted.window === null || hasRows(rowsPerEventHour, wanted));
  return [...found.toSorted((a, b) => a.number - b.number), ...behind];
}

function hasRows(rows: BatchFacts['rowsPerEventHour'], { window }: Wanted): boolean {
  return window !== null && (rows[window] ?? 0) > 0;
}

/** From the newest checkpoint back, as far as there may be something that is wanted. */
async function walk(
  objects: ObjectStore,
  ref: LogRef,
  newest: Checkpoint,
  wanted: Wanted,
): Promise<readonly BatchFacts[]> {
  const found: BatchFacts[] = [];
  const visit = async (names: readonly NodeName[]): Promise<'on' | 'stop'> => {
    for (const name of names) {
      const isNewest = name.level === 0 && name.number === newest.number;
      const node = isNewest ? newest : ((await readNode(objects, ref, name))?.node ?? null);
      if (node === null) {
        if (name.level === 0) throw missing(ref, name);
        if ((await visit(childrenOf(name).toReversed())) === 'stop') return 'stop';
        continue;
      }
      const decision = decideVisit(node, wanted);
      if (decision === 'stop') return 'stop';
      if (decision === 'skip') continue;
      if (!isIndex(node)) found.push(...batchesOf(node, wanted));
      else if ((await visit(childrenWanted(node, wanted))) === 'stop') return 'stop';
    }
    return 'on';
  };
  await visit(nodesOver(newest.number + 1));
  return found;
}

/** The event hours of which the batches up to a number hold rows. Children are not read. */
export async function eventHoursOfLog(
  objects: ObjectStore,
  ref: LogRef,
  through: number,
): Promise<ReadonlySet<WindowId>> {
  const hours = new Set<WindowId>();
  const newest = (await newestCheckpoint(objects, ref))?.checkpoint ?? null;
  const visit = async (names: readonly NodeName[]): Promise<void> => {
    for (const name of names) {
      const node = (await readNode(objects, ref, name))?.node ?? null;
      if (node !== null) for (const hour of Object.keys(node.eventHours)) hours.add(hour);
      else if (name.level === 0) throw missing(ref, name);
      else await visit(childrenOf(name));
    }
  };
  await visit(nodesOver((newest?.number ?? -1) + 1));
  const behind = await readSealsOf(
    objects,
    ref,
    numbersBetween((newest?.through ?? -1) + 1, through),
  );
  for (const { seal } of behind) {
    for (const hour of Object.keys(seal.rowsPerEventHour)) hours.add(hour);
  }
  return hours;
}

function missing({ log }: LogRef, { number }: NodeName): IngotError {
  return new IngotError('LOG_CORRUPT', 'a checkpoint of a source log is missing', {
    retryable: false,
    facts: { log, checkpoint: number },
  });
}
