import type { BatchFacts } from './checkpoint.ts';
import type { LogName } from './paths.ts';
import type { Pointer } from './pointer.ts';
import type { WindowId } from './window.ts';

/* Sealed batches that no version has yet: a reader cleans them as it reads. */

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
