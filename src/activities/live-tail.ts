import type { BatchFacts } from '../lake/checkpoint.ts';
import type { Dataset } from '../lake/dataset.ts';
import {
  type TailPart,
  type TailWindow,
  batchId,
  decideParts,
  partsToMerge,
} from '../lake/live-tail.ts';
import { bronzeKeyInHour } from '../lake/paths.ts';
import type { Pointer } from '../lake/pointer.ts';
import { visibleColumns } from '../lake/table.ts';
import { type WindowId, windowOf, windowParameters } from '../lake/window.ts';
import type { SqlLibrary, SqlSession, TableInput } from '../ports.ts';
import { hiddenSql, shownSql } from './live-tail-sql.ts';
import { tableFiles } from './pointers.ts';
import { contractValues } from './silver-inputs.ts';
import { bronzeInput, prepareSilver, preparedTables, sqlOf } from './silver-sql.ts';

/*
 * The live tail: sealed batches that no version has yet, cleaned by the SQL that builds silver. What
 * was cleaned stays in the session of the reader as it is, whatever the versions say; which of its
 * rows they or each other hide is found out beside it. See docs/decisions/0020.
 */

export type LiveTailDeps = {
  readonly session: SqlSession;
  readonly sql: SqlLibrary;
  readonly dataset: Dataset;
};

export type LiveTail = {
  /**
   * Brings what is kept to these windows, whose pointers were read after the batches were; all
   * others are let go of. After a failure nothing that it has in the session can be relied upon.
   */
  readonly update: (
    tails: readonly TailWindow[],
    pointers: ReadonlyMap<WindowId, Pointer>,
  ) => Promise<ShownTail>;
};

export type ShownTail = {
  /** SELECTs of columns of silver; none where there is no tail. */
  readonly sources: readonly string[];
  readonly rows: number;
};

type Part = TailPart & {
  /** Its name in the session. */
  readonly table: string;
  readonly rows: number;
};

type Kept = {
  readonly parts: readonly Part[];
  /** The version that its rows were held against, and its name in the session. */
  readonly version: string | null;
  readonly versionTable: string;
  /** Rows of the parts that do not show, by place; null for none. */
  readonly hidden: { readonly table: string; readonly rows: number } | null;
};

export function createLiveTail(deps: LiveTailDeps): LiveTail {
  const { session } = deps;
  const windows = new Map<WindowId, Kept>();
  let names = 0;
  const context: TailContext = { ...deps, nameFor: (kind) => `tail_${kind}_${(names += 1)}` };
  let prepared: Promise<void> | undefined;
  return {
    update: async (tails, pointers) => {
      await (prepared ??= session.declare([noVersion(deps.dataset), contractValues(deps.dataset)]));
      const wanted = new Set(tails.map(({ window }) => window));
      for (const [window, kept] of windows) {
        if (wanted.has(window)) continue;
        await session.forget(tablesOf(kept));
        windows.delete(window);
      }
      for (const tail of tails) {
        const known = windows.get(tail.window) ?? null;
        const pointer = pointers.get(tail.window) ?? null;
        windows.set(tail.window, await updateWindow(context, { tail, known, pointer }));
      }
      return shownOf(deps.dataset, [...windows.values()]);
    },
  };
}

type TailContext = LiveTailDeps & {
  readonly nameFor: (kind: 'part' | 'version' | 'hidden') => string;
};

/** Parts are cleaned without a version, so that they stay what they are when it changes. */
function noVersion(dataset: Dataset): TableInput {
  const columns = visibleColumns(dataset.silver);
  return { kind: 'files', name: 'silver_version', columns, files: [] };
}

function tablesOf({ parts, versionTable, hidden }: Kept): readonly string[] {
  const tables = [versionTable, ...parts.map(({ table }) => table)];
  return hidden === null ? tables : [...tables, hidden.table];
}

async function updateWindow(
  context: TailContext,
  now: { readonly tail: TailWindow; readonly known: Kept | null; readonly pointer: Pointer | null },
): Promise<Kept> {
  const { session } = context;
  const { tail, known, pointer } = now;
  const { keep, drop, clean } = decideParts(known?.parts ?? [], tail.batches);
  const version = pointer?.version ?? null;
  const isSame = known !== null && known.version === version;
  if (isSame && drop.length === 0 && clean.length === 0) return known;
  await session.forget(drop.map(({ table }) => table));
  const versionTable = known?.versionTable ?? context.nameFor('version');
  if (!isSame) await declareVersion(context, versionTable, pointer);
  const added = clean.length === 0 ? [] : [await cleanPart(context, tail.window, clean)];
  const parts = [...keep, ...added];
  // What was hidden stays so while nothing but parts has come.
  const isMore = isSame && drop.length === 0;
  const hidden = await hide(context, {
    before: isMore ? keep : [],
    added: isMore ? added : parts,
    versionTable,
    hidden: isMore ? known.hidden : null,
  });
  if (!isMore && known?.hidden != null) await session.forget([known.hidden.table]);
  const merged = await mergeParts(context, parts);
  return { parts: merged, version, versionTable, hidden };
}

async function declareVersion(
  { session, dataset }: TailContext,
  name: string,
  pointer: Pointer | null,
): Promise<void> {
  const columns = visibleColumns(dataset.silver);
  const files = pointer === null ? [] : tableFiles([pointer]);
  await session.declare([{ kind: 'files', name, columns, files }]);
}

async function cleanPart(
  { session, sql, dataset, nameFor }: TailContext,
  window: WindowId,
  batches: readonly BatchFacts[],
): Promise<Part> {
  const bronze = bronzeInput(batches, window);
  const files = batches.map((batch) => ({
    key: bronzeKeyInHour(dataset.name, batch),
    partition: {},
  }));
  const { columns } = dataset.bronze;
  await session.declare([{ kind: 'files', name: bronze, columns, files }]);
  const parameters = { ...dataset.thresholds, ...windowParameters(windowOf(window)) };
  await prepareSilver(session, { ...sql, dataset, bronze }, parameters);
  const table = nameFor('part');
  const cleaned = sqlOf(sql.silver, 'events_cleaned');
  const rows = await session.materialize(table, cleaned, parameters);
  await session.forget(['bronze_files', ...preparedTables]);
  return { table, rows, batches: batches.map(batchId) };
}

/** Of the rows of some parts, those that show no more because of the version or of another row. */
async function hide(
  { session, nameFor }: TailContext,
  given: {
    readonly before: readonly Part[];
    readonly added: readonly Part[];
    readonly versionTable: string;
    readonly hidden: Kept['hidden'];
  },
): Promise<Kept['hidden']> {
  if (given.added.length === 0) return given.hidden;
  const named = (parts: readonly Part[]) => parts.map(({ table }) => table);
  const table = nameFor('hidden');
  const sql = hiddenSql({
    added: named(given.added),
    before: named(given.before),
    version: given.versionTable,
    hidden: given.hidden?.table ?? null,
  });
  const rows = await session.materialize(table, sql);
  if (given.hidden !== null) await session.forget([given.hidden.table]);
  if (rows > 0) return { table, rows };
  await session.forget([table]);
  return null;
}

async function mergeParts(
  { session, dataset, nameFor }: TailContext,
  parts: readonly Part[],
): Promise<readonly Part[]> {
  const small = partsToMerge(parts);
  if (small.length === 0) return parts;
  const table = nameFor('part');
  const merging = small.map((part) => part.table);
  const sql = shownSql(dataset.silver, { parts: merging, hidden: null });
  const rows = await session.materialize(table, sql);
  await session.forget(merging);
  const merged = { table, rows, batches: small.flatMap(({ batches }) => batches) };
  return [...parts.filter((part) => !small.includes(part)), merged];
}

function shownOf({ silver }: Dataset, windows: readonly Kept[]): ShownTail {
  const sources: string[] = [];
  let rows = 0;
  for (const { parts, hidden } of windows) {
    const filled = parts.filter((part) => part.rows > 0);
    if (filled.length === 0) continue;
    const tables = filled.map(({ table }) => table);
    sources.push(shownSql(silver, { parts: tables, hidden: hidden?.table ?? null }));
    rows += filled.reduce((sum, part) => sum + part.rows, 0) - (hidden?.rows ?? 0);
  }
  return { sources, rows };
}
