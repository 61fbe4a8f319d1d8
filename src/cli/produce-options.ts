import { z } from 'zod';
import { IngotError } from '../errors.ts';
import { formatInstant, parseInstant } from '../lake/time.ts';
import type { Profile, Rates } from '../producer/events.ts';

/* What `ingot produce` was asked for, from flags to a decision. Nothing here reads a clock. */

export type ProduceFlags = {
  readonly profile?: string;
  readonly count?: string;
  readonly rate?: string;
  readonly seed?: string;
  readonly duplicates?: string;
  readonly malformed?: string;
  readonly late?: string;
  readonly topic?: string;
  readonly start?: string;
  readonly end?: string;
};

export type ProduceRequest = {
  readonly profile: Profile;
  readonly seed: number;
  readonly topic: string;
  readonly rates: Rates;
  /** Over a range that is fixed, or at a pace that may have no end. */
  readonly timing:
    | { readonly start: string; readonly end: string; readonly count: number }
    | { readonly start: string; readonly rate: number; readonly count?: number };
  /** How fast the records are sent; `null`: as fast as the broker takes them. */
  readonly ratePerSecond: number | null;
};

const perProfile: Record<Profile, { readonly topic: string; readonly rate: number }> = {
  ecommerce: { topic: 'ecommerce-events', rate: 1 },
  'user-activity': { topic: 'user-activity-events', rate: 1_000 },
};

const spreadHours = 2;

const number = z
  .string()
  .regex(/^[+-]?(\d+\.?\d*|\.\d+)$/, 'must be a number')
  .transform(Number);
const whole = (min: number, max: number) =>
  number.refine(
    (value) => Number.isInteger(value) && value >= min && value <= max,
    `must be a whole number from ${min} to ${max.toLocaleString('en-US')}`,
  );
const share = number.refine((value) => value >= 0 && value <= 1, 'must be a share from 0 to 1');
const instant = z.string().transform((text, context) => {
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  context.addIssue('must be a time such as 2026-08-21T13:00:00Z');
  return z.NEVER;
});

const flagTypes = {
  profile: z.enum(['ecommerce', 'user-activity']).default('ecommerce'),
  count: whole(1, 1_000_000_000).optional(),
  rate: number
    .refine((value) => value > 0 && value <= 1_000_000, 'must be above 0, at most 1,000,000')
    .optional(),
  seed: whole(0, 4_294_967_295).default(1),
  duplicates: share.default(0),
  malformed: share.default(0),
  late: share.default(0),
  topic: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/, 'must be a Kafka topic name')
    .optional(),
  start: instant.optional(),
  end: instant.optional(),
} as const;

type Parsed = { [Name in keyof typeof flagTypes]?: z.output<(typeof flagTypes)[Name]> };

/** Throws `INPUT_INVALID` naming everything that is wrong, at once. */
export function parseProduceFlags(flags: ProduceFlags, nowMs: number): ProduceRequest {
  const problems: string[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(flagTypes)) {
    const result = type.safeParse(flags[name as keyof ProduceFlags]);
    if (result.success) parsed[name] = result.data;
    else {
      const given = String(flags[name as keyof ProduceFlags]);
      problems.push(...result.error.issues.map((each) => `--${name} ${given}: ${each.message}`));
    }
  }
  const values = parsed as Parsed;
  problems.push(...crossChecks(values, nowMs));
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n');
    throw new IngotError('INPUT_INVALID', `cannot produce that:\n${lines}`, { retryable: false });
  }
  return toRequest(values, nowMs);
}

function crossChecks(
  { duplicates = 0, malformed = 0, late = 0, ...values }: Parsed,
  nowMs: number,
) {
  const problems: string[] = [];
  // The tolerance is for sums such as 0.7 + 0.2 + 0.1.
  if (duplicates + malformed + late > 1 + 1e-9) {
    problems.push('--duplicates, --malformed and --late: must be at most 1 together');
  }
  const { start, end } = values;
  if (start !== undefined && start >= (end ?? (values.rate === undefined ? nowMs : Infinity))) {
    const until = end === undefined ? 'now' : formatInstant(end);
    problems.push(`--start ${formatInstant(start)}: must be before the end, which is ${until}`);
  }
  return problems;
}

function toRequest(values: Parsed, nowMs: number): ProduceRequest {
  const { profile = 'ecommerce', seed = 1, count, rate, start, end } = values;
  const { duplicates = 0, malformed = 0, late = 0 } = values;
  const request = {
    profile,
    seed,
    topic: values.topic ?? perProfile[profile].topic,
    rates: { duplicates, malformed, late },
  };
  const isLive =
    end === undefined && (rate !== undefined || (count === undefined && start === undefined));
  if (isLive) {
    const pace = rate ?? perProfile[profile].rate;
    const timing = { start: formatInstant(start ?? nowMs), rate: pace };
    const bounded = count === undefined ? timing : { ...timing, count };
    return { ...request, timing: bounded, ratePerSecond: pace };
  }
  const endMs = end ?? nowMs;
  const startMs = start ?? endMs - spreadHours * 3_600_000;
  const natural = Math.ceil(((endMs - startMs) / 1_000) * perProfile[profile].rate);
  return {
    ...request,
    timing: {
      start: formatInstant(startMs),
      end: formatInstant(endMs),
      count: count ?? natural,
    },
    ratePerSecond: rate ?? null,
  };
}
