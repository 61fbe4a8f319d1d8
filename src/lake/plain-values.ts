import type { ColumnType } from './table.ts';
import { minuteMs, parseInstant, secondMs } from './time.ts';

/* The values of a plain record, byte by byte: what they may be, and where they end. */

export const codes = {
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  nine: 0x39,
  colon: 0x3a,
  backslash: 0x5c,
  letterN: 0x6e,
  letterT: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

const nullWord = [0x6e, 0x75, 0x6c, 0x6c];
const trueWord = [0x74, 0x72, 0x75, 0x65];
const falseWord = [0x66, 0x61, 0x6c, 0x73, 0x65];

export const kinds = {
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

export const kindOf: Readonly<Record<ColumnType, number>> = {
  string: kinds.string,
  timestamp: kinds.timestamp,
  boolean: kinds.boolean,
  int: kinds.int,
  bigint: kinds.bigint,
  double: kinds.double,
  'decimal(12,2)': kinds.decimal,
  'decimal(18,2)': kinds.decimal,
  date: kinds.other,
};

/** Only spaces: a line break in a record would be the end of its line. */
export function afterSpaces(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 32) at += 1;
  return at;
}

/** Where `null` ends, or `true` or `false` for a boolean; -1 for anything else. */
export function afterWord(bytes: Uint8Array, start: number, kind: number): number {
  if (bytes[start] === codes.letterN) return isWord(bytes, start, nullWord) ? start + 4 : -1;
  if (kind !== kinds.boolean) return -1;
  if (isWord(bytes, start, trueWord)) return start + 4;
  return isWord(bytes, start, falseWord) ? start + 5 : -1;
}

function isWord(bytes: Uint8Array, start: number, word: readonly number[]): boolean {
  return word.every((byte, index) => bytes[start + index] === byte);
}

const digitsMax = 15;
const intMax = 2_147_483_647;
/** The lesser of the limits of placeRecord for decimals. */
const decimalMax = 1e10;

/** Where a number ends that its type takes as it is; -1 for any other. */
export function afterNumber(bytes: Uint8Array, start: number, kind: number): number {
  if (kind < kinds.int || kind > kinds.decimal) return -1;
  const isNegative = bytes[start] === codes.minus;
  const first = isNegative ? start + 1 : start;
  let at = first;
  let value = 0;
  let byte = bytes[at]!;
  for (; byte >= 48 && byte <= 57; byte = bytes[++at]!) value = value * 10 + byte - 48;
  let digits = at - first;
  if (digits === 0 || (digits > 1 && bytes[first] === 48)) return -1;
  let isZero = value === 0;
  if (byte === codes.point) {
    const fraction = at + 1;
    at = fraction;
    for (byte = bytes[at]!; byte >= 48 && byte <= 57; byte = bytes[++at]!) {
      if (byte !== 48) isZero = false;
    }
    const decimals = at - fraction;
    digits += decimals;
    if (decimals === 0 || kind < kinds.double) return -1;
    if (kind === kinds.decimal && decimals > 2) return -1;
  }
  // An exponent, or anything else that may follow, is not what comes after a value: the caller sees.
  if (digits > digitsMax || (isNegative && isZero)) return -1;
  if (kind === kinds.int && value > intMax) return -1;
  if (kind === kinds.decimal && value >= decimalMax - 1) return -1;
  return at;
}

/**
 * Reads `2026-08-21T13:45:00Z` and `2026-08-21T13:45:00.123Z` between two places; `NaN` for anything
 * else. Records come by the thousand from one hour, so the hour is parsed once.
 */
export function createTimeReader(): (bytes: Uint8Array, start: number, end: number) => number {
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
    if (bytes[start + 13] !== codes.colon || bytes[start + 16] !== codes.colon) return NaN;
    const minute = twoDigits(bytes, start + 14);
    const second = twoDigits(bytes, start + 17);
    if (!(minute < 60 && second < 60)) return NaN;
    const whole = hourStartMs + minute * minuteMs + second * secondMs;
    if (length === 20) return whole;
    if (bytes[start + 19] !== codes.point) return NaN;
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
