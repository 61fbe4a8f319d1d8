import type { FieldRule, PlacementRule } from './dataset.ts';
import { type CsvHeader, csvRecordJson, parseCsvHeader, parseCsvRecord } from './csv-record.ts';
import type { DroppedFault, DroppedLine, LineReader } from './dropped-object.ts';
import { isBlank, joined, tooLarge } from './json-lines.ts';

/*
 * CSV as bytes, by RFC 4180: commas, CRLF or LF, quotes around fields that hold either. A record that
 * breaks these rules costs one line: reading goes on at the next, so that a stray quote does not
 * swallow the file.
 */

export type CsvLinesOptions = {
  readonly fields: readonly FieldRule[];
  readonly rule: PlacementRule;
  /** Of one record, with all its lines. */
  readonly lineBytesMax: number;
};

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

type State = {
  /** From the beginning of a record on. */
  rest: Uint8Array;
  line: number;
  header: CsvHeader | null;
  over: boolean;
  /** Bytes of a line that is too large and goes on: they are left out up to its end. */
  skipping: boolean;
};

export function createCsvLines(options: CsvLinesOptions): LineReader {
  const state: State = {
    rest: new Uint8Array(),
    line: 0,
    header: null,
    over: false,
    skipping: false,
  };
  return {
    push: (bytes) => {
      state.rest = joined([state.rest, bytes], state.rest.byteLength + bytes.byteLength);
      return readRecords(options, state, false);
    },
    end: (broken) => {
      const found = broken === null ? readRecords(options, state, true) : [];
      if (broken !== null && !state.over) {
        if (state.skipping) endSkip(state);
        const value = state.rest.byteLength === 0 ? null : state.rest;
        const detail = broken;
        found.push({ kind: 'fault', line: state.line, reason: 'OBJECT_TRUNCATED', detail, value });
        state.line += 1 + countLines(state.rest);
      }
      return found;
    },
    lines: () => state.line,
    isOver: () => state.over,
  };
}

function readRecords(options: CsvLinesOptions, state: State, isEnd: boolean): DroppedLine[] {
  const found: DroppedLine[] = [];
  let at = 0;
  const { rest } = state;
  while (at < rest.byteLength && !state.over) {
    if (state.skipping) {
      const end = rest.indexOf(lineFeed, at);
      at = end < 0 ? rest.byteLength : end + 1;
      if (end >= 0 || isEnd) endSkip(state);
      continue;
    }
    const end = endOfRecord(rest, at, isEnd);
    const length = (end ?? rest.byteLength) - at;
    if (length > options.lineBytesMax) {
      // Its first line alone is given up; what comes behind may be records again.
      found.push(giveUpLine(options, state, rest, at));
      at = Math.min(rest.byteLength, afterLine(rest, at));
      continue;
    }
    if (end === null && !isEnd) break;
    const { next, read } = readRecord(options, state, { bytes: rest, start: at, end });
    if (read !== null) found.push(read);
    at = next;
  }
  state.rest = rest.slice(at);
  if (isEnd && state.skipping) endSkip(state);
  return found;
}

function endSkip(state: State): void {
  state.skipping = false;
  state.line += 1;
}

/** The line is too large, or its quote is not closed within what a record may have. */
function giveUpLine(
  { lineBytesMax }: CsvLinesOptions,
  state: State,
  bytes: Uint8Array,
  start: number,
): DroppedLine {
  const { line } = state;
  const end = bytes.indexOf(lineFeed, start);
  if (end >= 0 && end - start <= lineBytesMax) {
    state.line += 1;
    const value = bytes.slice(start, end);
    const detail = `a record of more than ${lineBytesMax} bytes begins here: is a quote not closed?`;
    return fault(line, 'CSV_BROKEN', detail, value);
  }
  if (end < 0) state.skipping = true;
  else state.line += 1;
  return tooLarge(
    line,
    bytes.slice(start, start + lineBytesMax),
    (end < 0 ? bytes.length : end) - start,
  );
}

/** One record, or one line of what should be one. Answers where to go on. */
function readRecord(
  options: CsvLinesOptions,
  state: State,
  { bytes, start, end }: { bytes: Uint8Array; start: number; end: number | null },
): { readonly next: number; readonly read: DroppedLine | null } {
  const { line } = state;
  const brokenLine = (detail: string, reason: DroppedFault = 'CSV_BROKEN') => {
    state.line += 1;
    const lineEnd = Math.min(bytes.byteLength, afterLine(bytes, start));
    return { next: lineEnd, read: fault(line, reason, detail, withoutEnd(bytes, start, lineEnd)) };
  };
  if (end === null) return brokenLine('a quote is opened and never closed');
  const record = withoutEnd(bytes, start, end);
  const text = decode(record);
  if (text === null) return brokenLine('invalid UTF-8', 'NOT_UTF8');
  if (isBlank(record)) {
    state.line += 1;
    return { next: end, read: null };
  }
  const parsed = parseCsvRecord(text);
  if (parsed.kind === 'broken') return brokenLine(parsed.detail);
  if (state.header === null)
    return readHeader(options, state, { fields: parsed.fields, record, end });
  const wanted = state.header.names.length;
  if (parsed.fields.length !== wanted) {
    return brokenLine(`${parsed.fields.length} fields, the header has ${wanted}`);
  }
  state.line += Math.max(1, countLines(bytes.subarray(start, end)));
  const value = encoder.encode(csvRecordJson(state.header, parsed.fields));
  return { next: end, read: { kind: 'record', line, value } };
}

function readHeader(
  { fields: rules, rule }: CsvLinesOptions,
  state: State,
  { fields, record, end }: { fields: readonly string[]; record: Uint8Array; end: number },
): { readonly next: number; readonly read: DroppedLine | null } {
  const { line } = state;
  const parsed = parseCsvHeader(fields, rules, rule);
  state.line += 1 + countLines(record);
  if (parsed.kind === 'header') {
    state.header = parsed.header;
    return { next: end, read: null };
  }
  state.over = true;
  return { next: end, read: fault(line, 'OBJECT_UNREADABLE', parsed.detail, record) };
}

/** Behind the line end of the record that begins at `start`; `null` when it is not all there. */
function endOfRecord(bytes: Uint8Array, start: number, isEnd: boolean): number | null {
  let inQuotes = false;
  let atFieldStart = true;
  for (let at = start; at < bytes.byteLength; at += 1) {
    const byte = bytes[at];
    if (byte === quote && (inQuotes || atFieldStart)) inQuotes = !inQuotes;
    else if (byte === lineFeed && !inQuotes) return at + 1;
    // A quote right behind a closing one opens again: two of them are one in the text.
    atFieldStart = byte === comma || (byte === quote && !inQuotes);
  }
  return isEnd && !inQuotes ? bytes.byteLength : null;
}

function afterLine(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(lineFeed, start);
  return end < 0 ? Infinity : end + 1;
}

function withoutEnd(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let to = end;
  if (to > start && bytes[to - 1] === lineFeed) to -= 1;
  if (to > start && bytes[to - 1] === carriageReturn) to -= 1;
  return bytes.slice(start, to);
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === lineFeed) lines += 1;
  return lines;
}

function fault(line: number, reason: DroppedFault, detail: string, value: Uint8Array): DroppedLine {
  return { kind: 'fault', line, reason, detail, value };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder has one way to say "not UTF-8": it throws.
    return null;
  }
}
