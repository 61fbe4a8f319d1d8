import { IngotError } from '../errors.ts';

export type DemoOptions = {
  readonly count: number;
  readonly duplicates: number;
  readonly malformed: number;
  readonly late: number;
  readonly hours: number;
  readonly seed: number;
  readonly keep: boolean;
  readonly json: boolean;
};

export type DemoFlags = {
  readonly count: string;
  readonly duplicates?: string;
  readonly malformed?: string;
  readonly late?: string;
  readonly hours: string;
  readonly seed: string;
  readonly keep?: true;
  readonly clean?: true;
  readonly json?: true;
};

/** All wrong flags at once. */
export function parseDemoFlags(flags: DemoFlags): DemoOptions {
  const problems: string[] = [];
  const whole = (name: string, text: string, min: number, max: number): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`--${name} ${text}: a whole number from ${min} to ${max}`);
    return min;
  };
  const share = (name: string, text: string | undefined, byDefault: number): number => {
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (text.trim() !== '' && value >= 0 && value <= 0.5) return value;
    problems.push(`--${name} ${text}: a share from 0 to 0.5`);
    return byDefault;
  };
  const duplicates = share('duplicates', flags.duplicates, 0.07);
  const clean = flags.duplicates !== undefined && duplicates === 0;
  const options: DemoOptions = {
    count: whole('count', flags.count, 1, 5_000_000),
    duplicates,
    malformed: share('malformed', flags.malformed, clean ? 0 : 0.01),
    late: share('late', flags.late, clean ? 0 : 0.02),
    hours: whole('hours', flags.hours, 1, 48),
    seed: whole('seed', flags.seed, 0, 2_147_483_647),
    keep: flags.keep === true,
    json: flags.json === true,
  };
  if (problems.length === 0) return options;
  throw new IngotError('INPUT_INVALID', problems.join('\n'), { retryable: false });
}
