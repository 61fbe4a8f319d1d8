import type { FieldRule, PlacementRule } from './dataset.ts';
import {
  afterNumber,
  afterSpaces,
  afterWord,
  codes,
  createTimeReader,
  kindOf,
  kinds,
} from './plain-values.ts';
import { parseInstant } from './time.ts';

/*
 * The fast path of ingest copies the bytes of a record's values into columns. That is right only for
 * records which every JSON reader must understand alike, and this file recognises those, in one pass
 * over the bytes. It never decides what is wrong with a record: whatever it does not recognise goes
 * through placeRecord. What it recognises, placeRecord places with the same values
 * (test/engine/paths.test.ts).
 */

export type PlainScan = {
  /**
   * The event time of the record between two places, in ms since the epoch; `NaN` when it is not plain.
   * Plain is UTF-8 on one line, of less than 64 KiB: a JSON object of contract fields, each at most once
   * and null or of its type; strings without escapes; numbers of at most 15 digits without exponent, and
   * no fewer zeros than their type allows; times to the second or millisecond, in UTC; an id and an
   * event time not before the least. A few fields that the contract does not know may be among them,
   * if JSON would write them again as they are.
   */
  readonly scan: (bytes: Uint8Array, start: number, end: number) => number;
  /**
   * Of the record that was scanned last, if it is plain, and of each field: where its value lies from
   * the start of the record, and how long it is, 16 bits each; `absent` for null or nothing. Strings
   * are without their quotation marks.
   */
  readonly places: Uint32Array;
  /** Of the same record: the fields that the contract does not know, as JSON; `null` without any. */
  readonly extra: () => string | null;
};

export const absent = 0xffff_ffff;
const recordBytesMax = 0xffff;

/** `isUtf8` is asked only about records with bytes above 127. */
export function createPlainScan(
  fields: readonly FieldRule[],
  rule: PlacementRule,
  isUtf8: (bytes: Uint8Array) => boolean,
): PlainScan {
  const scanner = new Scanner(fields, rule);
  const { places, extras } = scanner;
  return {
    scan: (bytes, start, end) => {
      const eventTimeMs = scanner.read(bytes, start, end);
      if (eventTimeMs !== eventTimeMs || scanner.strings.bits < 128) return eventTimeMs;
      return isUtf8(bytes.subarray(start, end)) ? eventTimeMs : NaN;
    },
    places,
    extra: extras.text,
  };
}

class Scanner {
  readonly places: Uint32Array;
  readonly strings = createStrings();
  readonly extras = createExtras(this.strings);
  private readonly names: Names;
  private readonly kinds: readonly number[];
  private readonly idField: number;
  private readonly timeField: number;
  private readonly timeMin: number;
  private readonly readTime = createTimeReader();
  /** In which record a field was seen last: a second time in one record is one time too many. */
  private readonly seenIn: Float64Array;
  private record = 0;
  private hasId = false;
  private eventTimeMs = NaN;

  constructor(fields: readonly FieldRule[], rule: PlacementRule) {
    this.names = createNames(fields);
    this.kinds = fields.map(({ type }) => kindOf[type]);
    this.idField = fields.findIndex(({ wireName }) => wireName === rule.idField);
    this.timeField = fields.findIndex(({ wireName }) => wireName === rule.timeField);
    this.timeMin = parseInstant(rule.eventTimeMin) ?? 0;
    this.places = new Uint32Array(fields.length);
    this.seenIn = new Float64Array(fields.length);
  }

  read(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > recordBytesMax) return NaN;
    this.begin();
    let at = afterSpaces(bytes, start);
    if (bytes[at] !== codes.openBrace) return NaN;
    at = afterSpaces(bytes, at + 1);
    for (let previous = -1; ;) {
      if (bytes[at] !== codes.quote) return NaN;
      const field = this.names.find(bytes, at + 1, previous);
      if (field < 0) at = this.extras.read(bytes, at);
      else {
        if (this.seenIn[field] === this.record) return NaN;
        this.seenIn[field] = this.record;
        previous = field;
        at = afterColon(bytes, at + 2 + this.names.length(field));
        if (at >= 0) at = this.value(bytes, at, start, field);
      }
      if (at < 0) return NaN;
      at = afterSpaces(bytes, at);
      if (bytes[at] === codes.closeBrace) break;
      if (bytes[at] !== codes.comma) return NaN;
      at = afterSpaces(bytes, at + 1);
    }
    for (at += 1; at < end && bytes[at] === codes.space;) at += 1;
    if (at !== end || !this.hasId) return NaN;
    return this.eventTimeMs >= this.timeMin ? this.eventTimeMs : NaN;
  }

  private begin(): void {
    this.record += 1;
    this.hasId = false;
    this.eventTimeMs = NaN;
    this.places.fill(absent);
    this.strings.bits = 0;
    this.extras.clear();
  }

  /** Where the value of a field ends; -1 when it is not plain. */
  private value(bytes: Uint8Array, start: number, recordStart: number, field: number): number {
    const kind = this.kinds[field]!;
    const first = bytes[start]!;
    if (first === codes.quote) {
      const end = this.strings.after(bytes, start + 1);
      if (end < 0) return -1;
      if (kind === kinds.timestamp) {
        const ms = this.readTime(bytes, start + 1, end);
        if (!(ms === ms)) return -1;
        if (field === this.timeField) this.eventTimeMs = ms;
      } else if (kind !== kinds.string) return -1;
      else if (field === this.idField) this.hasId = end > start + 1;
      this.places[field] = placeOf(start + 1 - recordStart, end - start - 1);
      return end + 1;
    }
    const isWord = first > codes.nine;
    const end = isWord ? afterWord(bytes, start, kind) : afterNumber(bytes, start, kind);
    if (end >= 0 && first !== codes.letterN) {
      this.places[field] = placeOf(start - recordStart, end - start);
    }
    return end;
  }
}

/** Both are less than 2^16, because a record is; in one that only seems to go on they do not matter. */
function placeOf(start: number, length: number): number {
  return ((start << 16) | (length & 0xffff)) >>> 0;
}

/** Where the value begins behind a name; -1 without a colon. */
function afterColon(bytes: Uint8Array, start: number): number {
  const at = afterSpaces(bytes, start);
  return bytes[at] === codes.colon ? afterSpaces(bytes, at + 1) : -1;
}

type Strings = {
  /** All bits of all bytes since it was set to 0. */
  bits: number;
  /** Where the quotation mark is that ends a string without escapes; -1 when there is none. */
  readonly after: (bytes: Uint8Array, start: number) => number;
};

function createStrings(): Strings {
  const strings: Strings = {
    bits: 0,
    after: (bytes, start) => {
      let at = start;
      let bits = 0;
      for (let byte = bytes[at]!; byte !== codes.quote; byte = bytes[++at]!) {
        // Past the end there is undefined, which is no number above 31.
        if (!(byte >= 32) || byte === codes.backslash) return -1;
        bits |= byte;
      }
      strings.bits |= bits;
      return at;
    },
  };
  return strings;
}

type Extras = {
  readonly clear: () => void;
  /** Reads a field whose name begins at a quotation mark; answers where its value ends, or -1. */
  readonly read: (bytes: Uint8Array, start: number) => number;
  readonly text: () => string | null;
};

/** More are left to the checked path. */
const extrasMax = 16;

/**
 * Fields that the contract does not know, of the kind that JSON.parse and JSON.stringify give back as
 * they are: simple names, strings without escapes, whole numbers, and words.
 */
function createExtras(strings: Strings): Extras {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const names: string[] = [];
  const members: string[] = [];
  const afterValue = (bytes: Uint8Array, start: number): number => {
    const first = bytes[start]!;
    if (first > codes.nine) return afterWord(bytes, start, kinds.boolean);
    if (first !== codes.quote) return afterNumber(bytes, start, kinds.bigint);
    const end = strings.after(bytes, start + 1);
    return end < 0 ? -1 : end + 1;
  };
  return {
    clear: () => {
      if (names.length === 0) return;
      names.length = 0;
      members.length = 0;
    },
    read: (bytes, start) => {
      let at = start + 1;
      // JSON.parse puts names that are numbers before all others.
      if (isDigit(bytes[at]!)) return -1;
      while (isSimpleInName(bytes[at]!)) at += 1;
      if (bytes[at] !== codes.quote) return -1;
      const name = decoder.decode(bytes.subarray(start, at + 1));
      if (names.includes(name) || names.length === extrasMax) return -1;
      const valueAt = afterColon(bytes, at + 1);
      at = valueAt < 0 ? -1 : afterValue(bytes, valueAt);
      if (at < 0) return -1;
      names.push(name);
      members.push(`${name}:${decoder.decode(bytes.subarray(valueAt, at))}`);
      return at;
    },
    text: () => (members.length === 0 ? null : `{${members.join(',')}}`),
  };
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** As in the names of `createNames`. */
function isSimpleInName(byte: number): boolean {
  return byte >= 32 && byte <= 126 && byte !== codes.quote && byte !== codes.backslash;
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
    if (name === undefined || bytes[start + name.length] !== codes.quote) return false;
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
