import type { BatchFacts } from './checkpoint.ts';
import type { LogName } from './paths.ts';
import type { Pointer } from './pointer.ts';
import type { WindowId } from './window.ts';

/* Sealed batches that no version has yet: a reader cleans them, and keeps what it has cleaned. */

export type TailWindow = {
  readonly window: WindowId;
  readonly batches: readonly BatchFacts[];
  /** Rows of the window in these batches, before cleaning. */
  readonly rows: number;
};

/** Per window, the batches that are newer than its pointer's inputs; windows without any are left out. */
export function liveTail(
  sealed: readonly BatchFacts[],
  pointers: ReadonlyMap<WindowId, Pick<Pointer, 'logs'>>,
): readonly TailWindow[] {
  const tails = new Map<WindowId, { batches: BatchFacts[]; rows: number }>();
  for (const batch of sealed) {
    for (const [window, rows] of Object.entries(batch.rowsPerEventHour)) {
      if (rows === 0 || covers(pointers.get(window), batch.log, batch.number)) continue;
      const tail = tails.get(window) ?? { batches: [], rows: 0 };
      tail.batches.push(batch);
      tail.rows += rows;
      tails.set(window, tail);
    }
  }
  return [...tails].map(([window, tail]) => ({ window, ...tail }));
}

function covers(pointer: Pick<Pointer, 'logs'> | undefined, log: LogName, number: number): boolean {
  return number <= (pointer?.logs[log]?.through ?? -1);
}

/** As many windows as a reader has room for, the newest first, and how many rows the others have. */
export function withinReach(
  tails: readonly TailWindow[],
  rowsMax: number,
): { readonly shown: readonly TailWindow[]; readonly rowsLeftOut: number } {
  const shown: TailWindow[] = [];
  let [rows, rowsLeftOut] = [0, 0];
  for (const tail of tails.toSorted((a, b) => (a.window < b.window ? 1 : -1))) {
    if (rows + tail.rows > rowsMax) {
      rowsLeftOut += tail.rows;
    } else {
      rows += tail.rows;
      shown.push(tail);
    }
  }
  return { shown, rowsLeftOut };
}

/** Batches of a window that were cleaned together: of equal ids among them one row is left. */
export type TailPart = { readonly batches: readonly BatchId[] };
/** What tells one sealed batch from any other, whose content never changes. */
export type BatchId = string;

export function batchId({ log, number, ingestHour }: BatchFacts): BatchId {
  return `${log}/${number}/${ingestHour}`;
}

/**
 * Which parts still stand for what is in the tail, and which batches must be cleaned. A part of which
 * one batch has left the tail goes: that batch may have hidden rows of the others.
 */
export function decideParts<Part extends TailPart>(
  parts: readonly Part[],
  batches: readonly BatchFacts[],
): {
  readonly keep: readonly Part[];
  readonly drop: readonly Part[];
  readonly clean: readonly BatchFacts[];
} {
  const wanted = new Set(batches.map(batchId));
  const isWhole = (part: Part): boolean => part.batches.every((id) => wanted.has(id));
  const keep = parts.filter(isWhole);
  const kept = new Set(keep.flatMap((part) => part.batches));
  return {
    keep,
    drop: parts.filter((part) => !isWhole(part)),
    clean: batches.filter((batch) => !kept.has(batchId(batch))),
  };
}

/** Above so many small parts of a window, each of which every question reads, they become one. */
const smallPartsMax = 8;

export function partsToMerge<Part extends TailPart>(parts: readonly Part[]): readonly Part[] {
  const small = parts.filter(({ batches }) => batches.length < smallPartsMax);
  return small.length > smallPartsMax ? small : [];
}
