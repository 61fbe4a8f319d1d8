import type { FieldRule, PlacementRule } from './dataset.ts';
import type { ColumnType } from './table.ts';
import { minuteMs, parseInstant, secondMs } from './time.ts';

/*
 * The fast path of ingest hands the bytes of a record to the engine's own JSON reader. That is right
 * only for records which every JSON reader must understand alike, and this file recognises those, in
 * one pass over the bytes. It never decides what is wrong with a record: whatever it does not
 * recognise goes through placeRecord. What it recognises, placeRecord places with the same values
 * (test/engine/paths.test.ts).
 */

/**
 * The event time of a plain record, in ms since the epoch; `NaN` for any other. Plain is UTF-8 on one
 * line: a JSON object of contract fields alone, each at most once and null or of its type; strings
 * without escapes; numbers of at most 15 digits without exponent, and no fewer zeros than their type
 * allows; times to the second or millisecond, in UTC; an id and an event time not before the least.
 */
export type PlainScan = (bytes: Uint8Array) => number;

/** `isUtf8` is asked only about records with bytes above 127. */
export function createPlainScan(
  fields: readonly FieldRule[],
  rule: PlacementRule,
  isUtf8: (bytes: Uint8Array) => boolean,
): PlainScan {
  const names = createNames(fields);
  const kinds = fields.map(({ type }) => kindOf[type]);
  const idField = fields.findIndex(({ wireName }) => wireName === rule.idField);
  const timeField = fields.findIndex(({ wireName }) => wireName === rule.timeField);
  const timeMin = parseInstant(rule.eventTimeMin) ?? 0;
  const readTime = createTimeReader();
  /** In which record a field was seen last: a second time in one record is one time too many. */
  const seenIn = new Float64Array(fields.length);
  let record = 0;

  return (bytes) => {
    const { length } = bytes;
    let at = afterSpaces(bytes, 0);
    if (bytes[at] !== openBrace) return NaN;
    at = afterSpaces(bytes, at + 1);
    record += 1;
    let eventTimeMs = NaN;
    let hasId = false;
    let every = 0;
    for (let previous = -1; ;) {
      if (bytes[at] !== quote) return NaN;
      const field = names.find(bytes, at + 1, previous);
      if (field < 0 || seenIn[field] === record) return NaN;
      seenIn[field] = record;
      previous = field;
      at = afterSpaces(bytes, at + 2 + names.length(field));
      if (bytes[at] !== colon) return NaN;
      at = afterSpaces(bytes, at + 1);

      const first = bytes[at]!;
      const kind = kinds[field]!;
      if (first === quote) {
        const start = at + 1;
        at = start;
        for (let byte = bytes[at]!; byte !== quote; byte = bytes[at]!) {
          // Past the end there is undefined, which is no number above 31.
          if (!(byte >= 32) || byte === backslash) return NaN;
          every |= byte;
          at += 1;
        }
        if (kind === kind_.timestamp) {
          const ms = readTime(bytes, start, at);
          if (!(ms === ms)) return NaN;
          if (field === timeField) eventTimeMs = ms;
        } else if (kind === kind_.string) {
          if (field === idField) hasId = at > start;
        } else return NaN;
        at += 1;
      } else if (first === letterN) {
        if (!isWord(bytes, at, nullWord)) return NaN;
        at += 4;
      } else if (kind === kind_.boolean) {
        if (isWord(bytes, at, trueWord)) at += 4;
        else if (isWord(bytes, at, falseWord)) at += 5;
        else return NaN;
      } else {
        at = afterNumber(bytes, at, kind);
        if (at < 0) return NaN;
      }

      at = afterSpaces(bytes, at);
      if (bytes[at] === closeBrace) break;
      if (bytes[at] !== comma) return NaN;
      at = afterSpaces(bytes, at + 1);
    }
    if (afterSpaces(bytes, at + 1) !== length || !hasId) return NaN;
    if (every > 127 && !isUtf8(bytes)) return NaN;
    return eventTimeMs >= timeMin ? eventTimeMs : NaN;
  };
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const point = 0x2e;
const minus = 0x2d;
const letterN = 0x6e;

const nullWord = [0x6e, 0x75, 0x6c, 0x6c];
const trueWord = [0x74, 0x72, 0x75, 0x65];
const falseWord = [0x66, 0x61, 0x6c, 0x73, 0x65];

const kind_ = {
  string: 0,
  timestamp: 1,
  boolean: 2,
  int: 3,
  bigint: 4,
  double: 5,
  decimal: 6,
  /** A type that is always left to placeRecord, but for null. */
  other: 7,
} as const;

const kindOf: Readonly<Record<ColumnType, number>> = {
  string: kind_.string,
  timestamp: kind_.timestamp,
  boolean: kind_.boolean,
  int: kind_.int,
  bigint: kind_.bigint,
  double: kind_.double,
  'decimal(12,2)': kind_.decimal,
  'decimal(18,2)': kind_.decimal,
  date: kind_.other,
};

/** Only spaces: a line break in a record would be the end of its line. */
function afterSpaces(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 32) at += 1;
  return at;
}

function isWord(bytes: Uint8Array, start: number, word: readonly number[]): boolean {
  return word.every((byte, index) => bytes[start + index] === byte);
}

const digitsMax = 15;
const intMax = 2_147_483_647;
/** The lesser of the limits of placeRecord for decimals. */
const decimalMax = 1e10;

/** Where a number ends that its type takes as it is; -1 for any other. */
function afterNumber(bytes: Uint8Array, start: number, kind: number): number {
  if (kind < kind_.int || kind > kind_.decimal) return -1;
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  let at = first;
  let value = 0;
  let byte = bytes[at]!;
  for (; byte >= 48 && byte <= 57; byte = bytes[++at]!) value = value * 10 + byte - 48;
  let digits = at - first;
  if (digits === 0 || (digits > 1 && bytes[first] === 48)) return -1;
  let isZero = value === 0;
  if (byte === point) {
    const fraction = at + 1;
    at = fraction;
    for (byte = bytes[at]!; byte >= 48 && byte <= 57; byte = bytes[++at]!) {
      if (byte !== 48) isZero = false;
    }
    const decimals = at - fraction;
    digits += decimals;
    if (decimals === 0 || kind < kind_.double) return -1;
    if (kind === kind_.decimal && decimals > 2) return -1;
  }
  // An exponent, or anything else that may follow, is not what comes after a value: the caller sees.
  if (digits > digitsMax || (isNegative && isZero)) return -1;
  if (kind === kind_.int && value > intMax) return -1;
  if (kind === kind_.decimal && value >= decimalMax - 1) return -1;
  return at;
}

type Names = {
  /** The field whose name begins here and is followed by a quotation mark; -1 for none. */
  readonly find: (bytes: Uint8Array, start: number, previous: number) => number;
  readonly length: (field: number) => number;
};

/** Records of one producer have their fields in one order, so the next name is mostly foreseen. */
function createNames(fields: readonly FieldRule[]): Names {
  const encoder = new TextEncoder();
  const names = fields.map(({ wireName }) => encoder.encode(wireName));
  // JSON would write such a name otherwise.
  const isSimple = fields.map(({ wireName }) => /^[ !#-[\]-~]+$/.test(wireName));
  const next = new Int32Array(fields.length + 1);
  const isAt = (bytes: Uint8Array, start: number, field: number): boolean => {
    const name = names[field];
    if (name === undefined || bytes[start + name.length] !== quote) return false;
    for (let index = 0; index < name.length; index += 1) {
      if (bytes[start + index] !== name[index]) return false;
    }
    return isSimple[field]!;
  };
  return {
    length: (field) => names[field]!.length,
    find: (bytes, start, previous) => {
      const foreseen = next[previous + 1]!;
      if (isAt(bytes, start, foreseen)) return foreseen;
      for (let field = 0; field < names.length; field += 1) {
        if (isAt(bytes, start, field)) {
          next[previous + 1] = field;
          return field;
        }
      }
      return -1;
    },
  };
}

/**
 * Reads `2026-08-21T13:45:00Z` and `2026-08-21T13:45:00.123Z` between two places; `NaN` for anything
 * else. Records come by the thousand from one hour, so the hour is parsed once.
 */
function createTimeReader(): (bytes: Uint8Array, start: number, end: number) => number {
  const hour = new Uint8Array(13);
  let hourStartMs = NaN;
  return (bytes, start, end) => {
    const length = end - start;
    if ((length !== 24 && length !== 20) || bytes[end - 1] !== 0x5a) return NaN;
    for (let index = 0; index < 13; index += 1) {
      if (bytes[start + index] === hour[index]) continue;
      hour.set(bytes.subarray(start, start + 13));
      const text = String.fromCharCode(...hour);
      hourStartMs = text[10] === 'T' ? (parseInstant(`${text}:00:00Z`) ?? NaN) : NaN;
      break;
    }
    if (bytes[start + 13] !== colon || bytes[start + 16] !== colon) return NaN;
    const minute = twoDigits(bytes, start + 14);
    const second = twoDigits(bytes, start + 17);
    if (!(minute < 60 && second < 60)) return NaN;
    const whole = hourStartMs + minute * minuteMs + second * secondMs;
    if (length === 20) return whole;
    if (bytes[start + 19] !== point) return NaN;
    return whole + digit(bytes, start + 20) * 100 + twoDigits(bytes, start + 21);
  };
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1);
}

function digit(bytes: Uint8Array, at: number): number {
  const value = bytes[at]! - 48;
  return value >= 0 && value <= 9 ? value : NaN;
}
