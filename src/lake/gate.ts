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
  readonly failures: readonly string[];
};

/** Blocked when any `gate` check found a row; `warn` checks only leave a note. */
export function decideVerdict(results: readonly CheckResult[]): Verdict {
  const failed = (severity: Severity) =>
    results
      .filter((result) => result.severity === severity && result.rows > 0)
      .map(describeFailure);
  const failures = failed('gate');
  return {
    kind: failures.length === 0 ? 'passed' : 'blocked',
    score: score(results),
    warnings: failed('warn'),
    failures,
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
