import type { Checkpoint } from './checkpoint.ts';
import type { LogName } from './paths.ts';
import type { WindowId } from './window.ts';

/*
 * Checkpoints are many after a year. An index sums up so many checkpoints, and an index of the next
 * level so many indexes, so that the batches of one event hour are found by reading a bounded number
 * of objects. An index is made of unchangeable objects alone: whoever makes it makes the same one.
 */

export const indexFanout = 32;

/** A checkpoint is a node of level 0. */
export type NodeName = { readonly level: number; readonly number: number };

export type CheckpointIndex = {
  readonly schema: 1;
  readonly log: LogName;
  readonly level: number;
  readonly number: number;
  /** The entries that it covers, inclusive. */
  readonly first: number;
  readonly through: number;
  /** Newest ingest hour of its batches; `null` without any. */
  readonly newestIngestHour: WindowId | null;
  readonly childHashes: readonly string[];
  /** Which children hold rows of an event hour, as numbers of their level. */
  readonly eventHours: Readonly<Record<WindowId, readonly number[]>>;
};

export type IndexNode = Checkpoint | CheckpointIndex;

/** The indexes that are complete when there are so many checkpoints and were not one before. */
export function indexesDue(checkpoints: number): readonly NodeName[] {
  const due: NodeName[] = [];
  let width = indexFanout;
  for (let level = 1; checkpoints > 0 && checkpoints % width === 0; level += 1) {
    due.push({ level, number: checkpoints / width - 1 });
    width *= indexFanout;
  }
  return due;
}

export function childrenOf({ level, number }: NodeName): readonly NodeName[] {
  return Array.from({ length: indexFanout }, (_, index) => ({
    level: level - 1,
    number: number * indexFanout + index,
  }));
}

/** The fewest nodes that together cover so many checkpoints, newest first. */
export function nodesOver(checkpoints: number): readonly NodeName[] {
  const nodes: NodeName[] = [];
  let level = 0;
  for (let count = checkpoints; count > 0; count = Math.floor(count / indexFanout)) {
    const whole = count - (count % indexFanout);
    for (let number = count - 1; number >= whole; number -= 1) nodes.push({ level, number });
    level += 1;
  }
  return nodes;
}

/** `children` are all of the node, in order. */
export function indexOf(
  log: LogName,
  { level, number }: NodeName,
  children: readonly { readonly node: IndexNode; readonly hash: string }[],
): CheckpointIndex {
  const nodes = children.map(({ node }) => node);
  const [oldest, newest] = [nodes[0], nodes.at(-1)];
  if (oldest === undefined || newest === undefined) throw new Error('an index sums up nothing');
  const eventHours: Record<WindowId, number[]> = {};
  for (const node of nodes) {
    for (const hour of Object.keys(node.eventHours)) (eventHours[hour] ??= []).push(node.number);
  }
  const hours = nodes.map(newestIngestHour).filter((hour) => hour !== null);
  return {
    schema: 1,
    log,
    level,
    number,
    first: oldest.first,
    through: newest.through,
    newestIngestHour: hours.sort().at(-1) ?? null,
    childHashes: children.map(({ hash }) => hash),
    eventHours,
  };
}

export function isIndex(node: IndexNode): node is CheckpointIndex {
  return 'level' in node;
}

function newestIngestHour(node: IndexNode): WindowId | null {
  return isIndex(node) ? node.newestIngestHour : (node.ingestHours.at(-1)?.hour ?? null);
}

export type Wanted = {
  readonly first: number;
  readonly through: number;
  /** `null`: batches of any window. */
  readonly window: WindowId | null;
  /** Nodes whose batches are all older hold nothing that is wanted. */
  readonly ingestHourFrom: WindowId | null;
};

/** What a walk from the newest node to the oldest does with a node. */
export function decideVisit(node: IndexNode, wanted: Wanted): 'take' | 'skip' | 'stop' {
  if (node.through < wanted.first) return 'stop';
  const newest = newestIngestHour(node);
  if (newest !== null && wanted.ingestHourFrom !== null && newest < wanted.ingestHourFrom) {
    return 'stop';
  }
  if (node.first > wanted.through) return 'skip';
  return wanted.window === null || wanted.window in node.eventHours ? 'take' : 'skip';
}

/** The children of an index that may hold what is wanted, newest first. */
export function childrenWanted(index: CheckpointIndex, { window }: Wanted): readonly NodeName[] {
  const all = childrenOf(index).toReversed();
  if (window === null) return all;
  const numbers = new Set(index.eventHours[window] ?? []);
  return all.filter(({ number }) => numbers.has(number));
}
