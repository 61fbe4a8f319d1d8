import assert from 'node:assert/strict';
import type { FieldOptions } from 'parquetjs-lite';
import type { ColumnType } from '../lake/table.ts';
import type { Value } from '../ports.ts';

/** How one logical type lies in a Parquet file that parquetjs-lite writes. */
export type ValueMapping = {
  readonly field: FieldOptions['type'];
  /** The primitive value; a value that is none of this type is a mistake of the caller. */
  readonly toPrimitive: (value: Exclude<Value, null>) => unknown;
};

/** Scale and precision where the type is a decimal. */
export type DecimalType = { readonly precision: number; readonly scale: number };

const dayMs = 86_400_000;
const int64Max = 2n ** 63n - 1n;

const mappings: Readonly<Record<ColumnType, ValueMapping>> = {
  // parquetjs-lite makes bytes of it.
  string: { field: 'UTF8', toPrimitive: (value) => expectType(value, 'string') },
  int: { field: 'INT32', toPrimitive: toInt32 },
  bigint: { field: 'INT64', toPrimitive: toInt64 },
  double: { field: 'DOUBLE', toPrimitive: (value) => expectType(value, 'number') },
  boolean: { field: 'BOOLEAN', toPrimitive: (value) => expectType(value, 'boolean') },
  date: { field: 'DATE', toPrimitive: toDays },
  timestamp: { field: 'TIMESTAMP_MILLIS', toPrimitive: toMillis },
  'decimal(12,2)': decimalMapping({ precision: 12, scale: 2 }),
  'decimal(18,2)': decimalMapping({ precision: 18, scale: 2 }),
};

export function valueMapping(type: ColumnType): ValueMapping {
  return mappings[type];
}

/** `null` for a type that is no decimal. */
export function decimalType(type: ColumnType): DecimalType | null {
  const found = /^decimal\((\d+),(\d+)\)$/.exec(type);
  return found === null ? null : { precision: Number(found[1]), scale: Number(found[2]) };
}

/** What the footer of a file says about the values of a column. */
export type StoredType = { readonly converted: number | null; readonly scale: number };

/** Numbers of Parquet's converted types. */
export const convertedTypes = { utf8: 0, decimal: 5, date: 6, timestampMillis: 9 } as const;

/** A primitive value of a file as a value of a row. */
export function fromPrimitive(value: unknown, { converted, scale }: StoredType): Value {
  if (value === undefined || value === null) return null;
  switch (converted) {
    case convertedTypes.decimal:
      return unscaled(BigInt(value as bigint), scale);
    case convertedTypes.date:
      return new Date(Number(value) * dayMs).toISOString().slice(0, 10);
    case convertedTypes.timestampMillis:
      return new Date(Number(value)).toISOString();
    default:
      return typeof value === 'bigint' ? String(value) : (value as string | number | boolean);
  }
}

function expectType(value: unknown, type: 'string'): string;
function expectType(value: unknown, type: 'number'): number;
function expectType(value: unknown, type: 'boolean'): boolean;
function expectType(value: unknown, type: string): unknown {
  assert(typeof value === type, `${String(value)} is no ${type}`);
  return value;
}

function toInt32(value: Value): number {
  const number = expectType(value, 'number');
  assert(Number.isInteger(number) && (number | 0) === number, `${number} is no 32-bit integer`);
  return number;
}

/** As a string or a safe number, since 2^53 and more do not fit a number. */
function toInt64(value: Value): bigint {
  const exact = typeof value === 'number' ? Number.isSafeInteger(value) : isWhole(value);
  assert(exact, `${String(value)} is no exact integer`);
  const number = BigInt(value as string | number);
  assert(number <= int64Max && number >= -int64Max - 1n, `${number} is no 64-bit integer`);
  return number;
}

function isWhole(value: Value): boolean {
  return typeof value === 'string' && /^-?\d+$/.test(value);
}

function toDays(value: Value): number {
  const text = expectType(value, 'string');
  const millis = Date.parse(`${text}T00:00:00.000Z`);
  // JavaScript takes February 30 for March 2.
  const again = Number.isFinite(millis) ? new Date(millis).toISOString().slice(0, 10) : null;
  assert(again === text, `${text} is no date`);
  return millis / dayMs;
}

/** Anything finer than a millisecond is cut off. */
function toMillis(value: Value): number {
  const text = expectType(value, 'string');
  const millis = Date.parse(text);
  // Without a zone, JavaScript would take it for the local time of this machine.
  assert(/(Z|[+-]\d{2}:\d{2})$/.test(text) && Number.isFinite(millis), `${text} is no instant`);
  toDays(text.slice(0, 10));
  return millis;
}

/** A decimal lies in the file as a 64-bit integer of its smallest units. */
function decimalMapping({ precision, scale }: DecimalType): ValueMapping {
  const pattern = new RegExp(`^(-?)(\\d{1,${precision - scale}})(?:\\.(\\d{1,${scale}})0*)?$`);
  return {
    field: 'INT64',
    toPrimitive: (value) => {
      const [, sign, whole, fraction = ''] = pattern.exec(String(value)) ?? [];
      assert(whole !== undefined, `${String(value)} is no decimal(${precision},${scale})`);
      return BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`);
    },
  };
}

/** `-5` with scale 2 is `-0.05`. */
function unscaled(units: bigint, scale: number): string {
  if (scale === 0) return String(units);
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
