import type { Waiver } from './cause.ts';

/* The verdict of a gate, from the results of its checks. */

export type Severity = 'warn' | 'reject' | 'gate';

export type CheckResult = {
  readonly check: string;
  readonly severity: Severity;
  /** Name of the scored check that it belongs to, null when it is not scored. */
  readonly scored: string | null;
  /** Offending rows. */
  readonly rows: number;
  /** Reasons of the first few of them. */
  readonly samples: readonly string[];
};

export type Verdict = {
  readonly kind: 'passed' | 'blocked';
  /** Passed ÷ scored × 100, null when nothing was scored. */
  readonly score: number | null;
  readonly warnings: readonly string[];
  /** What blocks it: failed gate checks that nobody has waived. */
  readonly failures: readonly string[];
  /** Names of all failed gate checks, waived ones too. */
  readonly failedChecks: readonly string[];
  /** What let it pass in spite of them; null where it needed nobody. */
  readonly waived: Waiver | null;
};

/**
 * Blocked when any `gate` check found a row that nobody has waived; `warn` checks only leave a note.
 * A waiver covers the checks that had failed when it was given, and no other.
 */
export function decideVerdict(
  results: readonly CheckResult[],
  waiver: Waiver | null = null,
): Verdict {
  const failed = (severity: Severity) =>
    results.filter((result) => result.severity === severity && result.rows > 0);
  const gates = failed('gate');
  const isWaived = ({ check }: CheckResult) => waiver?.checks.includes(check) === true;
  const failures = gates.filter((gate) => !isWaived(gate)).map(describeFailure);
  const needed = gates.filter(isWaived).map(({ check }) => check);
  return {
    kind: failures.length === 0 ? 'passed' : 'blocked',
    score: score(results),
    warnings: [...failed('warn'), ...gates.filter(isWaived)].map(describeFailure),
    failures,
    failedChecks: gates.map(({ check }) => check),
    waived:
      waiver !== null && failures.length === 0 && needed.length > 0
        ? { ...waiver, checks: needed }
        : null,
  };
}

/** A scored name passes when all its checks found nothing. */
function score(results: readonly CheckResult[]): number | null {
  const byName = new Map<string, boolean>();
  for (const { scored, rows } of results) {
    if (scored !== null) byName.set(scored, (byName.get(scored) ?? true) && rows === 0);
  }
  if (byName.size === 0) return null;
  const passed = [...byName.values()].filter(Boolean).length;
  return Math.round((passed / byName.size) * 1000) / 10;
}

function describeFailure(result: CheckResult): string {
  const sample = result.samples[0] === undefined ? '' : `: ${result.samples[0]}`;
  return `${result.check} (${result.rows} ${result.rows === 1 ? 'row' : 'rows'})${sample}`.slice(
    0,
    300,
  );
}
