import type { SqlFile } from '../ports.ts';

/* The SQL of a silver build that is put together from several files. */

export function sqlOf(files: Readonly<Record<string, SqlFile>>, name: string): string {
  const file = files[name];
  if (file === undefined) throw new Error(`there is no SQL file ${name}`);
  return file.sql;
}

/** The union of what the reject checks find; the rule is the name of the check. */
export function rejectionsSql(checks: Readonly<Record<string, SqlFile>>): string {
  const parts = rejectChecks(checks).map(
    ({ name, sql }) =>
      `SELECT _topic, _partition, _offset, '${ruleName(name)}' AS rule, reason FROM (\n${sql}\n) AS found`,
  );
  return parts.join('\nUNION ALL\n');
}

/** Names of checks are names of our own files; anything else would not be pasted into SQL. */
function ruleName(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`not a check name: ${name}`);
  return name;
}

/** The checks whose rows go to quarantine. */
export function rejectChecks(checks: Readonly<Record<string, SqlFile>>): readonly SqlFile[] {
  return Object.values(checks).filter(({ header }) => header.severity === 'reject');
}
