import { IngotError } from '../errors.ts';
import { isBuilt } from '../lake/janitor.ts';
import { type Found, type Tally, addTallies, emptyTally, tallyOf } from '../lake/janitor-tally.ts';
import {
  type IngestFiled,
  batchName,
  batchOfKey,
  bronzePartitionValues,
  ingestFiledPrefix,
  ingestHourOf,
  redrivePrefix,
} from '../lake/paths.ts';
import { goneBefore, isExpired, removableBefore } from '../lake/retention.ts';
import type { Seal } from '../lake/source-log.ts';
import { catalogTable } from './catalog-tables.ts';
import type { Sweeping } from './janitor-page.ts';
import { readSeal } from './source-log.ts';

/* One ingest hour: batch files, raw copies, dead letters. Seals stay: the source log is the truth. */

type IngestHour = { readonly folder: string; readonly startMs: number };

const readsAtOnce = 16;

/** The next hour of which something may go, or is to be taken out of the catalog. */
export async function nextHour(
  { deps, retention }: Sweeping,
  kind: IngestFiled,
  after: string,
): Promise<IngestHour | null> {
  const bound = goneBefore(retention, kind);
  if (bound === null) return null;
  const prefix = ingestFiledPrefix(deps.dataset.name, kind);
  // '0' is the character after '/': past everything in the folder.
  const startAfter = after === '' ? prefix : `${after.slice(0, -1)}0`;
  const [next] = await deps.ports.objects.listObjects(prefix, { startAfter, limit: 1 });
  const hour = next === undefined ? null : ingestHourOf(next.key);
  return hour === null || hour.startMs >= Date.parse(bound) ? null : hour;
}

export async function sweepHour(
  sweeping: Sweeping,
  kind: IngestFiled,
  hour: IngestHour,
): Promise<Tally> {
  const { deps, dryRun, retention, nowMs } = sweeping;
  if (kind === 'bronze' && !dryRun) await unregister(sweeping, hour);
  const bound = removableBefore(retention, kind, { nowMs, graceMs: deps.graceMs });
  if (bound === null || hour.startMs >= Date.parse(bound)) return emptyTally;
  const listed = await deps.ports.objects.listObjects(hour.folder);
  const { free, notBuilt } = await freeObjects(sweeping, kind, listed);
  const redrives = kind === 'deadLetters' ? await redrivesOf(sweeping, free) : [];
  // In one request: dead letters without their confirmations could be sent a second time.
  const keys = [...free, ...redrives].map(({ key }) => key);
  if (!dryRun && keys.length > 0) await deps.ports.objects.deleteObjects(keys);
  return [{ ...emptyTally, notBuilt }, tallyOf(kind, free), tallyOf('redrives', redrives)].reduce(
    addTallies,
  );
}

/** Readers of the catalog have the grace to finish what they read of it. */
async function unregister({ deps }: Sweeping, { startMs }: IngestHour): Promise<void> {
  const target = catalogTable(deps, deps.dataset.bronze);
  try {
    await deps.ports.catalog.deletePartitions(target, [bronzePartitionValues(startMs)]);
  } catch (error) {
    // A table that the catalog does not have names nothing.
    if (!(error instanceof IngotError && error.code === 'CATALOG_UNSETTLED')) throw error;
  }
}

/** Objects of sealed batches; of bronze, those whose rows are all in silver. */
async function freeObjects(
  sweeping: Sweeping,
  kind: IngestFiled,
  listed: readonly Found[],
): Promise<{ readonly free: readonly Found[]; readonly notBuilt: number }> {
  const free: Found[] = [];
  let notBuilt = 0;
  for (let at = 0; at < listed.length; at += readsAtOnce) {
    const some = listed.slice(at, at + readsAtOnce);
    const states = await Promise.all(some.map((object) => stateOf(sweeping, kind, object)));
    free.push(...some.filter((_, index) => states[index] === 'free'));
    notBuilt += states.filter((state) => state === 'notBuilt').length;
  }
  return { free, notBuilt };
}

/** `foreign` is what Ingot did not write: it is not Ingot's to remove. */
async function stateOf(
  sweeping: Sweeping,
  kind: IngestFiled,
  { key }: Found,
): Promise<'free' | 'notBuilt' | 'unsealed' | 'foreign'> {
  const { deps } = sweeping;
  const batch = batchOfKey(key);
  if (batch === null) return 'foreign';
  const place = { dataset: deps.dataset.name, ...batch };
  const found = await readSeal(deps.ports.objects, place);
  if (found === null) return 'unsealed';
  if (kind !== 'bronze') return 'free';
  return (await isInSilver(sweeping, found.seal)) ? 'free' : 'notBuilt';
}

async function isInSilver(
  { pointers, retention }: Sweeping,
  { log, number, rowsPerEventHour }: Seal,
): Promise<boolean> {
  const windows = Object.keys(rowsPerEventHour).filter((id) => (rowsPerEventHour[id] ?? 0) > 0);
  const found = new Map(
    await Promise.all(windows.map(async (id) => [id, await pointers(id)] as const)),
  );
  return isBuilt(
    { log, number, windows },
    (window) => found.get(window) ?? null,
    (window) => isExpired(retention, 'silver', window),
  );
}

/** What was noted about sending the dead letters of these batches again. */
async function redrivesOf(
  { deps }: Sweeping,
  letters: readonly Found[],
): Promise<readonly Found[]> {
  const batches = letters.flatMap(({ key }) => batchOfKey(key) ?? []);
  const found = await Promise.all(
    batches.map((batch) =>
      deps.ports.objects.listObjects(redrivePrefix(deps.dataset.name, batchName(batch))),
    ),
  );
  return found.flat();
}
