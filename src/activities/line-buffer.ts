import type { PlainScan } from '../lake/plain-record.ts';
import type { RecordPlace, SourceRecord } from '../ports.ts';
import { writeAscii, writeWhole } from './ascii.ts';
import type { ChunkPool } from './chunk-pool.ts';
import { isSimpleKey, linePartsOf } from './record-lines.ts';
import { PlacesBuilder, type RecordPlaces, noKey, odd, offsetsOf, word } from './record-places.ts';

/*
 * Records on their way to a batch, kept as lines of JSON: bytes are copied once, out of the fetch
 * that brought them, and what a record holds in memory is what it will hold on disk.
 */

/** A line whose record is not plain. */
export type OddLine = {
  /** Of the record in the batch. */
  readonly index: number;
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
};

/** The lines of one batch. Immutable. */
export type Lines = {
  readonly chunks: readonly Buffer[];
  /** Offsets of all records, ascending. */
  readonly offsets: BigInt64Array;
  /** In order. */
  readonly odd: readonly OddLine[];
  /** Of all records, and of the values of those that are plain. */
  readonly places: RecordPlaces;
  /** Fields that the contract does not know, as JSON, of the records that have some. */
  readonly extras: readonly string[];
  /** The latest event time of the plain records, ms. */
  readonly eventTimeMaxMs: number;
  readonly last: SourceRecord | null;
};

export type LineBuffer = {
  /** Holds on to the record, and what it lies in, until the next one or `take`. */
  add(record: SourceRecord, nowMs: number): void;
  /** The same for each, but everything is copied: of what they lie in nothing stays in memory. */
  addAll(records: readonly SourceRecord[], nowMs: number): void;
  rows(): number;
  /** Of the lines. */
  bytes(): number;
  /** All that it holds in memory, whether used yet or not. */
  held(): number;
  /** What was added since; the buffer is empty afterwards. */
  take(): Lines;
};

export type LineBufferOptions = {
  readonly scan: PlainScan;
  /** An event time further ahead of the clock is left to the plan of the batch. */
  readonly eventTimeAheadMsMax: number;
  readonly recordBytesMax: number;
  /** Where the memory for lines comes from; whoever takes them gives it back. */
  readonly chunks: ChunkPool;
};

/** What stands before a value in a plain line, without the key: names, and two numbers of 20 digits. */
const plainStartBytesMax = 96;

export function createLineBuffer(options: LineBufferOptions): LineBuffer {
  let state = emptyState(options);
  return {
    add: (record, nowMs) => addLine(options, state, record, nowMs),
    addAll: (records, nowMs) => {
      for (const record of records) addLine(options, state, record, nowMs);
      if (records.length > 0) state.last = copied(records.at(-1)!);
    },
    rows: () => state.places.rows,
    bytes: () => state.bytes,
    held: () => state.chunkBytes + state.extraBytes + state.places.bytes(),
    take: () => {
      const { chunks, odd: oddLines, extras, eventTimeMaxMs, last } = state;
      const places = state.places.take();
      state = emptyState(options);
      return {
        chunks: chunks.map(({ buffer, length }) => buffer.subarray(0, length)),
        offsets: offsetsOf(places),
        odd: oddLines,
        places,
        extras,
        eventTimeMaxMs,
        last: last === null ? null : copied(last),
      };
    },
  };
}

type Chunk = { readonly buffer: Buffer; length: number };

type State = {
  readonly chunks: Chunk[];
  readonly places: PlacesBuilder;
  readonly extras: string[];
  readonly odd: OddLine[];
  bytes: number;
  chunkBytes: number;
  /** Of the extra texts, which take up to two for each character. */
  extraBytes: number;
  eventTimeMaxMs: number;
  last: SourceRecord | null;
};

function emptyState({ chunks, scan }: LineBufferOptions): State {
  return {
    chunks: [],
    places: new PlacesBuilder(chunks, scan.places.length),
    extras: [],
    odd: [],
    bytes: 0,
    chunkBytes: 0,
    extraBytes: 0,
    eventTimeMaxMs: -Infinity,
    last: null,
  };
}

function addLine(
  options: LineBufferOptions,
  state: State,
  record: SourceRecord,
  nowMs: number,
): void {
  const { headers, timestampMs } = record;
  const place = record.place ?? joined(record);
  const { bytes, keyAt, keyBytes, valueAt, valueBytes } = place;
  const isCandidate =
    valueBytes >= 0 &&
    headers === null &&
    valueBytes <= options.recordBytesMax &&
    (keyBytes < 0 || isSimpleKey(bytes, keyAt, keyAt + keyBytes));
  const eventTimeMs = isCandidate ? options.scan.scan(bytes, valueAt, valueAt + valueBytes) : NaN;
  noteNumbers(state.places, place.offsetNumber ?? BigInt(record.offset), timestampMs);
  if (eventTimeMs <= nowMs + options.eventTimeAheadMsMax) {
    if (eventTimeMs > state.eventTimeMaxMs) state.eventTimeMaxMs = eventTimeMs;
    writePlain(options, state, record, place);
  } else {
    writeOdd(options, state, record);
  }
  state.last = record;
}

/** Key and value of a record that lie apart, one behind the other. */
function joined({ offset, key, value }: SourceRecord): RecordPlace {
  const number = Number(offset);
  const keyBytes = key?.byteLength ?? 0;
  const bytes =
    key === null
      ? (value ?? new Uint8Array())
      : Buffer.concat(value === null ? [key] : [key, value]);
  return {
    bytes,
    offsetNumber: Number.isSafeInteger(number) ? number : null,
    keyAt: 0,
    keyBytes: key === null ? -1 : keyBytes,
    valueAt: keyBytes,
    valueBytes: value?.byteLength ?? -1,
  };
}

function noteNumbers(places: PlacesBuilder, offset: number | bigint, timestampMs: number): void {
  places.begin();
  const { words, at } = places;
  if (typeof offset === 'number') {
    words[at + word.offsetLow] = offset;
    words[at + word.offsetHigh] = offset / 4_294_967_296;
  } else {
    words[at + word.offsetLow] = Number(offset & 0xffff_ffffn);
    words[at + word.offsetHigh] = Number(offset >> 32n);
  }
  places.doubles[(at + word.timestamp) / 2] = timestampMs;
}

/** The line of linePartsOf, written byte by byte: a plain line has no character above 127 before it. */
function writePlain(
  { chunks, scan }: LineBufferOptions,
  state: State,
  record: SourceRecord,
  { bytes, offsetNumber, keyAt, keyBytes, valueAt, valueBytes }: RecordPlace,
): void {
  const chunk = chunkWith(chunks, state, plainStartBytesMax + Math.max(0, keyBytes) + valueBytes);
  const { buffer, length: start } = chunk;
  let at = writeAscii(buffer, start, '{"offset":');
  at =
    offsetNumber === null
      ? writeAscii(buffer, at, record.offset)
      : writeWhole(buffer, at, offsetNumber);
  at = writeAscii(buffer, at, ',"timestamp":');
  at = writeWhole(buffer, at, record.timestampMs);
  if (keyBytes >= 0) {
    at = writeAscii(buffer, at, ',"key":"');
    for (let index = 0; index < keyBytes; index += 1) buffer[at++] = bytes[keyAt + index]!;
    buffer[at++] = 0x22;
  }
  at = writeAscii(buffer, at, valueMark);
  notePlaces(state, scan, { valueAt: at, keyBytes: keyBytes < 0 ? noKey : keyBytes });
  // Not by subarray, which makes a larger kind of view of a Buffer.
  buffer.set(new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, valueBytes), at);
  endLine(state, chunk, at + valueBytes);
}

function notePlaces(
  state: State,
  scan: PlainScan,
  line: { readonly valueAt: number; readonly keyBytes: number },
): void {
  const { places, chunks, extras } = state;
  const { words, at } = places;
  words[at + word.chunk] = chunks.length - 1;
  words[at + word.value] = line.valueAt;
  words[at + word.keyBytes] = line.keyBytes;
  const extra = scan.extra();
  words[at + word.extra] = extra === null ? 0 : extras.push(extra);
  if (extra !== null) state.extraBytes += 2 * extra.length;
  const fields = scan.places;
  for (let field = 0; field < fields.length; field += 1) {
    words[at + word.fields + field] = fields[field]!;
  }
}

/** What stands between the key and the value of a line, behind the quotation mark of the key. */
export const valueMark = ',"value":';

function writeOdd({ chunks }: LineBufferOptions, state: State, record: SourceRecord): void {
  const { start, verbatim } = linePartsOf(record);
  const chunk = chunkWith(
    chunks,
    state,
    Buffer.byteLength(start) + (verbatim?.byteLength ?? 0) + 2,
  );
  const { buffer, length } = chunk;
  let at = length + buffer.write(start, length);
  if (verbatim !== null) {
    buffer.set(verbatim, at);
    at += verbatim.byteLength;
  }
  endLine(state, chunk, at);
  const place = { chunk: state.chunks.length - 1, start: length, end: chunk.length };
  state.odd.push({ index: state.places.rows - 1, ...place });
  state.places.words[state.places.at + word.value] = odd;
}

/** A line is never parted by the end of a chunk. */
function chunkWith(chunks: ChunkPool, state: State, bytesMax: number): Chunk {
  const last = state.chunks.at(-1);
  if (last !== undefined && last.buffer.length - last.length >= bytesMax) return last;
  const chunk = { buffer: chunks.take(bytesMax, state.chunkBytes), length: 0 };
  state.chunks.push(chunk);
  state.chunkBytes += chunk.buffer.byteLength;
  return chunk;
}

function endLine(state: State, chunk: Chunk, at: number): void {
  const { buffer, length } = chunk;
  buffer[at] = 0x7d;
  buffer[at + 1] = 0x0a;
  chunk.length = at + 2;
  state.bytes += chunk.length - length;
}

/** The record apart from the bytes of its fetch, which may be thousands of others. */
function copied({ offset, timestampMs, key, value, headers }: SourceRecord): SourceRecord {
  const copy = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
  const entries = Object.entries(headers ?? {}).map(
    ([name, values]): [string, readonly Uint8Array[]] => [name, values.map(copy)],
  );
  return {
    offset,
    timestampMs,
    key: key === null ? null : copy(key),
    value: value === null ? null : copy(value),
    headers: headers === null ? null : Object.fromEntries(entries),
  };
}
