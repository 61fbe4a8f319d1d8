import type { Dataset } from '../lake/dataset.ts';
import { type FoldPlan, planFold } from '../lake/fold.ts';
import { versionFolder } from '../lake/paths.ts';
import { type Pointer, type PointerFile, canonicalJson } from '../lake/pointer.ts';
import type { ObjectStore } from '../ports.ts';

/* Which files a silver version is made of: copies of the current ones, and what was written anew. */

const copiesAtOnce = 16;

/** How a fold arranges the files of each table partition of the version that it adds to. */
export function foldPlans(base: Pointer | null): ReadonlyMap<string, FoldPlan> {
  const byPartition = new Map<string, PointerFile[]>();
  for (const file of base?.files ?? []) {
    const name = canonicalJson(file.partition);
    byPartition.set(name, [...(byPartition.get(name) ?? []), file]);
  }
  return new Map([...byPartition].map(([name, files]) => [name, planFold(files)]));
}

/**
 * The files of a fold: a table partition that got rows becomes a whole new folder, made of copies
 * and the new file; one that got none stays in the folder that it has.
 */
export async function arrangeFiles(
  objects: ObjectStore,
  made: {
    readonly dataset: Dataset;
    readonly version: string;
    readonly written: readonly PointerFile[];
    readonly plans: ReadonlyMap<string, FoldPlan>;
  },
): Promise<readonly PointerFile[]> {
  const { dataset, version } = made;
  const written = new Map(made.written.map((file) => [canonicalJson(file.partition), file]));
  const kept: PointerFile[] = [];
  const copies: { readonly from: string; readonly to: string }[] = [];
  for (const [name, { keep, merge }] of made.plans) {
    const touched = written.has(name);
    for (const file of touched ? keep : [...keep, ...merge]) {
      if (!touched) {
        kept.push(file);
        continue;
      }
      const folder = versionFolder(dataset.silver, file.partition, version);
      const key = `${folder}${file.key.slice(file.key.lastIndexOf('/') + 1)}`;
      copies.push({ from: file.key, to: key });
      kept.push({ ...file, key });
    }
  }
  for (let at = 0; at < copies.length; at += copiesAtOnce) {
    const some = copies.slice(at, at + copiesAtOnce);
    await Promise.all(some.map(({ from, to }) => objects.copyObject(from, to)));
  }
  return [...kept, ...made.written];
}
