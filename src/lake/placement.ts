import type { FieldRule, PlacementRule } from './dataset.ts';
import type { ColumnType } from './table.ts';
import { formatInstant, hasFourDigitYear, parseInstant } from './time.ts';

/*
 * One parser decides where a record goes. It is placed when it has an identity and an event time in
 * range; what else is wrong with it is judged at silver. So every bronze row has a window, every
 * dead letter a reason, and nothing stops the stream.
 */

export const deadLetterReasons = [
  'EMPTY',
  'TOO_LARGE',
  'NOT_UTF8',
  'NOT_JSON',
  'NOT_AN_OBJECT',
  'ID_MISSING',
  'TIME_MISSING',
  'TIME_UNPARSABLE',
  'TIME_OUT_OF_RANGE',
  /** The file of an adopted batch lacks the record: another version of the contract refused it. */
  'REFUSED_BY_WRITER',
  /** A line of a dropped CSV file breaks the rules of CSV, or has other columns than its header. */
  'CSV_BROKEN',
  /** A dropped object ends in the middle, or is damaged: what could be read before counts. */
  'OBJECT_TRUNCATED',
  /** A dropped object is not what its name says, as a whole. */
  'OBJECT_UNREADABLE',
] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];

export type FieldValue = string | number | boolean | null;

export type Placement =
  | {
      readonly kind: 'placed';
      readonly eventTimeMs: number;
      /** Values by bronze column, contract columns only. */
      readonly values: Readonly<Record<string, FieldValue>>;
      /** Fields that the contract does not know, as JSON; `null` without any. */
      readonly extra: string | null;
      /** Names of fields that broke their type; their column is null. */
      readonly typeErrors: readonly string[];
      /** The record's text, only when a field broke its type. */
      readonly raw: string | null;
    }
  | {
      readonly kind: 'deadLetter';
      readonly reason: DeadLetterReason;
      /** The field at fault, `null` when it is the whole record. */
      readonly field: string | null;
      readonly detail: string;
    };

export type PlacementContext = {
  readonly fields: readonly FieldRule[];
  readonly rule: PlacementRule;
  readonly recordBytesMax: number;
  /** Time of the plan: the upper end of the range of event times hangs on it. */
  readonly ingestTimeMs: number;
};

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Decides where the bytes of one record go. Same bytes and context, same answer. */
export function placeRecord(value: Uint8Array | null, context: PlacementContext): Placement {
  if (value === null || value.byteLength === 0) return dead('EMPTY', null, 'no bytes');
  if (value.byteLength > context.recordBytesMax) {
    return dead('TOO_LARGE', null, `${value.byteLength} bytes, limit ${context.recordBytesMax}`);
  }
  const text = decode(value);
  if (text === null) return dead('NOT_UTF8', null, 'invalid UTF-8');
  const parsed = parseJson(text);
  if (parsed.kind === 'invalid') return dead('NOT_JSON', null, parsed.message);
  const record = parsed.value;
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return dead('NOT_AN_OBJECT', null, `a JSON ${describe(record)}, wanted an object`);
  }
  return placeObject(record as Readonly<Record<string, unknown>>, text, context);
}

function placeObject(
  record: Readonly<Record<string, unknown>>,
  text: string,
  context: PlacementContext,
): Placement {
  const { rule, fields } = context;
  const id = own(record, rule.idField);
  if (typeof id !== 'string' || id === '' || hasLoneSurrogate(id)) {
    return dead('ID_MISSING', rule.idField, `wanted a non-empty string, got ${describe(id)}`);
  }
  const time = placeTime(own(record, rule.timeField), context);
  if (typeof time !== 'number') return time;

  const values: Record<string, FieldValue> = {};
  const typeErrors: string[] = [];
  for (const field of fields) {
    const read = readField(own(record, field.wireName), field);
    values[field.column] = read.kind === 'value' ? read.value : null;
    if (read.kind === 'typeError') typeErrors.push(field.wireName);
  }
  const { extra, broken } = extraOf(record, fields);
  typeErrors.push(...broken);
  return {
    kind: 'placed',
    eventTimeMs: time,
    values,
    extra,
    typeErrors,
    raw: typeErrors.length === 0 ? null : text,
  };
}

function placeTime(value: unknown, context: PlacementContext): number | Placement {
  const { timeField, eventTimeMin, eventTimeAheadMsMax } = context.rule;
  if (value === undefined || value === null)
    return dead('TIME_MISSING', timeField, 'no event time');
  const ms = typeof value === 'string' ? parseInstant(value) : null;
  if (ms === null) {
    const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : describe(value);
    return dead('TIME_UNPARSABLE', timeField, `wanted ISO-8601 with Z or an offset, got ${got}`);
  }
  const max = context.ingestTimeMs + eventTimeAheadMsMax;
  const min = leastOf(eventTimeMin);
  if (ms < min || ms > max) {
    const range = `${eventTimeMin} to ${formatInstant(max)}`;
    return dead('TIME_OUT_OF_RANGE', timeField, `${formatInstant(ms)} is not in ${range}`);
  }
  return ms;
}

/** Asked of every record, with the same answer: parsed once. */
const leastTimes = new Map<string, number>();

function leastOf(eventTimeMin: string): number {
  const known = leastTimes.get(eventTimeMin);
  if (known !== undefined) return known;
  const ms = parseInstant(eventTimeMin) ?? 0;
  leastTimes.set(eventTimeMin, ms);
  return ms;
}

type FieldRead =
  { readonly kind: 'value'; readonly value: FieldValue } | { readonly kind: 'typeError' };

const typeError: FieldRead = { kind: 'typeError' };

/** A field in the type of its column; a value that is wrong but of the right type is kept. */
export function readField(value: unknown, field: FieldRule): FieldRead {
  if (value === undefined || value === null) return { kind: 'value', value: null };
  const typed = readTyped(value, field.type);
  if (typed.kind === 'typeError' || typeof typed.value !== 'string') return typed;
  const alias = Object.hasOwn(field.valueAliases, typed.value)
    ? field.valueAliases[typed.value]
    : undefined;
  return alias === undefined ? typed : { kind: 'value', value: alias };
}

function readTyped(value: unknown, type: ColumnType): FieldRead {
  switch (type) {
    case 'string':
      return typeof value === 'string' && !hasLoneSurrogate(value)
        ? { kind: 'value', value }
        : typeError;
    case 'int':
      return isWholeNumber(value) && Math.abs(value) <= 2_147_483_647
        ? { kind: 'value', value }
        : typeError;
    case 'bigint':
      return isWholeNumber(value) ? { kind: 'value', value } : typeError;
    case 'double':
      // -0 becomes 0: as a text on its way to an engine it would, and as bytes in a column it would not.
      return Number.isFinite(value) ? { kind: 'value', value: (value as number) + 0 } : typeError;
    case 'boolean':
      return typeof value === 'boolean' ? { kind: 'value', value } : typeError;
    case 'decimal(12,2)':
      return readDecimal(value, 1e10);
    case 'decimal(18,2)':
      // A double holds two exact decimals only up to here.
      return readDecimal(value, 1e13);
    case 'date':
      return readDate(value);
    case 'timestamp':
      return readTimestamp(value);
  }
}

function readDate(value: unknown): FieldRead {
  const exists = typeof value === 'string' && parseInstant(`${value}T00:00:00Z`) !== null;
  return exists ? { kind: 'value', value } : typeError;
}

function readTimestamp(value: unknown): FieldRead {
  const ms = typeof value === 'string' ? parseInstant(value) : null;
  if (ms === null) return typeError;
  // An offset can carry a year past 9999, which is written with six digits that SQL does not read.
  return hasFourDigitYear(ms) ? { kind: 'value', value: formatInstant(ms) } : typeError;
}

/** A number with at most two decimals, as text, so that no engine reads it as a double. */
function readDecimal(value: unknown, limit: number): FieldRead {
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) >= limit)
    return typeError;
  const text = value.toFixed(2);
  return Number(text) === value ? { kind: 'value', value: text } : typeError;
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

type Extra = { readonly extra: string | null; readonly broken: readonly string[] };

/** Unknown fields as JSON, and the names of those that nest too deeply to be written as such. */
function extraOf(record: Readonly<Record<string, unknown>>, fields: readonly FieldRule[]): Extra {
  const known = namesOf(fields);
  const unknown = Object.entries(record).filter(([name]) => !known.has(name));
  const broken = unknown.filter(([, value]) => nestsTooDeeply(value)).map(([name]) => name);
  const extra = unknown.filter(([name]) => !broken.includes(name));
  // fromEntries defines own properties, so that a field named __proto__ stays a field.
  const text = extra.length === 0 ? null : JSON.stringify(Object.fromEntries(extra));
  return { extra: text, broken };
}

const namesOfFields = new WeakMap<readonly FieldRule[], ReadonlySet<string>>();

function namesOf(fields: readonly FieldRule[]): ReadonlySet<string> {
  const known = namesOfFields.get(fields);
  if (known !== undefined) return known;
  const names = new Set(fields.map((field) => field.wireName));
  namesOfFields.set(fields, names);
  return names;
}

/** JSON.parse reads any depth, but JSON.stringify runs out of stack at some thousands. */
const nestingMax = 200;

function nestsTooDeeply(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth < nestingMax && level.length > 0; depth += 1) {
    level = level.flatMap((inner): unknown[] =>
      typeof inner === 'object' && inner !== null ? Object.values(inner) : [],
    );
  }
  return level.length > 0;
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function hasLoneSurrogate(text: string): boolean {
  return !text.isWellFormed();
}

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder has one way to say "not UTF-8": it throws.
    return null;
  }
}

type Parsed =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly message: string };

function parseJson(text: string): Parsed {
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch (error) {
    return { kind: 'invalid', message: error instanceof Error ? error.message : String(error) };
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value === '') return 'an empty string';
  return typeof value;
}

function dead(reason: DeadLetterReason, field: string | null, detail: string): Placement {
  return { kind: 'deadLetter', reason, field, detail: detail.slice(0, 300) };
}
