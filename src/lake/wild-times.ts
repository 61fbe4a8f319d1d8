import type { BatchFacts } from './checkpoint.ts';
import { type WindowId, windowOf } from './window.ts';

/*
 * A batch touches few windows as a rule: its events are of now, or late. One whose event times are
 * wild may touch ten thousand. The windows nearest to its ingest time are regular work; the excess is
 * held until a person decides, so that it slows nothing else. Which windows are held hangs on the
 * batch and the limit alone: the owner, readers and the row accounting come to the same ones.
 */

/** Windows that one batch may touch, where nothing else is configured. */
export const batchWindowsMaxDefault = 100;

/** By this a decision about held rows names them, where other gates name a window. */
export const wildTimesId = 'wild-event-times';

/** The windows that a batch holds rows of, those nearest to its ingest time first. */
export function windowsByNearness({
  ingestHour,
  rowsPerEventHour,
}: BatchFacts): readonly WindowId[] {
  const ingestMs = windowOf(ingestHour).startMs;
  return Object.entries(rowsPerEventHour)
    .filter(([, rows]) => rows > 0)
    .map(([id]) => ({ id, awayMs: Math.abs(windowOf(id).startMs - ingestMs) }))
    .sort((a, b) => a.awayMs - b.awayMs || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}

/** The windows of a batch that are held. */
export function wildWindows(batch: BatchFacts, windowsMax: number): readonly WindowId[] {
  if (Object.keys(batch.rowsPerEventHour).length <= windowsMax) return [];
  return windowsByNearness(batch).slice(windowsMax);
}

/** The batch as if the rows that are held were not in it. */
export function withoutWild(batch: BatchFacts, windowsMax: number): BatchFacts {
  const wild = new Set(wildWindows(batch, windowsMax));
  if (wild.size === 0) return batch;
  const left = Object.entries(batch.rowsPerEventHour).filter(([window]) => !wild.has(window));
  return { ...batch, rowsPerEventHour: Object.fromEntries(left) };
}

/** Rows of wild event times that no version has, among these batches. */
export function wildRowsLeft(
  batches: readonly BatchFacts[],
  windowsMax: number,
  isIn: (window: WindowId, batch: BatchFacts) => boolean,
): number {
  return batches.reduce(
    (sum, batch) =>
      wildWindows(batch, windowsMax)
        .filter((window) => !isIn(window, batch))
        .reduce((rows, window) => rows + (batch.rowsPerEventHour[window] ?? 0), sum),
    0,
  );
}
