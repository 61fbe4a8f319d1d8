import { type Accounting, noRows } from '../lake/accounting.ts';
import { isAskedAnew } from '../lake/cause.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { FoldPlan } from '../lake/fold.ts';
import type { BuildSilverInput, StageResult, WindowRef } from '../lake/messages.ts';
import { bronzeKeyInHour, quarantineKey, versionFolder } from '../lake/paths.ts';
import {
  type BuildMode,
  type Pointer,
  type PointerFile,
  canonicalJson,
  nextVersion,
} from '../lake/pointer.ts';
import { partitionsEver } from '../lake/registration.ts';
import { visibleColumns } from '../lake/table.ts';
import { formatInstant } from '../lake/time.ts';
import { type Window, windowOf, windowParameters } from '../lake/window.ts';
import type { Parameters, Ports, SqlSession, TableInput } from '../ports.ts';
import { sha256 } from './hash.ts';
import type { PointerStore } from './pointer-store.ts';
import { tableFiles } from './pointers.ts';
import { readRetention, refusedRebuild, requireKept } from './retention.ts';
import { type KeptFiles, createKeptFiles, foldPlans } from './silver-files.ts';
import { type SilverInputs, contractValues, gatherInputs } from './silver-inputs.ts';
import {
  type Counts,
  bronzeInput,
  countRows,
  isReadPerFile,
  prepareSilver,
  rejectChecks,
  rowsOfFiles,
  sealedRows,
  sqlOf,
} from './silver-sql.ts';

/*
 * Staging a silver version: read the pointer and the batches, let SQL reject, deduplicate and clean,
 * write the files of the new version beside the current ones. Nothing here is visible to a reader.
 */

export type SilverDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'sql' | 'now'>;
  readonly dataset: Dataset;
  readonly pointers: PointerStore;
};

export type SilverActivities = {
  stageSilver(input: BuildSilverInput): Promise<StageResult>;
};

export function createSilverActivities(deps: SilverDeps): SilverActivities {
  return { stageSilver: (input) => stageSilver(deps, input) };
}

async function stageSilver(deps: SilverDeps, input: BuildSilverInput): Promise<StageResult> {
  const { dataset, ports, pointers } = deps;
  const { silver } = dataset;
  const { retention } = await readRetention(ports.objects, dataset.name);
  requireKept(retention, 'silver', [input.window]);
  const found = await pointers.readCurrent(silver, input.window);
  const current = found?.value ?? null;
  const inputs = await gatherInputs({ ...ports, dataset }, input, { current, retention });
  const { whole } = inputs;
  const base = input.mode === 'fold' || whole.kind === 'foldInstead' ? current : null;
  const fingerprint = fingerprintOf(deps, { mode: input.mode, inputs, base });
  const ref: WindowRef = {
    dataset: dataset.name,
    layer: 'silver',
    table: silver.name,
    window: input.window,
  };
  const through = Object.fromEntries(
    Object.entries(inputs.logs).map(([log, known]) => [log, known.through]),
  );
  const isSame =
    (current?.fingerprint === fingerprint && !isAskedAnew(input.cause, current)) ||
    whole.kind === 'unchanged';
  if (current !== null && (isSame || (base !== null && inputs.batches.length === 0))) {
    return { kind: 'unchanged', ref, version: current.version, rows: current.rows, through };
  }
  if (whole.kind === 'refused') {
    throw refusedRebuild(input.window, { gone: whole.gone, version: current?.version ?? '' });
  }
  const build: SilverBuild = {
    window: windowOf(input.window),
    mode: input.mode,
    ...nextVersion(current, fingerprint),
    fingerprint,
    inputs,
    base,
    current,
  };
  const pointer = await buildVersion(deps, build);
  await pointers.stage(pointer);
  return { kind: 'staged', ref, version: pointer.version, rows: pointer.rows, through };
}

type SilverBuild = {
  readonly window: Window;
  readonly mode: BuildMode;
  readonly version: string;
  readonly sequence: number;
  readonly fingerprint: string;
  readonly inputs: SilverInputs;
  /** The version that is added to; null for a whole build. */
  readonly base: Pointer | null;
  /** The version that is replaced. */
  readonly current: Pointer | null;
};

/**
 * Covers everything that decides the content, and which checks it has to pass: the first fold of a
 * window has the rows of its seal build, but has not been through the checks of a whole window.
 */
function fingerprintOf(
  { ports, dataset }: SilverDeps,
  { mode, inputs, base }: Pick<SilverBuild, 'mode' | 'inputs' | 'base'>,
): string {
  const { silver, checks } = ports.sql;
  const batches = Object.entries(inputs.logs).map(([log, known]) => [log, known.batches]);
  const described = {
    batches,
    base: base?.version ?? null,
    checks: mode === 'fold' ? 'row' : 'window',
    sql: [...Object.values(silver), ...rejectChecks(checks)].map(({ name, sql }) => [name, sql]),
    contract: dataset.contractHash,
    thresholds: dataset.thresholds,
    engine: ports.engine.identity,
  };
  return sha256(canonicalJson(described));
}

async function buildVersion(deps: SilverDeps, build: SilverBuild): Promise<Pointer> {
  const { dataset, ports } = deps;
  const plans = foldPlans(build.base);
  const kept = createKeptFiles(ports.objects, { dataset, version: build.version, plans });
  const session = await ports.engine.open(inputTables(dataset, build, plans));
  try {
    const parameters = { ...dataset.thresholds, ...windowParameters(build.window) };
    const bronze = bronzeInput(build.inputs.batches, build.window.id);
    await prepareSilver(session, { ...ports.sql, dataset, bronze }, parameters);
    const counts = await countRows(session, ports.sql.silver, parameters);
    const written = await writeFiles(deps, { session, build, parameters, merges: plans, kept });
    const quarantine = await writeQuarantine(deps, { session, build, parameters });
    return await assemble(deps, build, { counts, written, quarantine, kept });
  } finally {
    await kept.idle();
    await session.close();
  }
}

function inputTables(
  dataset: Dataset,
  build: SilverBuild,
  plans: ReadonlyMap<string, FoldPlan>,
): readonly TableInput[] {
  const silverColumns = visibleColumns(dataset.silver);
  const merged = [...plans.values()].flatMap(({ merge }) => merge);
  return [
    {
      kind: 'files',
      name: bronzeInput(build.inputs.batches, build.window.id),
      columns: dataset.bronze.columns,
      files: build.inputs.batches.map((batch) => ({
        key: bronzeKeyInHour(dataset.name, batch),
        partition: {},
      })),
    },
    {
      kind: 'files',
      name: 'silver_version',
      columns: silverColumns,
      files: build.base === null ? [] : tableFiles([build.base]),
    },
    {
      kind: 'files',
      name: 'silver_merge',
      columns: silverColumns,
      files: merged.map(({ key, partition }) => ({ key, partition })),
    },
    contractValues(dataset),
  ];
}

async function writeFiles(
  { dataset, ports }: SilverDeps,
  request: {
    readonly session: SqlSession;
    readonly build: SilverBuild;
    readonly parameters: Parameters;
    readonly merges: ReadonlyMap<string, FoldPlan>;
    readonly kept: KeptFiles;
  },
): Promise<readonly PointerFile[]> {
  const { session, build, parameters, merges, kept } = request;
  const { silver } = dataset;
  const { batches } = build.inputs;
  const isMerging = [...merges.values()].some(({ merge }) => merge.length > 0);
  const isPerFile = isReadPerFile(batches, build.window.id);
  return session.unload({
    ...rowsOfFiles(ports.sql.silver, { silver, isMerging, isPerFile }),
    parameters,
    columns: silver.columns,
    partitionBy: silver.partitionColumns.map(({ name }) => name),
    onPartitions: (touched) => kept.begin(touched),
    keyOf: (partition) =>
      `${versionFolder(silver, partition, build.version)}${build.version}.parquet`,
    metadata: { 'ingot.version': build.version, 'ingot.window': build.window.id },
  });
}

async function writeQuarantine(
  { dataset, ports }: SilverDeps,
  request: {
    readonly session: SqlSession;
    readonly build: SilverBuild;
    readonly parameters: Parameters;
  },
): Promise<string | null> {
  const { session, build, parameters } = request;
  const files = await session.unload({
    sql: sqlOf(ports.sql.silver, 'quarantine'),
    parameters,
    columns: dataset.quarantine.columns,
    partitionBy: [],
    keyOf: () => quarantineKey(dataset.name, build.window, build.version),
    metadata: { 'ingot.version': build.version, 'ingot.window': build.window.id },
  });
  return files[0]?.key ?? null;
}

async function assemble(
  { dataset, ports }: SilverDeps,
  build: SilverBuild,
  made: {
    readonly counts: Counts;
    readonly written: readonly PointerFile[];
    readonly quarantine: string | null;
    readonly kept: KeptFiles;
  },
): Promise<Pointer> {
  const files = [...(await made.kept.files()), ...made.written];
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const before = build.base?.accounting ?? noRows;
  const ever = partitionsEver(dataset.silver, { files }, build.current);
  const accounting: Accounting = {
    bronze: before.bronze + sealedRows(build.inputs.batches, build.window.id),
    silver: rows,
    duplicates: before.duplicates + made.counts.duplicate_rows,
    rejected: before.rejected + made.counts.rejected_rows,
  };
  return {
    schema: 1,
    layer: 'silver',
    table: dataset.silver.name,
    window: build.window.id,
    version: build.version,
    sequence: build.sequence,
    mode: build.mode,
    fingerprint: build.fingerprint,
    files,
    ...(ever === null ? {} : { partitionsEver: ever }),
    rows,
    logs: build.inputs.logs,
    silver: {},
    accounting,
    betterDuplicates: (build.base?.betterDuplicates ?? 0) + made.counts.better_duplicates,
    quarantineKeys: [
      ...(build.base?.quarantineKeys ?? []),
      ...(made.quarantine === null ? [] : [made.quarantine]),
    ],
    score: null,
    warnings: warningsOf(build),
    complete: true,
    builtAt: formatInstant(ports.now()),
    previous: build.current?.version ?? null,
  };
}

function warningsOf({ inputs: { whole } }: SilverBuild): readonly string[] {
  if (whole.kind !== 'foldInstead') return [];
  return [`folded, not rebuilt: ${whole.gone} of its batches are past the retention of bronze`];
}
