import { z } from 'zod';
import { IngotError } from '../errors.ts';
import { formatInstant, hourMs, minuteMs, parseInstant } from '../lake/time.ts';
import type { DropFilesOptions } from '../producer/drop-files.ts';

/* What `ingot generate` and `ingot sample` were asked for. Nothing here reads a clock. */

export type GenerateFlags = {
  readonly to?: string;
  readonly start?: string;
  readonly end?: string;
  readonly interval?: string;
  readonly events?: string;
  readonly duplicates?: string;
  readonly scale?: string;
  readonly seed?: string;
  readonly format?: string;
};

export type GenerateRequest = {
  /** `drop`: the drop folder of the lake; else a folder of this machine. */
  readonly to: string;
  readonly files: DropFilesOptions;
};

/** What is meant where nothing is said. */
export type GenerateDefaults = {
  readonly to: string;
  readonly scale: string;
  /** How far back the first file begins. */
  readonly hours: number | null;
};

export const generateDefaults: GenerateDefaults = { to: 'drop', scale: '1', hours: null };
export const sampleDefaults: GenerateDefaults = { to: 'sample-data', scale: '0.01', hours: 2 };

const filesMax = 10_000;

const number = z
  .string()
  .regex(/^(\d+\.?\d*|\.\d+)$/, 'must be a number')
  .transform(Number);
const range = (max: number, example: string) =>
  z.string().transform((text, context) => {
    const [low = NaN, high = low] = text.split('-').map(Number);
    if (/^[\d.]+(-[\d.]+)?$/.test(text) && low <= high && high <= max) return [low, high] as const;
    context.addIssue(`must be a number or a range such as ${example}, at most ${max}`);
    return z.NEVER;
  });
const instant = z.string().transform((text, context) => {
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  context.addIssue('must be a time such as 2026-08-21T13:00:00Z');
  return z.NEVER;
});

const flagTypes = {
  to: z.string().min(1),
  start: instant.optional(),
  end: instant.optional(),
  interval: number.refine((value) => value >= 1 && value <= 1_440, 'must be 1 to 1440 minutes'),
  events: range(100_000_000, '500000-750000'),
  duplicates: range(1, '0.05-0.1'),
  scale: number.refine((value) => value > 0 && value <= 100, 'must be above 0, at most 100'),
  seed: number.refine((value) => Number.isInteger(value) && value < 2 ** 32, 'must be whole'),
  format: z.enum(['jsonl', 'csv']),
} as const;

type Parsed = { [Name in keyof typeof flagTypes]: z.output<(typeof flagTypes)[Name]> };

/** Throws `INPUT_INVALID` naming everything that is wrong, at once. */
export function parseGenerateFlags(
  flags: GenerateFlags,
  defaults: GenerateDefaults,
  nowMs: number,
): GenerateRequest {
  const { to, scale, hours } = defaults;
  const usual = { to, scale, interval: '5', events: '500000-750000', duplicates: '0.05-0.1' };
  const asked: Record<string, unknown> = { ...usual, seed: '1', format: 'jsonl', ...flags };
  const problems: string[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(flagTypes)) {
    const result = type.safeParse(asked[name]);
    if (result.success) parsed[name] = result.data;
    else
      problems.push(
        ...result.error.issues.map((i) => `--${name} ${String(asked[name])}: ${i.message}`),
      );
  }
  if (problems.length > 0) throw invalid(problems);
  const files = filesOf(parsed as Parsed, hours, nowMs);
  const { startMs, endMs } = files;
  const count = Math.ceil((endMs - startMs) / (files.intervalMinutes * minuteMs));
  if (count < 1) {
    problems.push(
      `--start ${formatInstant(startMs)}: must be before the end, ${formatInstant(endMs)}`,
    );
  }
  if (count > filesMax) problems.push(`${count} files are too many, at most ${filesMax} at once`);
  if (problems.length > 0) throw invalid(problems);
  return { to: (parsed as Parsed).to, files };
}

/** Without a range: the last intervals that are over. */
function filesOf(parsed: Parsed, hours: number | null, nowMs: number): DropFilesOptions {
  const { interval, events, duplicates, scale, seed, format } = parsed;
  const intervalMs = interval * minuteMs;
  const endMs = parsed.end ?? Math.floor(nowMs / intervalMs) * intervalMs;
  const startMs = parsed.start ?? endMs - (hours === null ? intervalMs : hours * hourMs);
  return {
    seed,
    startMs,
    endMs,
    intervalMinutes: interval,
    eventsMin: events[0],
    eventsMax: events[1],
    duplicatesMin: duplicates[0],
    duplicatesMax: duplicates[1],
    scale,
    format,
  };
}

function invalid(problems: readonly string[]): IngotError {
  const lines = problems.map((problem) => `  ${problem}`).join('\n');
  return new IngotError('INPUT_INVALID', `cannot generate that:\n${lines}`, { retryable: false });
}
