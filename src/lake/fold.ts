import type { PointerFile } from './pointer.ts';

/* How a fold arranges the files of a table partition: copies, plus one new file, merged when many. */

/** More files than this in one table partition and the smallest are merged. */
export const foldFilesMax = 8;

export type FoldPlan = {
  /** Files that keep their content in the new version. */
  readonly keep: readonly PointerFile[];
  /** Files whose rows go into one new file together. */
  readonly merge: readonly PointerFile[];
};

/** `current` are the files of one table partition that gets one new file. */
export function planFold(current: readonly PointerFile[]): FoldPlan {
  if (current.length < foldFilesMax) return { keep: current, merge: [] };
  const bySize = [...current].sort((a, b) => a.bytes - b.bytes || (a.key < b.key ? -1 : 1));
  const half = Math.ceil(current.length / 2);
  return { keep: bySize.slice(half), merge: bySize.slice(0, half) };
}
