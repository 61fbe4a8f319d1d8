import { IngotError } from '../errors.ts';
import { isAskedAnew } from '../lake/cause.ts';
import type { Dataset, GoldTable } from '../lake/dataset.ts';
import type { BuildGoldInput, StageResult, WindowRef } from '../lake/messages.ts';
import { versionFolder } from '../lake/paths.ts';
import { type Pointer, canonicalJson, nextVersion } from '../lake/pointer.ts';
import { leadingValues } from '../lake/registration.ts';
import { visibleColumns } from '../lake/table.ts';
import { formatInstant } from '../lake/time.ts';
import { type Window, overlapping, windowOf, windowParameters } from '../lake/window.ts';
import type { Ports, TableInput, UnloadedFile } from '../ports.ts';
import { sha256 } from './hash.ts';
import type { PointerStore } from './pointer-store.ts';
import { tableFiles } from './pointers.ts';
import { readRetention, requireKept } from './retention.ts';
import { sqlOf } from './silver-sql.ts';

/* Staging a gold version: the whole window anew from silver's current versions. */

export type GoldDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql' | 'now'>;
  readonly dataset: Dataset;
  readonly pointers: PointerStore;
};

export type GoldActivities = {
  stageGold(input: BuildGoldInput): Promise<StageResult>;
};

export function createGoldActivities(deps: GoldDeps): GoldActivities {
  return { stageGold: (input) => stageGold(deps, input) };
}

async function stageGold(deps: GoldDeps, input: BuildGoldInput): Promise<StageResult> {
  const { dataset, ports, pointers } = deps;
  const table = goldTable(dataset, input.table);
  const window = windowOf(input.window);
  const hours = overlapping(window, 'hour').map(({ id }) => id);
  const [{ retention }, found] = await Promise.all([
    readRetention(ports.objects, dataset.name),
    pointers.readCurrent(table, window.id),
  ]);
  requireKept(retention, 'gold', [window.id]);
  requireKept(retention, 'silver', hours);
  // After the version that is to be replaced: whoever begins from that one has no older silver.
  const silver = await pointers.readCurrentOf(dataset.silver, hours);
  const current = found?.value ?? null;
  const fingerprint = fingerprintOf(deps, table, silver);
  const ref: WindowRef = {
    dataset: dataset.name,
    layer: 'gold',
    table: table.name,
    window: window.id,
  };
  const isSame = current?.fingerprint === fingerprint && current.complete === input.complete;
  if (isSame && !isAskedAnew(input.cause, current)) {
    const { version, rows } = current;
    return { kind: 'unchanged', ref, version, rows, through: {} };
  }
  const { version, sequence } = nextVersion(current, fingerprint);
  const files = await writeFiles(deps, { table, silver, version, window });
  const pointer: Pointer = {
    schema: 1,
    layer: 'gold',
    table: table.name,
    window: window.id,
    version,
    sequence,
    mode: 'rebuild',
    fingerprint,
    files,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    logs: {},
    silver: Object.fromEntries(silver.map((used) => [used.window, used.version])),
    accounting: null,
    betterDuplicates: 0,
    quarantineKeys: [],
    score: null,
    warnings: [],
    complete: input.complete,
    builtAt: formatInstant(ports.now()),
    previous: current?.version ?? null,
  };
  await pointers.stage(pointer);
  return { kind: 'staged', ref, version, rows: pointer.rows, through: {} };
}

/** The gold table of a name; `INPUT_INVALID` for another name. */
export function goldTable(dataset: Dataset, name: string): GoldTable {
  const table = dataset.gold.find((gold) => gold.name === name);
  if (table !== undefined) return table;
  throw new IngotError('INPUT_INVALID', 'there is no such gold table', {
    retryable: false,
    facts: { dataset: dataset.name, table: name },
  });
}

function fingerprintOf(
  { ports, dataset }: GoldDeps,
  table: GoldTable,
  silver: readonly Pointer[],
): string {
  const described = {
    silver: silver.map(({ window, version }) => [window, version]),
    sql: sqlOf(ports.sql.gold, table.name),
    columns: visibleColumns(table).map(({ name, type }) => [name, type]),
    contract: dataset.contractHash,
    engine: ports.engine.identity,
  };
  return sha256(canonicalJson(described));
}

async function writeFiles(
  { dataset, ports }: GoldDeps,
  build: {
    readonly table: GoldTable;
    readonly silver: readonly Pointer[];
    readonly version: string;
    readonly window: Window;
  },
): Promise<readonly UnloadedFile[]> {
  const { table, version } = build;
  const session = await ports.engine.open([silverEvents(dataset, build.silver)]);
  try {
    return await session.unload({
      sql: sqlOf(ports.sql.gold, table.name),
      parameters: { ...dataset.thresholds, ...windowParameters(build.window) },
      columns: table.columns,
      partitionBy: table.partitionColumns.map(({ name }) => name),
      expected: partitionOf(table, build.window),
      keyOf: (partition) => `${versionFolder(table, partition, version)}${version}.parquet`,
      metadata: { 'ingot.version': version, 'ingot.window': build.window.id },
    });
  } finally {
    await session.close();
  }
}

/** The table partition of a window: a gold table has one for each. */
function partitionOf(table: GoldTable, window: Window): Readonly<Record<string, string>> {
  const values = leadingValues(window);
  const named = table.partitionColumns.map(
    ({ name }, index) => [name, values[index] ?? ''] as const,
  );
  return Object.fromEntries(named);
}

/** The table `silver_events` that gold models and gold checks read. */
export function silverEvents(dataset: Dataset, pointers: readonly Pointer[]): TableInput {
  return {
    kind: 'files',
    name: 'silver_events',
    columns: visibleColumns(dataset.silver),
    files: tableFiles(pointers),
    // The gold tables of an hour or a day are made one after the other, and checked in between.
    isShared: true,
  };
}
