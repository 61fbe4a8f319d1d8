import { isUtf8 } from 'node:buffer';
import { lineField, lineStart } from '../lake/bronze-line.ts';
import type { SourceRecord } from '../ports.ts';

/* A record as one line of JSON and back, byte by byte. The shape is told in lake/bronze-line.ts. */

export type LineParts = {
  /** The line up to the bytes of the value, or up to its closing brace where those are not verbatim. */
  readonly start: string;
  readonly verbatim: Uint8Array | null;
};

export function linePartsOf(record: SourceRecord): LineParts {
  const { value, key, headers } = record;
  const headersJson = headers === null ? null : JSON.stringify(headersBase64(headers));
  const fields = { key: keyField(key), headers: lineField('headers', headersJson) };
  const start = lineStart(record.offset, record.timestampMs, fields);
  if (value !== null && isJsonObjectOnOneLine(value)) {
    return { start: `${start}${valueMark}`, verbatim: value };
  }
  const bytes = value === null ? '' : `,"value_base64":"${base64(value)}"`;
  return { start: `${start},"value":null${bytes}`, verbatim: null };
}

/** One whole line, as a LineBuffer would hold it. */
export function lineOf(record: SourceRecord): Uint8Array {
  const { start, verbatim } = linePartsOf(record);
  return Buffer.concat([Buffer.from(start), verbatim ?? Buffer.alloc(0), Buffer.from('}\n')]);
}

function isJsonObjectOnOneLine(value: Uint8Array): boolean {
  if (value[0] !== 0x7b || hasControls(value) || !isUtf8(value)) return false;
  try {
    JSON.parse(asBuffer(value).toString('utf8'));
    return true;
  } catch {
    // Not JSON: placeRecord says so, with the reason.
    return false;
  }
}

function hasControls(value: Uint8Array): boolean {
  for (let index = 0; index < value.length; index += 1) {
    if (value[index]! < 0x20) return true;
  }
  return false;
}

function keyField(key: Uint8Array | null): string {
  if (key === null) return '';
  return isSimpleKey(key, 0, key.byteLength)
    ? lineField('key', `"${asBuffer(key).toString('latin1')}"`)
    : lineField('key_base64', `"${base64(key)}"`);
}

/** ASCII between two places that JSON writes as it is. */
export function isSimpleKey(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

/** Kafka headers, with their values in base64. */
export function headersBase64(
  headers: NonNullable<SourceRecord['headers']>,
): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.map(base64)]),
  );
}

type Envelope = {
  readonly timestamp: number;
  readonly key?: string;
  readonly key_base64?: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly value_base64?: string;
};

/** The records of pieces that hold whole lines. */
export function parseLines(pieces: readonly Uint8Array[]): readonly SourceRecord[] {
  return pieces.flatMap((piece) =>
    strict
      .decode(piece)
      .split('\n')
      .filter((line) => line !== '')
      .map(parseLine),
  );
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The record of a line, as it was read from Kafka. */
export function parseLine(line: string): SourceRecord {
  const envelope = JSON.parse(line) as Envelope;
  return {
    offset: offsetOf(line),
    timestampMs: envelope.timestamp,
    key: keyOf(envelope),
    headers: headersOf(envelope),
    value: valueOf(line, envelope),
  };
}

function keyOf({ key, key_base64: bytes }: Envelope): Uint8Array | null {
  if (bytes !== undefined) return unbase64(bytes);
  return key === undefined ? null : new TextEncoder().encode(key);
}

function headersOf({ headers }: Envelope): SourceRecord['headers'] {
  if (headers === undefined) return null;
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.map(unbase64)]),
  );
}

function valueOf(line: string, envelope: Envelope): Uint8Array | null {
  const { timestamp, headers, value_base64: bytes } = envelope;
  if (bytes !== undefined) return unbase64(bytes);
  const headersJson = headers === undefined ? null : JSON.stringify(headers);
  const fields = { key: keyField(keyOf(envelope)), headers: lineField('headers', headersJson) };
  const start = lineStart(offsetOf(line), timestamp, fields);
  const text = line.slice(start.length + valueMark.length, line.lastIndexOf('}'));
  return text === 'null' ? null : new TextEncoder().encode(text);
}

const valueMark = ',"value":';

function offsetOf(line: string): string {
  return /^\{"offset":(\d+),/.exec(line)?.[1] ?? '';
}

function base64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

function unbase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
