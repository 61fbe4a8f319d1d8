import assert from 'node:assert';
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

/** The files that a fold has from the version before. */
export type KeptFiles = {
  /** Begins to make the copies; the table partitions that get rows are known. */
  begin(touched: readonly PointerFile['partition'][]): void;
  /** Resolves when all copies are there. Throws what one of them failed with. */
  files(): Promise<readonly PointerFile[]>;
  /** Resolves when nothing of it runs any more. */
  idle(): Promise<void>;
};

export type KeptFrom = {
  readonly dataset: Dataset;
  readonly version: string;
  readonly plans: ReadonlyMap<string, FoldPlan>;
};

/** Copies are made by the lake, so they run while the engine writes what is new. */
export function createKeptFiles(objects: ObjectStore, from: KeptFrom): KeptFiles {
  let making: Promise<readonly PointerFile[]> | undefined;
  return {
    begin: (touched) => {
      making = keepFiles(objects, from, new Set(touched.map(canonicalJson)));
      // Whoever asks for the files is told.
      making.catch(() => undefined);
    },
    files: async () => {
      assert(making !== undefined, 'the engine tells the table partitions of what it writes');
      return making;
    },
    idle: async () => void (await Promise.allSettled([making])),
  };
}

/**
 * A table partition that got rows becomes a whole new folder, made of copies and the new file; one that
 * got none stays in the folder that it has.
 */
async function keepFiles(
  objects: ObjectStore,
  { dataset, version, plans }: KeptFrom,
  touched: ReadonlySet<string>,
): Promise<readonly PointerFile[]> {
  const kept: PointerFile[] = [];
  const copies: { readonly from: string; readonly to: string }[] = [];
  for (const [name, { keep, merge }] of plans) {
    const isTouched = touched.has(name);
    for (const file of isTouched ? keep : [...keep, ...merge]) {
      if (!isTouched) {
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
    // All of them, so that none is on its way when one has failed.
    const results = await Promise.allSettled(
      some.map(({ from, to }) => objects.copyObject(from, to)),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
  return kept;
}
