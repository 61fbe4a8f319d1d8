import { expectedGold } from '../../e2e/expected.ts';
import { listKeys, readKey } from './lake-files.ts';
import { readRows } from './lake-rows.ts';
import {
  type LakeView,
  type SeenPartition,
  type SeenPointer,
  folderOf,
  pointerHistory,
  seenPartitions,
} from './lake-view.ts';
import { type Sight, type Watched, overwritten } from './lake-watcher.ts';
import type { ChaosBatch } from './transform-batches.ts';
import { asExpectedEvents, expectedWindow, wholeContents } from './transform-expected.ts';

/*
 * Whether silver and gold of a lake at rest are what the batches say, and whether nothing else was
 * ever visible. Looked at from outside: pointers, files and the catalog by the interfaces of AWS.
 */

export type TransformVerdict = {
  readonly lost: number;
  readonly doubled: number;
  readonly windows: number;
  readonly versions: number;
  readonly looks: number;
  readonly rowsListed: number;
  readonly problems: readonly string[];
};

export type TransformFacts = {
  readonly view: LakeView;
  readonly batches: readonly ChaosBatch[];
  /** Hours that were closed: they were built whole at the end. */
  readonly closed: readonly string[];
  readonly hours: readonly string[];
  readonly gold: readonly string[];
  readonly watched: Watched;
};

const silverTable = 'events_cleaned';

export async function checkTransforms(facts: TransformFacts): Promise<TransformVerdict> {
  const { view, watched } = facts;
  const history = await pointerHistory(view);
  const current = [...history.values()].map((versions) => versions.at(-1)!);
  const silver = current.filter(({ layer }) => layer === 'silver');
  const windows = await Promise.all(facts.hours.map((hour) => checkSilver(facts, silver, hour)));
  const names = [
    { layer: 'silver', table: silverTable },
    ...facts.gold.map((table) => ({ layer: 'gold', table })),
  ];
  const catalog = await Promise.all(
    names.map(({ layer, table }) =>
      checkCatalog(
        view,
        layer,
        table,
        current.filter((pointer) => pointer.layer === layer && pointer.table === table),
      ),
    ),
  );
  const sum = (of: 'lost' | 'doubled'): number =>
    windows.reduce((total, window) => total + window[of], 0);
  return {
    lost: sum('lost'),
    doubled: sum('doubled'),
    windows: current.length,
    versions: [...history.values()].flat().length,
    looks: watched.looks,
    rowsListed: watched.rowsListed,
    problems: [
      ...windows.flatMap(({ problems }) => problems),
      ...catalog.flat(),
      ...[...history].flatMap(([key, versions]) => chainProblems(key, versions)),
      ...(await checkGold(facts, current)),
      ...(await overwritten(view)).map((key) => `${key} was overwritten with other bytes`),
      ...watched.problems,
      ...watched.sights.flatMap((sight) => sightProblems(facts, history, sight)),
      ...(watched.rowsListed === 0 ? ['the watcher has seen no row at all'] : []),
    ],
  };
}

type WindowVerdict = Pick<TransformVerdict, 'lost' | 'doubled' | 'problems'>;

async function checkSilver(
  { view, batches, closed }: TransformFacts,
  pointers: readonly SeenPointer[],
  hour: string,
): Promise<WindowVerdict> {
  const problems: string[] = [];
  const expect = (holds: boolean, claim: string): void =>
    void (holds || problems.push(`${hour}: ${claim}`));
  const wanted = expectedWindow(batches, hour);
  const pointer = pointers.find(({ window }) => window === hour);
  if (pointer === undefined) {
    return { lost: wanted.events.length, doubled: 0, problems: [`${hour} was never published`] };
  }
  const found: string[] = [];
  for (const { key, rows, bytes, partition } of pointer.files) {
    const file = await readKey(view.s3, view.bucket, key).catch(() => null);
    expect(file !== null, `${key} is named and not there`);
    if (file === null) continue;
    const ids = (await readRows(file, ['event_id'])).map((row) => String(row['event_id']));
    expect(file.byteLength === bytes, `${key} has ${file.byteLength} bytes, not ${bytes}`);
    expect(ids.length === rows, `${key} has ${ids.length} rows, not ${rows}`);
    found.push(...ids.map((id) => `${partition['event_type']} ${id}`));
  }
  const names = wanted.events.map(({ type, id }) => `${type} ${id}`);
  const lost = names.filter((name) => !found.includes(name));
  const strange = found.filter((name) => !names.includes(name));
  const doubled = found.length - new Set(found).size;
  expect(lost.length === 0, `lost ${lost.slice(0, 5).join(', ')}`);
  expect(strange.length === 0, `holds ${strange.slice(0, 5).join(', ')}, which is not to be there`);
  expect(doubled === 0, `${doubled} rows twice`);
  const { bronze, rejected, duplicates } = wanted;
  const terms = { bronze, silver: names.length, duplicates, rejected };
  expect(
    JSON.stringify(sorted(pointer.accounting ?? {})) === JSON.stringify(sorted(terms)),
    `accounts for ${JSON.stringify(pointer.accounting)}, not ${JSON.stringify(terms)}`,
  );
  expect(
    (await quarantined(view, pointer)) === rejected,
    `its quarantine holds other than ${rejected} rows`,
  );
  if (closed.includes(hour)) expect(pointer.mode !== 'fold', 'is over and not built whole');
  return { lost: lost.length, doubled, problems };
}

function sorted(terms: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(terms).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function quarantined(view: LakeView, { quarantineKeys }: SeenPointer): Promise<number> {
  const counts = await Promise.all(
    quarantineKeys.map(async (key) => {
      const file = await readKey(view.s3, view.bucket, key).catch(() => null);
      return file === null ? NaN : (await readRows(file, ['event_id'])).length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Registered are the folders of the pointers and no other; in each lie its files and no other. */
async function checkCatalog(
  view: LakeView,
  layer: string,
  table: string,
  pointers: readonly SeenPointer[],
): Promise<readonly string[]> {
  const registered = await seenPartitions(view, layer, table);
  const byFolder = new Map<string, SeenPointer['files']>();
  for (const file of pointers.flatMap(({ files }) => files)) {
    const folder = folderOf(file.key);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), file]);
  }
  const problems: string[] = [];
  const rowsOf = (files: SeenPointer['files']): number =>
    files.reduce((sum, { rows }) => sum + rows, 0);
  for (const { values, folder, rows } of registered) {
    const files = byFolder.get(folder);
    const name = `${table}/${values.join('/')}`;
    if (files === undefined) problems.push(`${name} is registered at ${folder}, no pointer's`);
    else if (rowsOf(files) !== rows) problems.push(`${name} is registered with ${rows} rows`);
    const inPath = values.every((value) => folder.includes(`=${value}/`));
    if (!inPath) problems.push(`${name} is registered at ${folder}`);
    const keys = await listKeys(view.s3, view.bucket, folder);
    const wanted = (files ?? []).map(({ key }) => key).sort();
    if (files !== undefined && keys.join() !== wanted.join()) {
      problems.push(`${folder} holds ${keys.join()}, not ${wanted.join()}`);
    }
  }
  const folders = new Set(registered.map(({ folder }: SeenPartition) => folder));
  const missing = [...byFolder.keys()].filter((folder) => !folders.has(folder));
  return [
    ...problems,
    ...missing.map((folder) => `${folder} is current and not registered`),
    ...(folders.size === registered.length ? [] : [`${table} has a folder registered twice`]),
  ];
}

/** Each version began from the one before it: two builders have never both published. */
export function chainProblems(key: string, versions: readonly SeenPointer[]): readonly string[] {
  return versions.flatMap(({ version, sequence, previous }, index) => {
    const before = versions[index - 1];
    const follows = previous === (before?.version ?? null) && sequence === index + 1;
    if (follows) return [];
    return [`${key}: ${version}, made from ${previous}, was published over ${before?.version}`];
  });
}

/** What the watcher saw was, file by file, a folder of a version that was published by then. */
export function sightProblems(
  { batches }: Pick<TransformFacts, 'batches'>,
  history: ReadonlyMap<string, readonly SeenPointer[]>,
  sight: Sight,
): readonly string[] {
  const { layer, table, values, folder, keys, rows, ids, published } = sight;
  const problems: string[] = [];
  const versions = [...history.values()]
    .flat()
    .filter((pointer) => pointer.layer === layer && pointer.table === table);
  const whole = versions.find(({ files }) => {
    const mine = files.filter(({ key }) => folderOf(key) === folder);
    const count = mine.reduce((sum, file) => sum + file.rows, 0);
    const wanted = mine.map(({ key }) => key).sort();
    return mine.length > 0 && wanted.join() === keys.join() && count === rows;
  });
  if (whole === undefined) {
    problems.push(`seen and no whole version: ${folder} with ${keys.length} files, ${rows} rows`);
  } else if (!published.includes(whole.version)) {
    // A folder may stay through versions: the first one that has it must have been there.
    problems.push(`seen before it was published: ${folder}`);
  }
  if (layer === 'silver') {
    const [date = '', hour = '', type = ''] = values;
    if (!wholeContents(batches, `${date}T${hour}`, type).has(ids)) {
      problems.push(`seen, and not the rows of whole batches: ${folder} with ${rows} rows`);
    }
  }
  return problems;
}

/** Made from the current silver, with the values that the events give. */
async function checkGold(
  { view, gold, hours, batches }: TransformFacts,
  current: readonly SeenPointer[],
): Promise<readonly string[]> {
  if (gold.length === 0) return [];
  const problems: string[] = [];
  const versionOf = new Map(
    current
      .filter(({ layer }) => layer === 'silver')
      .map(({ window, version }) => [window, version]),
  );
  const events = hours.flatMap((hour) => expectedWindow(batches, hour).events);
  const wanted = expectedGold(asExpectedEvents(events));
  for (const table of gold) {
    const pointers = current.filter(
      (pointer) => pointer.layer === 'gold' && pointer.table === table,
    );
    if (pointers.length === 0) problems.push(`${table} was never published`);
    for (const { window, silver } of pointers) {
      const old = Object.entries(silver).filter(([hour, used]) => versionOf.get(hour) !== used);
      if (old.length > 0)
        problems.push(`${table} of ${window} is older than silver of ${old[0]![0]}`);
    }
    const keys = pointers.flatMap(({ files }) => files.map(({ key }) => key));
    const rows = (
      await Promise.all(keys.map(async (key) => readRows(await readKey(view.s3, view.bucket, key))))
    ).flat();
    const expected = wanted[table] ?? [];
    if (rows.length !== expected.length) {
      problems.push(`${table} has ${rows.length} rows, the events say ${expected.length}`);
    }
    for (const name of ['event_count', 'order_count', 'unique_users', 'total_revenue', 'units']) {
      const sum = (list: readonly Readonly<Record<string, unknown>>[]): string =>
        list.reduce((total, row) => total + Number(row[name] ?? 0), 0).toFixed(2);
      if (expected[0] !== undefined && name in expected[0] && sum(rows) !== sum(expected)) {
        problems.push(`${table}: ${name} is ${sum(rows)}, the events say ${sum(expected)}`);
      }
    }
  }
  return problems;
}
