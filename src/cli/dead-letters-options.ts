import { IngotError } from '../errors.ts';
import {
  type Correction,
  type DeadLetterFilter,
  type ParsedField,
  parseDeadLetterId,
  parseSetField,
} from '../lake/dead-letters.ts';
import { deadLetterReasons } from '../lake/placement.ts';
import { dayMs, formatInstant, parseInstant } from '../lake/time.ts';

/* What `ingot dead-letters` was asked for, from flags to decisions. Nothing here reads a clock. */

export type FilterFlags = {
  readonly reason?: string;
  readonly topic?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
};

export type Selection = { readonly filter: DeadLetterFilter; readonly limit: number };

const limitDefault = 100;
const limitMax = 100_000;

/** Throws `INPUT_INVALID` naming everything that is wrong, at once. */
export function parseFilterFlags(flags: FilterFlags): Selection {
  const { reason = null, topic = null, from, to, limit } = flags;
  const problems: string[] = [];
  if (reason !== null && !deadLetterReasons.some((known) => known === reason)) {
    problems.push(`--reason ${reason}: must be one of ${deadLetterReasons.join(', ')}`);
  }
  const time = (flag: string, text: string | undefined, dateMeans: 'start' | 'end') => {
    if (text === undefined) return null;
    const ms = parseTime(text, dateMeans);
    if (ms === null) {
      problems.push(
        `--${flag} ${text}: must be a date such as 2026-08-21, or a time such as 2026-08-21T13:00:00Z`,
      );
    }
    return ms;
  };
  const fromMs = time('from', from, 'start');
  const toMs = time('to', to, 'end');
  if (fromMs !== null && toMs !== null && fromMs >= toMs) {
    problems.push(`--from ${formatInstant(fromMs)}: must be before --to ${formatInstant(toMs)}`);
  }
  const count = limit === undefined ? limitDefault : Number(limit);
  if (limit !== undefined && !(/^\d+$/.test(limit) && count >= 1 && count <= limitMax)) {
    problems.push(`--limit ${limit}: must be a whole number from 1 to 100,000`);
  }
  refuse(problems);
  return { filter: { reason, topic, fromMs, toMs }, limit: count };
}

/** A date means its whole UTC day. */
function parseTime(text: string, dateMeans: 'start' | 'end'): number | null {
  const midnight = parseInstant(`${text}T00:00:00Z`);
  if (midnight !== null) return dateMeans === 'start' ? midnight : midnight + dayMs;
  return parseInstant(text);
}

/** Throws `INPUT_INVALID` for what is no id. */
export function requireIds(ids: readonly string[]): void {
  refuse(
    ids
      .filter((id) => parseDeadLetterId(id) === null)
      .map((id) => `${id}: not an id such as clicks-0-000000000007/4711`),
  );
}

export type CorrectionFlags = {
  readonly valueFile?: string;
  readonly set?: readonly string[];
};

/** `readFile` answers `null` for a file that cannot be read. */
export async function parseCorrection(
  flags: CorrectionFlags,
  readFile: (path: string) => Promise<Uint8Array | null>,
): Promise<Correction> {
  const { valueFile, set = [] } = flags;
  if (valueFile !== undefined && set.length > 0) refuse(['--value-file and --set: only one']);
  if (valueFile !== undefined) {
    const value = await readFile(valueFile);
    if (value !== null) return { kind: 'value', value };
    refuse([`--value-file ${valueFile}: there is no such file that can be read`]);
  }
  const parsed = set.map((text): [string, ParsedField] => [text, parseSetField(text)]);
  refuse(
    parsed.flatMap(([text, each]) =>
      each.kind === 'invalid' ? [`--set ${text}: ${each.why}`] : [],
    ),
  );
  const fields = parsed.flatMap(([, each]) => (each.kind === 'field' ? [each.field] : []));
  return fields.length === 0 ? { kind: 'none' } : { kind: 'fields', fields };
}

/** Throws `INPUT_INVALID` unless the dead letters are named in one way: by ids, or by filters. */
export function requireOneWay(ids: readonly string[], flags: FilterFlags): void {
  const { reason, topic, from, to, limit } = flags;
  const filters = [reason, topic, from, to].filter((flag) => flag !== undefined);
  if (ids.length > 0 && (filters.length > 0 || limit !== undefined)) {
    refuse(['ids and filters: only one of them can choose the dead letters']);
  }
  if (ids.length === 0 && filters.length === 0) {
    refuse(['nothing is chosen: give ids, or --reason, --topic, --from or --to']);
  }
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new IngotError('INPUT_INVALID', problems.join('\n'), { retryable: false });
}
