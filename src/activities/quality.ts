import { unexplainedRows } from '../lake/accounting.ts';
import type { Dataset } from '../lake/dataset.ts';
import { type CheckResult, type Severity, decideVerdict } from '../lake/gate.ts';
import type { CheckInput, GateResult } from '../lake/messages.ts';
import { isWrittenBy } from '../lake/content.ts';
import { checkResultsKey } from '../lake/paths.ts';
import type { Pointer } from '../lake/pointer.ts';
import { type Column, type Table, visibleColumns } from '../lake/table.ts';
import { formatInstant } from '../lake/time.ts';
import { overlapping, windowAt, windowOf, windowParameters } from '../lake/window.ts';
import type { Ports, Row, SqlFile, SqlSession, TableFile, TableInput } from '../ports.ts';
import { goldTable, silverEvents } from './gold.ts';
import type { PointerStore } from './pointer-store.ts';
import { contractValues } from './silver-inputs.ts';

/* The gate: runs the checks of a staged version and keeps every result, failed ones too. */

export type QualityDeps = {
  readonly ports: Pick<Ports, 'objects' | 'engine' | 'rowFiles' | 'sql' | 'now' | 'logger'>;
  readonly dataset: Dataset;
  readonly pointers: PointerStore;
};

export type QualityActivities = {
  checkStaged(input: CheckInput): Promise<GateResult>;
};

const samplesMax = 3;

/** Columns of the table `dq_results`. */
export const checkResultColumns: readonly Column[] = [
  { name: 'run_id', type: 'string', comment: 'The staged version, as layer/table/window/version.' },
  { name: 'layer', type: 'string', comment: 'silver or gold.' },
  { name: 'table_name', type: 'string', comment: 'The table.' },
  { name: 'window_id', type: 'string', comment: 'The window.' },
  { name: 'version', type: 'string', comment: 'The version that was checked.' },
  { name: 'check_id', type: 'string', comment: 'The check.' },
  { name: 'severity', type: 'string', comment: 'warn, reject or gate.' },
  { name: 'scored', type: 'string', comment: 'The scored check that it belongs to, if any.' },
  { name: 'passed', type: 'boolean', comment: 'Whether it found nothing.' },
  { name: 'observed', type: 'bigint', comment: 'Offending rows.' },
  { name: 'threshold', type: 'bigint', comment: 'Offending rows allowed.' },
  { name: 'score', type: 'double', comment: 'Passed ÷ scored × 100 of the whole run.' },
  { name: 'sample', type: 'string', comment: 'Reasons of the first few rows.' },
  { name: 'checked_at', type: 'timestamp', comment: 'When it ran.' },
  { name: 'decision', type: 'string', comment: 'retry, waive or abandon, where a person decided.' },
  { name: 'decided_by', type: 'string', comment: 'Who decided.' },
  { name: 'decision_reason', type: 'string', comment: 'Why.' },
];

export function createQualityActivities(deps: QualityDeps): QualityActivities {
  return {
    async checkStaged({ ref, version, waiver }) {
      const staged = await deps.pointers.readStaged(ref, version);
      const table =
        ref.layer === 'silver' ? deps.dataset.silver : goldTable(deps.dataset, ref.table);
      const results = [
        ...(await runChecks(deps, table, staged)),
        ...(staged.accounting === null ? [] : [accountingCheck(staged)]),
      ];
      const verdict = decideVerdict(results, waiver ?? null);
      await keepResults(deps, table, staged, results, verdict);
      if (verdict.kind === 'blocked') {
        const facts = { table: table.name, window: ref.window, failures: verdict.failures };
        deps.ports.logger.warn(facts, 'a gate blocked a window: readers keep the version before');
      }
      return verdict;
    },
  };
}

/** Row accounting has three sources, so it is no SQL: seals, footers, and counts. */
function accountingCheck({ accounting }: Pointer): CheckResult {
  const rows = accounting === null ? 0 : Math.abs(unexplainedRows(accounting));
  const sample =
    accounting === null || rows === 0
      ? []
      : [
          `bronze ${accounting.bronze} is not silver ${accounting.silver} + duplicates ` +
            `${accounting.duplicates} + rejected ${accounting.rejected}`,
        ];
  return {
    check: 'row_accounting',
    severity: 'gate',
    scored: 'row_reconciliation',
    rows,
    samples: sample,
  };
}

async function runChecks(
  deps: QualityDeps,
  table: Table,
  staged: Pointer,
): Promise<readonly CheckResult[]> {
  const { dataset, ports } = deps;
  const checks = checksFor(ports.sql.checks, table, staged);
  const session = await ports.engine.open(await checkTables(deps, { table, staged, checks }));
  try {
    const parameters = { ...dataset.thresholds, ...windowParameters(windowOf(staged.window)) };
    const results: CheckResult[] = [];
    for (const check of checks) results.push(await runCheck(session, check, parameters));
    return results;
  } finally {
    await session.close();
  }
}

/** Row checks run on every build, window checks only when the window is whole. */
function checksFor(
  checks: Readonly<Record<string, SqlFile>>,
  table: Table,
  staged: Pointer,
): readonly SqlFile[] {
  return Object.values(checks).filter(
    ({ header }) =>
      header.severity !== 'reject' &&
      header.layer === table.layer &&
      header.table === table.name &&
      (header.runs === 'row' || staged.mode !== 'fold'),
  );
}

async function runCheck(
  session: SqlSession,
  check: SqlFile,
  parameters: Readonly<Record<string, string | number>>,
): Promise<CheckResult> {
  const { rows } = await session.query(check.sql, parameters);
  const scored = check.header.scored;
  return {
    check: check.name,
    severity: check.header.severity as Severity,
    scored: scored === undefined || scored === 'none' ? null : scored,
    rows: rows.length,
    samples: rows.slice(0, samplesMax).map((row) => String(row.reason ?? '')),
  };
}

async function checkTables(
  deps: QualityDeps,
  run: {
    readonly table: Table;
    readonly staged: Pointer;
    readonly checks: readonly SqlFile[];
  },
): Promise<readonly TableInput[]> {
  const { dataset, pointers } = deps;
  const { table, staged, checks } = run;
  const columns = visibleColumns(table);
  const { written, kept } = filesByWriter(staged);
  const stagedTable: TableInput = { kind: 'files', name: 'staged', columns, files: written };
  const window = windowOf(staged.window);
  if (table.layer === 'gold') {
    return [stagedTable, silverEvents(dataset, await readSilverOf(deps, staged))];
  }
  // A fold has no check that looks at the rest of the day, whose files would all be opened for it.
  const isDayRead = checks.some(({ header }) => header['reads']?.includes('silver_day'));
  const day = overlapping(windowAt(window.startMs, 'day'), 'hour').map(({ id }) => id);
  const others = isDayRead
    ? await pointers.readCurrentOf(
        dataset.silver,
        day.filter((id) => id !== window.id),
      )
    : [];
  return [
    stagedTable,
    { kind: 'files', name: 'staged_before', columns, files: kept },
    windowFigures(staged),
    contractValues(dataset),
    { ...silverEvents(dataset, others), name: 'silver_day' },
  ];
}

/**
 * A fold is checked by what it wrote: the files that it has from the version before are copies of
 * checked ones, and reading them again would make the cost of a fold that of its hour.
 */
function filesByWriter({ files, version, mode }: Pointer): {
  readonly written: readonly TableFile[];
  readonly kept: readonly TableFile[];
} {
  const isNew = ({ key }: TableFile): boolean => mode !== 'fold' || isWrittenBy(version, key);
  return { written: files.filter(isNew), kept: files.filter((file) => !isNew(file)) };
}

/** The versions that a gold build has read, which silver may have left since. */
async function readSilverOf(
  { dataset, pointers }: QualityDeps,
  { silver }: Pointer,
): Promise<readonly Pointer[]> {
  const ref = { dataset: dataset.name, layer: 'silver', table: dataset.silver.name } as const;
  return Promise.all(
    Object.entries(silver).map(([window, version]) =>
      pointers.readStaged({ ...ref, window }, version),
    ),
  );
}

function windowFigures({ accounting }: Pointer): TableInput {
  const names = ['bronze_rows', 'silver_rows', 'duplicate_rows', 'rejected_rows'];
  const row: Row = {
    bronze_rows: accounting?.bronze ?? 0,
    silver_rows: accounting?.silver ?? 0,
    duplicate_rows: accounting?.duplicates ?? 0,
    rejected_rows: accounting?.rejected ?? 0,
  };
  const columns = names.map((name): Column => ({ name, type: 'bigint', comment: '' }));
  return { kind: 'rows', name: 'window_figures', columns, rows: [row] };
}

async function keepResults(
  { ports }: QualityDeps,
  table: Table,
  staged: Pointer,
  results: readonly CheckResult[],
  { score, waived }: GateResult,
): Promise<void> {
  const checkedAt = formatInstant(ports.now());
  const rows = results.map((result): Row => ({
    run_id: `${table.layer}/${table.name}/${staged.window}/${staged.version}`,
    layer: table.layer,
    table_name: table.name,
    window_id: staged.window,
    version: staged.version,
    check_id: result.check,
    severity: result.severity,
    scored: result.scored,
    passed: result.rows === 0,
    observed: result.rows,
    threshold: 0,
    score,
    sample: result.samples.join(' | ').slice(0, 1_000),
    checked_at: checkedAt,
    ...(waived?.checks.includes(result.check) === true
      ? { decision: 'waive', decided_by: waived.author, decision_reason: waived.reason }
      : {}),
  }));
  const bytes = await ports.rowFiles.encode({
    columns: checkResultColumns,
    rows,
    metadata: { 'ingot.version': staged.version },
  });
  // The same version checked again has the same results: the last run is the one to keep.
  await ports.objects.replaceObject(checkResultsKey(table, staged.window, staged.version), bytes);
}
