import type { ColumnVector } from '../lake/column-vectors.ts';
import type { Column, ColumnType } from '../lake/table.ts';
import type { ColumnGroup } from '../ports.ts';

/*
 * The simplest Parquet file there is: every value as it is, nothing compressed, one page for each
 * column of a group. It is not kept: by it a batch gets into the engine without being parsed, and
 * the engine writes the file that stays. The layout is that of column vectors already, so this adds
 * headers alone (parquet.thrift, compact protocol).
 */

export type PlainParquet = {
  /** The bytes of the next rows; views of the vectors among them. */
  group(group: ColumnGroup): readonly Uint8Array[];
  /** The bytes behind the last group. */
  end(): Uint8Array;
};

/** The bytes before the first group. */
export const plainParquetStart = Buffer.from('PAR1');

export function createPlainParquet(columns: readonly Column[]): PlainParquet {
  const groups: WrittenGroup[] = [];
  let at = plainParquetStart.byteLength;
  return {
    group: ({ rows, vectors }) => {
      const pieces: Uint8Array[] = [];
      const chunks = vectors.map((vector) => {
        const levels = levelsOf(vector, rows);
        const values = vector.type === 'boolean' ? bitsOf(vector.values) : vector.values;
        const header = pageHeader(rows, levels.byteLength + values.byteLength);
        const bytes = header.byteLength + levels.byteLength + values.byteLength;
        pieces.push(header, levels, values);
        at += bytes;
        return { at: at - bytes, bytes };
      });
      groups.push({ rows, chunks });
      return pieces;
    },
    end: () => {
      const footer = footerOf(columns, groups);
      const tail = Buffer.alloc(8, 'PAR1\0\0\0\0', 'latin1');
      tail.writeUInt32LE(footer.byteLength);
      tail.write('PAR1', 4, 'latin1');
      return Buffer.concat([footer, tail]);
    },
  };
}

type WrittenGroup = {
  readonly rows: number;
  readonly chunks: readonly { readonly at: number; readonly bytes: number }[];
};

/** Which rows have a value: runs of ones or zeros, or a bit for each, behind their length. */
function levelsOf({ present, count }: ColumnVector, rows: number): Buffer {
  const isAlike = count === rows || count === 0;
  const run = varint(isAlike ? rows * 2 : Math.ceil(rows / 8) * 2 + 1);
  const bits = isAlike ? Uint8Array.of(count === 0 ? 0 : 1) : bitsOf(present);
  const levels = Buffer.allocUnsafe(4 + run.length + bits.length);
  levels.writeUInt32LE(run.length + bits.length);
  levels.set(run, 4);
  levels.set(bits, 4 + run.length);
  return levels;
}

function bitsOf(present: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(present.length / 8));
  for (let row = 0; row < present.length; row += 1) {
    bits[row >> 3]! |= present[row]! << (row & 7);
  }
  return bits;
}

const encodings = { plain: 0, runs: 3 } as const;

function pageHeader(rows: number, bytes: number): Buffer {
  const dataPage = struct([
    [1, i32(rows)],
    [2, i32(encodings.plain)],
    [3, i32(encodings.runs)],
    [4, i32(encodings.runs)],
  ]);
  return Buffer.from(
    struct([
      [1, i32(0)],
      [2, i32(bytes)],
      [3, i32(bytes)],
      [5, dataPage],
    ]).bytes,
  );
}

const types = { boolean: 0, int32: 1, int64: 2, double: 5, bytes: 6 } as const;
const converted = { utf8: 0, decimal: 5, timestampMs: 9 } as const;

type Stored = {
  readonly type: number;
  readonly converted?: number;
  readonly precision?: number;
};

/** What the engine casts to the type of the column is of another type here. */
const stored: Readonly<Record<ColumnType, Stored>> = {
  string: { type: types.bytes, converted: converted.utf8 },
  date: { type: types.bytes, converted: converted.utf8 },
  int: { type: types.int32 },
  bigint: { type: types.int64 },
  double: { type: types.double },
  boolean: { type: types.boolean },
  timestamp: { type: types.int64, converted: converted.timestampMs },
  'decimal(12,2)': { type: types.int64, converted: converted.decimal, precision: 12 },
  'decimal(18,2)': { type: types.int64, converted: converted.decimal, precision: 18 },
};

function footerOf(columns: readonly Column[], groups: readonly WrittenGroup[]): Buffer {
  const root = struct([
    [4, text('rows')],
    [5, i32(columns.length)],
  ]);
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  const file = struct([
    [1, i32(1)],
    [2, list(thrift.struct, [root, ...columns.map(schemaElement)])],
    [3, i64(rows)],
    [4, list(thrift.struct, groups.map((group) => rowGroup(columns, group)))],
  ]); // prettier-ignore
  return Buffer.from(file.bytes);
}

function schemaElement({ name, type }: Column): Value {
  const { type: physical, converted: logical, precision } = stored[type];
  return struct([
    [1, i32(physical)],
    [3, i32(1)],
    [4, text(name)],
    [6, logical === undefined ? null : i32(logical)],
    [7, precision === undefined ? null : i32(2)],
    [8, precision === undefined ? null : i32(precision)],
  ]);
}

function rowGroup(columns: readonly Column[], { rows, chunks }: WrittenGroup): Value {
  const all = columns.map(({ name, type }, index) => {
    const { at, bytes } = chunks[index]!;
    const data = struct([
      [1, i32(stored[type].type)],
      [2, list(thrift.i32, [i32(encodings.plain), i32(encodings.runs)])],
      [3, list(thrift.binary, [text(name)])],
      [4, i32(0)],
      [5, i64(rows)],
      [6, i64(bytes)],
      [7, i64(bytes)],
      [9, i64(at)],
    ]);
    return struct([
      [2, i64(at)],
      [3, data],
    ]);
  });
  const total = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  return struct([
    [1, list(thrift.struct, all)],
    [2, i64(total)],
    [3, i64(rows)],
  ]);
}

const thrift = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

type Value = { readonly type: number; readonly bytes: readonly number[] };

function i32(value: number): Value {
  return { type: thrift.i32, bytes: varint(value * 2) };
}

function i64(value: number): Value {
  return { type: thrift.i64, bytes: varint(value * 2) };
}

function text(value: string): Value {
  const bytes = Buffer.from(value);
  return { type: thrift.binary, bytes: [...varint(bytes.byteLength), ...bytes] };
}

function list(type: number, values: readonly Value[]): Value {
  const { length } = values;
  const head = length < 15 ? [(length << 4) | type] : [0xf0 | type, ...varint(length)];
  return { type: thrift.list, bytes: [...head, ...values.flatMap(({ bytes }) => bytes)] };
}

/** Fields in the order of their numbers, at most 15 apart; `null` is left out. */
function struct(fields: readonly (readonly [number, Value | null])[]): Value {
  let before = 0;
  const bytes = fields.flatMap(([number, value]) => {
    if (value === null) return [];
    const head = ((number - before) << 4) | value.type;
    before = number;
    return [head, ...value.bytes];
  });
  return { type: thrift.struct, bytes: [...bytes, 0] };
}

/** Seven bits a byte; none below zero. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
