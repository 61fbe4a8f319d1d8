import {
  type CurrentPointer,
  type DateFacts,
  type Marks,
  type Remain,
  buildsThatNeed,
  decideDate,
  quarantineRemains,
  versionRemains,
  windowRemains,
  withoutRemoved,
} from '../lake/janitor.ts';
import { type Tally, addTallies, emptyTally, tallyOf } from '../lake/janitor-tally.ts';
import {
  checkResultsPrefix,
  janitorMarksKey,
  janitorMarksPrefix,
  pointerKey,
  pointerPrefix,
  quarantinePrefix,
  stagedPrefix,
  tableFolder,
} from '../lake/paths.ts';
import { canonicalJson } from '../lake/pointer.ts';
import { isExpired } from '../lake/retention.ts';
import type { WindowedTable } from '../lake/table.ts';
import { dayMs, formatInstant } from '../lake/time.ts';
import {
  type RegisteredPartition,
  diffPartitions,
  leadingValues,
  wantedPartitions,
} from '../lake/registration.ts';
import { windowOf } from '../lake/window.ts';
import { partitionsOf, repairTable } from './catalog-repair.ts';
import { catalogTable } from './catalog-tables.ts';
import type { Sweeping } from './janitor-page.ts';
import { jsonBytes, readJson } from './json-objects.ts';
import { readPointers } from './pointers.ts';

/* One date of a table: versions, staged pointers, quarantine and check results. */

/** Everything that is filed by a date of this table, up to where the date begins. */
function prefixesOf({ deps }: Sweeping, table: WindowedTable) {
  const column = table.partitionColumns[0]?.name ?? '';
  return {
    files: `${tableFolder(table)}${column}=`,
    current: pointerPrefix(table),
    staged: stagedPrefix(table),
    checkResults: checkResultsPrefix(table),
    // A run that died when all else of a date was gone has left them.
    marks: janitorMarksPrefix(table),
    ...(table.layer === 'silver' ? { quarantine: quarantinePrefix(deps.dataset.name) } : {}),
  };
}

/** The first date after one of which anything is there. */
export async function nextDate(
  sweeping: Sweeping,
  table: WindowedTable,
  after: string,
): Promise<string | null> {
  const { objects } = sweeping.deps.ports;
  const dates = await Promise.all(
    Object.values(prefixesOf(sweeping, table)).map(async (prefix) => {
      // '~' is past whatever follows a date in a key.
      const startAfter = after === '' ? prefix : `${prefix}${after}~`;
      const [next] = await objects.listObjects(prefix, { startAfter, limit: 1 });
      const date = next?.key.slice(prefix.length, prefix.length + 10) ?? '';
      return /^\d{4}-\d{2}-\d{2}$/.test(date) ? [date] : [];
    }),
  );
  return dates.flat().sort()[0] ?? null;
}

export async function sweepDate(
  sweeping: Sweeping,
  table: WindowedTable,
  date: string,
): Promise<Tally> {
  const { deps, nowMs } = sweeping;
  // Listed before the pointers are read: a version that comes in between is seen by the next run.
  const remains = await listRemains(sweeping, table, date);
  const marksKey = janitorMarksKey(table, date);
  const marks = await readJson<Marks>(deps.ports.objects, marksKey);
  const givenUp = await giveUp(sweeping, table, date);
  const settled = await settleCatalog(sweeping, table, { date, ...givenUp });
  const facts: DateFacts = {
    nowMs,
    graceMs: deps.graceMs,
    checkResultsBefore: checkResultsBefore(sweeping),
    isGivenUp: isExpired(sweeping.retention, table.layer, date),
    pointers: givenUp.kept,
    registered: givenUp.registered.map(({ folder }) => folder),
    remains,
    marks: marks?.value ?? {},
  };
  const decision = decideDate(facts);
  const free = await withoutBuilding(sweeping, table, decision.due);
  if (!sweeping.dryRun) {
    await deps.ports.objects.deleteObjects(keysOf(free));
    await keepMarks(sweeping, marksKey, facts.marks, withoutRemoved(decision.marks, free));
  }
  const removed = free.map(({ kind, objects }) => tallyOf(kind, objects));
  const building = decision.due.length - free.length;
  const rest: Tally = { ...emptyTally, ...settled, waiting: decision.waiting, building };
  return [givenUp.tally, rest, ...removed].reduce(addTallies, emptyTally);
}

async function listRemains(
  sweeping: Sweeping,
  table: WindowedTable,
  date: string,
): Promise<readonly Remain[]> {
  const { objects } = sweeping.deps.ports;
  const prefixes = prefixesOf(sweeping, table);
  const [files, staged, results, quarantine] = await Promise.all([
    objects.listObjects(`${prefixes.files}${date}/`),
    objects.listObjects(`${prefixes.staged}${date}`),
    objects.listObjects(`${prefixes.checkResults}${date}`),
    prefixes.quarantine === undefined ? [] : objects.listObjects(`${prefixes.quarantine}${date}/`),
  ]);
  return [
    ...versionRemains(table, files),
    ...windowRemains('staged', staged),
    ...windowRemains('checkResults', results),
    ...quarantineRemains(quarantine),
  ];
}

/**
 * Takes windows whose retention has passed away from readers: pointer first, so that a registrar that
 * comes now finds none, then the catalog. Their files go when they have been without a name for long.
 */
async function giveUp(
  sweeping: Sweeping,
  table: WindowedTable,
  date: string,
): Promise<{
  readonly kept: readonly CurrentPointer[];
  readonly registered: readonly RegisteredPartition[];
  readonly tally: Tally;
}> {
  const { deps, dryRun, retention } = sweeping;
  const { objects, catalog } = deps.ports;
  const prefix = pointerPrefix(table);
  const listed = await objects.listObjects(`${prefix}${date}`);
  const idOf = (key: string): string => key.slice(prefix.length, -'.json'.length);
  const expired = listed.filter(({ key }) => isExpired(retention, table.layer, idOf(key)));
  const kept = listed.filter((object) => !expired.includes(object)).map(({ key }) => idOf(key));
  const target = catalogTable(deps, table);
  const registered = await registeredOn(sweeping, table, date);
  if (!isExpired(retention, table.layer, date)) {
    return {
      kept: await readPointers(objects, table, kept),
      registered,
      tally: emptyTally,
    };
  }
  if (!dryRun) {
    await objects.deleteObjects(expired.map(({ key }) => pointerKey(table, idOf(key))));
    if (registered.length > 0) {
      await catalog.deletePartitions(
        target,
        registered.map(({ values }) => values),
      );
    }
  }
  return { kept: [], registered: [], tally: tallyOf('pointers', expired) };
}

/** Of a table that the catalog does not have: nothing. */
async function registeredOn(
  { deps }: Sweeping,
  table: WindowedTable,
  date: string,
): Promise<readonly RegisteredPartition[]> {
  const target = catalogTable(deps, table);
  return (await partitionsOf(deps, target, leadingValues(windowOf(date)))) ?? [];
}

/**
 * A publisher that stood still, wakes up, registers an older version and dies before it looks again
 * leaves the catalog behind the pointers, and no build may come for that window any more.
 */
async function settleCatalog(
  { deps, dryRun }: Sweeping,
  table: WindowedTable,
  found: {
    readonly date: string;
    readonly kept: readonly CurrentPointer[];
    readonly registered: readonly RegisteredPartition[];
  },
): Promise<Pick<Tally, 'settled'>> {
  const { date, kept, registered } = found;
  const wanted = kept.flatMap((pointer) => wantedPartitions(table, pointer));
  const { put, remove } = diffPartitions(wanted, registered);
  const settled = put.length + remove.length;
  if (settled === 0) return {};
  if (!dryRun) await repairTable(deps, table, { dryRun: false, date });
  return { settled };
}

/** Asks only for windows that have something to remove: few on most days. */
async function withoutBuilding(
  { deps }: Sweeping,
  table: WindowedTable,
  due: readonly Remain[],
): Promise<readonly Remain[]> {
  const windows = [...new Set(due.map(({ window }) => window))];
  const needs = new Map(
    windows.map((window) => [window, buildsThatNeed(deps.dataset, table, window)]),
  );
  const inUse = await deps.inUse([...new Set([...needs.values()].flat())]);
  return due.filter(({ window }) => !needs.get(window)!.some((id) => inUse.has(id)));
}

async function keepMarks(
  { deps }: Sweeping,
  key: string,
  before: Marks,
  after: Marks,
): Promise<void> {
  const { objects } = deps.ports;
  if (canonicalJson(before) === canonicalJson(after)) return;
  if (Object.keys(after).length === 0) await objects.deleteObjects([key]);
  else await objects.replaceObject(key, jsonBytes(after));
}

function checkResultsBefore({ deps, nowMs }: Sweeping): string | null {
  const days = deps.checkResultsDays;
  return days === 0 ? null : formatInstant(nowMs - days * dayMs).slice(0, 10);
}

function keysOf(remains: readonly Remain[]): readonly string[] {
  return remains.flatMap(({ objects }) => objects.map(({ key }) => key));
}
