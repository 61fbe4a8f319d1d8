/**
 * The faults of Ingot. Data outcomes (a rejected row, a blocked gate) are return values, never
 * errors; programmer mistakes are assertions. What is left is a fault: something outside did not
 * do its part, and a person or a retry has to act.
 */
export const errorCodes = [
  'CONFIG_INVALID',
  'PREREQUISITE_MISSING',
  'PORT_IN_USE',
  'PART_UNREACHABLE',
  'STORE_NOT_CONDITIONAL',
  'OBJECT_MISSING',
  'OFFSETS_LOST',
  'OBJECT_LOST',
  'RECORDS_UNREADABLE',
  'TOPIC_CHANGED',
  'TOPIC_MISSING',
  'WRITER_REPLACED',
  'THREAD_LOST',
  'BATCH_MISMATCH',
  'LOG_CORRUPT',
  'ACCOUNTING_BROKEN',
  'CATALOG_UNSETTLED',
  'RETENTION_PASSED',
  'BACKFILL_INCOMPLETE',
  'SQL_FAILED',
  'TABLE_UNKNOWN',
  'INPUT_INVALID',
  'REDRIVE_REFUSED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>;

export type IngotErrorOptions = {
  /** Whether doing the same again later can succeed. Temporal retries only these. */
  readonly retryable: boolean;
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
};

/** Thrown when something outside Ingot's rules failed. The message ends with the facts in brackets. */
export class IngotError extends Error {
  override readonly name = 'IngotError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, sentence: string, options: IngotErrorOptions) {
    const facts = options.facts ?? {};
    super(`${sentence}${formatFacts(facts)}`, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.facts = facts;
  }
}

/** ` [bucket=lake, key=a/b]`, or nothing when there are no facts. */
export function formatFacts(facts: ErrorFacts): string {
  const parts = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

/** The message of anything that may be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
