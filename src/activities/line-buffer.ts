import type { PlainScan } from '../lake/plain-record.ts';
import type { SourceRecord } from '../ports.ts';
import type { ChunkPool } from './chunk-pool.ts';
import { isSimpleKey, linePartsOf } from './record-lines.ts';

/*
 * Records on their way to a batch, kept as lines of JSON: bytes are copied once, out of the fetch
 * that brought them, and what a record holds in memory is what it will hold on disk.
 */

/** A line that the engine must not read as it is. */
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
  /** The latest event time of the plain records, ms. */
  readonly eventTimeMaxMs: number;
  readonly lineBytesMax: number;
  readonly last: SourceRecord | null;
};

export type LineBuffer = {
  add(record: SourceRecord, nowMs: number): void;
  rows(): number;
  bytes(): number;
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
  let state = emptyState();
  return {
    add: (record, nowMs) => addLine(options, state, record, nowMs),
    rows: () => state.offsets.length,
    bytes: () => state.bytes,
    take: () => {
      const { chunks, offsets, odd, eventTimeMaxMs, lineBytesMax, last } = state;
      state = emptyState();
      return {
        chunks: chunks.map(({ buffer, length }) => buffer.subarray(0, length)),
        offsets: toBigInts(offsets),
        odd,
        eventTimeMaxMs,
        lineBytesMax,
        last: last === null ? null : copied(last),
      };
    },
  };
}

type Chunk = { readonly buffer: Buffer; length: number };

type State = {
  readonly chunks: Chunk[];
  /** As numbers up to 2^53, which are quicker to make. */
  readonly offsets: (number | bigint)[];
  readonly odd: OddLine[];
  bytes: number;
  eventTimeMaxMs: number;
  lineBytesMax: number;
  last: SourceRecord | null;
};

function emptyState(): State {
  return {
    chunks: [],
    offsets: [],
    odd: [],
    bytes: 0,
    eventTimeMaxMs: -Infinity,
    lineBytesMax: 0,
    last: null,
  };
}

function addLine(
  options: LineBufferOptions,
  state: State,
  record: SourceRecord,
  nowMs: number,
): void {
  const { value, key } = record;
  const isCandidate =
    value !== null &&
    record.headers === null &&
    value.byteLength <= options.recordBytesMax &&
    (key === null || isSimpleKey(key));
  const eventTimeMs = isCandidate ? options.scan(value) : NaN;
  const { offset } = record;
  if (eventTimeMs <= nowMs + options.eventTimeAheadMsMax) {
    if (eventTimeMs > state.eventTimeMaxMs) state.eventTimeMaxMs = eventTimeMs;
    writePlain(options, state, { offset, timestampMs: record.timestampMs, key, value: value! });
  } else {
    writeOdd(options, state, record);
  }
  state.offsets.push(wholeNumber(offset));
  state.last = record;
}

type PlainRecord = SourceRecord & { readonly value: Uint8Array };

/** The line of linePartsOf, written byte by byte: a plain line has no character above 127 before it. */
function writePlain(
  { chunks }: LineBufferOptions,
  state: State,
  { offset, timestampMs, key, value }: Omit<PlainRecord, 'headers'>,
): void {
  const chunk = chunkWith(
    chunks,
    state,
    plainStartBytesMax + (key?.byteLength ?? 0) + value.byteLength,
  );
  const { buffer, length: start } = chunk;
  let at = writeAscii(buffer, start, '{"offset":');
  at = writeAscii(buffer, at, offset);
  at = writeAscii(buffer, at, ',"timestamp":');
  at = writeAscii(buffer, at, String(timestampMs));
  if (key !== null) {
    at = writeAscii(buffer, at, ',"key":"');
    for (let index = 0; index < key.length; index += 1) buffer[at++] = key[index]!;
    buffer[at++] = 0x22;
  }
  at = writeAscii(buffer, at, ',"value":');
  buffer.set(value, at);
  endLine(state, chunk, at + value.byteLength);
}

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
  state.odd.push({ index: state.offsets.length, ...place });
}

/** A line is never parted by the end of a chunk. */
function chunkWith(chunks: ChunkPool, state: State, bytesMax: number): Chunk {
  const last = state.chunks.at(-1);
  if (last !== undefined && last.buffer.length - last.length >= bytesMax) return last;
  const chunk = { buffer: chunks.take(bytesMax), length: 0 };
  state.chunks.push(chunk);
  return chunk;
}

function endLine(state: State, chunk: Chunk, at: number): void {
  const { buffer, length } = chunk;
  buffer[at] = 0x7d;
  buffer[at + 1] = 0x0a;
  chunk.length = at + 2;
  const bytes = chunk.length - length;
  state.bytes += bytes;
  if (bytes > state.lineBytesMax) state.lineBytesMax = bytes;
}

function writeAscii(buffer: Buffer, start: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    buffer[start + index] = text.charCodeAt(index);
  }
  return start + text.length;
}

/** By halves, because a BigInt for each number would be as much work as its line. */
function toBigInts(numbers: readonly (number | bigint)[]): BigInt64Array {
  const list = new BigInt64Array(numbers.length);
  const halves = new Uint32Array(list.buffer);
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index]!;
    if (typeof number === 'bigint' || !isLittleEndian) {
      list[index] = BigInt(number);
      continue;
    }
    halves[2 * index] = number % 4_294_967_296;
    halves[2 * index + 1] = number / 4_294_967_296;
  }
  return list;
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** The record apart from the bytes of its fetch. */
function copied({ offset, timestampMs, key, value, headers }: SourceRecord): SourceRecord {
  const copy = (bytes: Uint8Array | null) => (bytes === null ? null : Uint8Array.from(bytes));
  return { offset, timestampMs, key: copy(key), value: copy(value), headers };
}
