import { type BatchFacts, factsOf } from '../lake/checkpoint.ts';
import { type LogName, afterLogEntry, bookmarkKey, logPrefix } from '../lake/paths.ts';
import type { Seal } from '../lake/source-log.ts';
import { batchWindowsMaxDefault, withoutWild } from '../lake/wild-times.ts';
import type { ObjectStore } from '../ports.ts';
import { newestCheckpoint, readBatches } from './checkpoints.ts';
import { readJson } from './json-objects.ts';
import type { LogRef } from './source-log.ts';

/* Which sealed batches may be in no version yet: where the live tail begins. */

type Bookmark = {
  readonly settledTo: Readonly<Record<LogName, number>>;
  readonly withheld?: readonly string[];
  /** Of what a batch holds of more windows, nothing shows before it is built. */
  readonly batchWindowsMax?: number;
};

export type Unsettled = {
  readonly batches: readonly BatchFacts[];
  /** All source logs, in order. */
  readonly logs: readonly LogName[];
};

/**
 * Sealed batches after the bookmark, from checkpoints as far as they go. Without a bookmark nothing
 * is settled, and all batches count. Rows of windows that wait for a person are not counted: readers
 * keep the version before. Logs that are known already are looked for all at once.
 */
export async function readUnsettled(
  objects: ObjectStore,
  dataset: string,
  known: readonly LogName[] = [],
): Promise<Unsettled> {
  const [bookmark, logs] = await Promise.all([
    readJson<Bookmark>(objects, bookmarkKey(dataset)),
    listLogs(objects, dataset, known),
  ]);
  const found = await Promise.all(
    logs.map((log) => unsettledOf(objects, { dataset, log }, bookmark?.value.settledTo[log] ?? -1)),
  );
  const withheld = new Set(bookmark?.value.withheld ?? []);
  const windowsMax = bookmark?.value.batchWindowsMax ?? batchWindowsMaxDefault;
  const shown = (batch: BatchFacts) => without(withoutWild(batch, windowsMax), withheld);
  return { batches: found.flat().map(shown), logs };
}

function without(batch: BatchFacts, withheld: ReadonlySet<string>): BatchFacts {
  const left = Object.entries(batch.rowsPerEventHour).filter(([window]) => !withheld.has(window));
  return { ...batch, rowsPerEventHour: Object.fromEntries(left) };
}

async function unsettledOf(
  objects: ObjectStore,
  ref: LogRef,
  settled: number,
): Promise<readonly BatchFacts[]> {
  const { dataset, log } = ref;
  const through = (await newestCheckpoint(objects, ref))?.checkpoint.through ?? -1;
  const all = { window: null, ingestHourFrom: null };
  const covered = await readBatches(objects, ref, { ...all, first: settled + 1, through });
  const known = Math.max(settled, through);
  const prefix = logPrefix(dataset, log);
  const startAfter = known < 0 ? prefix : afterLogEntry(dataset, log, known);
  const listed = await objects.listObjects(prefix, { startAfter });
  const keys = listed.map(({ key }) => key).filter((key) => key.endsWith('.seal.json'));
  const seals = await Promise.all(keys.map((key) => readJson<Seal>(objects, key)));
  return [...covered, ...seals.flatMap((seal) => (seal === null ? [] : [factsOf(seal.value)]))];
}

/**
 * Names of the source logs, one request each: the listing hops from one log to the next. From those
 * that are known it hops at once.
 */
async function listLogs(
  objects: ObjectStore,
  dataset: string,
  known: readonly LogName[],
): Promise<readonly LogName[]> {
  const root = `_log/${dataset}/`;
  // '0' is the character after '/': past everything in the folder of this log.
  const past = (log: LogName): string => `${root}${log}0`;
  const keyAfter = async (startAfter: string): Promise<string | null> => {
    const [next] = await objects.listObjects(root, { startAfter, limit: 1 });
    return next?.key ?? null;
  };
  const hops = new Map([root, ...known.map(past)].map((from) => [from, keyAfter(from)]));
  await Promise.all(hops.values());
  const logs: LogName[] = [];
  let from = root;
  for (;;) {
    const key = await (hops.get(from) ?? keyAfter(from));
    if (key === null) return logs;
    const log = key.slice(root.length, key.indexOf('/', root.length));
    logs.push(log);
    from = past(log);
  }
}
