import { codes, createTimeReader, kindOf, kinds } from './plain-values.ts';
import type { ColumnType } from './table.ts';
import { formatInstant, parseInstant } from './time.ts';

/*
 * Rows as columns of bytes, in the layout that engines read without parsing: what is null takes no
 * place, numbers lie at a fixed width, little endian, and a text stands behind its length. Built
 * straight from the bytes of plain records.
 */

/** The values of one column in some rows. */
export type ColumnVector = {
  readonly type: ColumnType;
  /** For each row 1, or 0 for null. */
  readonly present: Uint8Array;
  /** How many are not null. */
  readonly count: number;
  /**
   * `string` and `date`: 32 bits of length, then UTF-8. `int`: 32 bits. `bigint`: 64 bits. `timestamp`:
   * ms since the epoch, 64 bits. Decimals: hundredths, 64 bits. `double`: 64 bits. `boolean`: one byte.
   */
  readonly values: Uint8Array;
};

export type CellValue = string | number | boolean | null;

/** A spelling, and what it means, as bytes. */
type Alias = { readonly from: Uint8Array; readonly to: Uint8Array };

const bytesAtFirst = 4_096;
/** A builder that has held more than this begins anew. */
const bytesKeptMax = 1_048_576;
/** Shorter texts are copied byte by byte: a view of them would be more work. */
const viewBytesMin = 48;
const twoTo32 = 4_294_967_296;
const powersOfTen = Array.from({ length: 16 }, (_, power) => Number(`1e${power}`));
const encoder = new TextEncoder();

/** Collects the values of one column, and begins anew with the same memory after `clear`. */
export class ColumnBuilder {
  rows = 0;
  used = 0;
  private readonly type: ColumnType;
  private readonly kind: number;
  private readonly aliases: readonly Alias[];
  private readonly readTime = createTimeReader();
  private present: Uint8Array;
  private count = 0;
  private bytes = new Uint8Array(bytesAtFirst);
  private view = new DataView(this.bytes.buffer);

  /** Never more than so many rows. A value that is a key of `aliases` becomes what stands there. */
  constructor(
    type: ColumnType,
    options: { readonly rowsMax: number; readonly aliases?: Readonly<Record<string, string>> },
  ) {
    this.type = type;
    this.kind = type === 'date' ? kinds.string : kindOf[type];
    this.present = new Uint8Array(options.rowsMax);
    this.aliases = Object.entries(options.aliases ?? {}).map(([from, to]) => ({
      from: encoder.encode(from),
      to: encoder.encode(to),
    }));
  }

  clear(): void {
    this.rows = 0;
    this.used = 0;
    this.count = 0;
    if (this.bytes.byteLength > bytesKeptMax) this.allocate(bytesAtFirst);
  }

  /** A view; it changes with the builder. */
  vector(): ColumnVector {
    const { type, count, used, rows } = this;
    return {
      type,
      count,
      present: this.present.subarray(0, rows),
      values: this.bytes.subarray(0, used),
    };
  }

  addNull(): void {
    this.present[this.rows++] = 0;
  }

  /** The value of a plain record, which lies between two places of its bytes. */
  addPlain(source: Uint8Array, start: number, length: number): void {
    switch (this.kind) {
      case kinds.string:
        return this.addText(source, start, length);
      case kinds.timestamp:
        return this.addWhole(this.readTime(source, start, start + length));
      case kinds.boolean:
        return this.addByte(source[start] === codes.letterT ? 1 : 0);
      default:
        return this.addNumber(source, start, length);
    }
  }

  /** Bytes of UTF-8. */
  addText(source: Uint8Array, start: number, length: number): void {
    for (let index = 0; index < this.aliases.length; index += 1) {
      const { from, to } = this.aliases[index]!;
      if (from.length === length && isAt(source, start, from)) {
        return this.putText(to, 0, to.length);
      }
    }
    this.putText(source, start, length);
  }

  /** A number of 64 bits, in halves. */
  addHalves(low: number, high: number): void {
    this.room(8);
    this.view.setUint32(this.used, low, true);
    this.view.setUint32(this.used + 4, high, true);
    this.added(8);
  }

  /** A whole number, which may be beyond 32 bits. */
  addWhole(value: number): void {
    this.addHalves(value, Math.floor(value / twoTo32));
  }

  /** A value as placeRecord gives it: aliases are resolved, decimals and times are texts. */
  addValue(value: CellValue): void {
    if (value === null) return this.addNull();
    switch (this.kind) {
      case kinds.string: {
        const bytes = encoder.encode(String(value));
        return this.putText(bytes, 0, bytes.length);
      }
      case kinds.timestamp:
        return this.addWhole(instantOf(String(value)));
      case kinds.boolean:
        return this.addByte(value === true ? 1 : 0);
      case kinds.int:
        return this.addInt32(Number(value));
      case kinds.double:
        return this.addDouble(Number(value));
      case kinds.decimal:
        return this.addWhole(hundredthsOf(String(value)));
      default: {
        const whole = BigInt.asUintN(64, BigInt(value));
        return this.addHalves(Number(whole & 0xffff_ffffn), Number(whole >> 32n));
      }
    }
  }

  /** Digits, perhaps with a sign and decimals: 15 digits at most, so that all of this is exact. */
  private addNumber(source: Uint8Array, start: number, length: number): void {
    const end = start + length;
    let mantissa = 0;
    let decimals = 0;
    let pointAt = end;
    for (let at = source[start] === codes.minus ? start + 1 : start; at < end; at += 1) {
      const byte = source[at]!;
      if (byte === codes.point) pointAt = at;
      else mantissa = mantissa * 10 + byte - 48;
    }
    if (pointAt < end) decimals = end - pointAt - 1;
    if (source[start] === codes.minus) mantissa = -mantissa;
    if (this.kind === kinds.int) this.addInt32(mantissa);
    else if (this.kind === kinds.bigint) this.addWhole(mantissa);
    else if (this.kind === kinds.double) this.addDouble(mantissa / powersOfTen[decimals]!);
    else this.addWhole(mantissa * powersOfTen[2 - decimals]!);
  }

  private addInt32(value: number): void {
    this.room(4);
    this.view.setInt32(this.used, value, true);
    this.added(4);
  }

  private addDouble(value: number): void {
    this.room(8);
    this.view.setFloat64(this.used, value, true);
    this.added(8);
  }

  private addByte(value: number): void {
    this.room(1);
    this.bytes[this.used] = value;
    this.added(1);
  }

  private putText(source: Uint8Array, start: number, length: number): void {
    this.room(4 + length);
    const { bytes } = this;
    const at = this.used + 4;
    this.view.setUint32(at - 4, length, true);
    if (length < viewBytesMin) {
      for (let index = 0; index < length; index += 1) bytes[at + index] = source[start + index]!;
    } else bytes.set(source.subarray(start, start + length), at);
    this.added(4 + length);
  }

  private added(length: number): void {
    this.used += length;
    this.present[this.rows++] = 1;
    this.count += 1;
  }

  private room(length: number): void {
    const needed = this.used + length;
    if (needed <= this.bytes.byteLength) return;
    const before = this.bytes.subarray(0, this.used);
    this.allocate(Math.max(needed, 2 * this.bytes.byteLength));
    this.bytes.set(before);
  }

  private allocate(length: number): void {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

function isAt(source: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index += 1) {
    if (source[start + index] !== wanted[index]) return false;
  }
  return true;
}

function instantOf(text: string): number {
  const ms = parseInstant(text);
  if (ms === null) throw new Error(`${text} is no instant`);
  return ms;
}

/** `-0.05` is -5. Exact, because placeRecord lets through no more digits than a number holds. */
function hundredthsOf(decimal: string): number {
  return Math.round(Number(decimal) * 100);
}

/** The values of a vector as those of rows: times as ISO-8601, decimals as texts, large wholes too. */
export function valuesOf({ type, present, values }: ColumnVector): readonly CellValue[] {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let at = 0;
  const next = (): CellValue => {
    const start = at;
    switch (type) {
      case 'string':
      case 'date':
        at += 4 + view.getUint32(start, true);
        return decoder.decode(values.subarray(start + 4, at));
      case 'int':
        at += 4;
        return view.getInt32(start, true);
      case 'boolean':
        at += 1;
        return values[start] === 1;
      case 'double':
        at += 8;
        return view.getFloat64(start, true);
      case 'bigint':
      case 'timestamp':
      case 'decimal(12,2)':
      case 'decimal(18,2)':
        at += 8;
        return wholeAs(type, view.getBigInt64(start, true));
    }
  };
  return Array.from(present, (isThere) => (isThere === 1 ? next() : null));
}

function wholeAs(type: ColumnType, whole: bigint): CellValue {
  const number = Number(whole);
  if (type === 'timestamp') return formatInstant(number);
  if (type === 'bigint') return Number.isSafeInteger(number) ? number : `${whole}`;
  return (number / 100).toFixed(2);
}
