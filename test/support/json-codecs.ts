import { readField } from '../../src/lake/placement.ts';
import { formatInstant } from '../../src/lake/time.ts';
import type {
  BronzeEncoder,
  EncodedFile,
  FileFacts,
  LinesInput,
  ParquetInput,
  Row,
  RowFileCodec,
  Value,
} from '../../src/ports.ts';

/*
 * Files of rows as JSON, where a test is about the protocol and not about Parquet: a thousand of
 * them take no longer than one real file.
 */

type JsonFile = {
  readonly rows: readonly Row[];
  readonly metadata: Readonly<Record<string, string>>;
};

export function createJsonBronzeEncoder(name = 'json-1'): BronzeEncoder {
  return {
    name,
    encode: async (input) => file(encode(input)),
    encodeLines: async (input) => file(encode({ ...input, rows: rowsOf(input) })),
    inspect: async (bytes) => inspect(bytes),
  };
}

export function createJsonRowFiles(): RowFileCodec {
  return { encode: async (input) => encode(input), decode: async (bytes) => decode(bytes).rows };
}

function file(bytes: Uint8Array): EncodedFile {
  return { bytes, facts: inspect(bytes) };
}

type Line = Readonly<Record<'timestamp', number>> &
  Readonly<Record<'key' | 'extra' | 'raw' | 'type_errors', string | null | undefined>> & {
    readonly headers: object | null;
    readonly value: Readonly<Record<string, unknown>>;
  };

function rowsOf({ pieces, fields, constants }: LinesInput): readonly Row[] {
  const lines = Buffer.concat(pieces).toString().split('\n').slice(0, -1);
  return lines.map((text) => {
    const line = JSON.parse(text) as Line;
    const values = fields.map((field): [string, Value] => {
      const value = line.value[field.wireName];
      // What was placed has its decimals as text already.
      const isText = field.type.startsWith('decimal') && typeof value === 'string';
      const read = readField(isText ? Number(value) : value, field);
      return [field.column, read.kind === 'value' ? read.value : null];
    });
    return {
      ...Object.fromEntries(values),
      ...constants,
      _offset: /\d+/.exec(text)?.[0] ?? null,
      _kafka_ts: formatInstant(line.timestamp),
      _key: line.key ?? null,
      _headers: line.headers === null ? null : JSON.stringify(line.headers),
      _extra: line.extra ?? null,
      _raw: line.raw ?? null,
      _type_errors: line.type_errors ?? null,
    };
  });
}

function encode({ columns, rows, metadata }: ParquetInput): Uint8Array {
  const names = columns.map(({ name }) => name);
  const complete = rows.map((row) =>
    Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
  );
  return Buffer.from(JSON.stringify({ rows: complete, metadata }));
}

function decode(bytes: Uint8Array): JsonFile {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonFile;
}

function inspect(bytes: Uint8Array): FileFacts {
  const { rows, metadata } = decode(bytes);
  const times = rows.map(({ event_ts }) => String(event_ts)).sort();
  const rowsPerEventHour: Record<string, number> = {};
  for (const time of times) {
    const hour = time.slice(0, 13);
    rowsPerEventHour[hour] = (rowsPerEventHour[hour] ?? 0) + 1;
  }
  const offsets = BigInt64Array.from(rows, ({ _offset }) => BigInt(String(_offset)));
  return {
    rows: rows.length,
    offsets: offsets.sort(),
    rowsPerEventHour,
    eventTimeMin: times[0] ?? null,
    eventTimeMax: times.at(-1) ?? null,
    metadata,
  };
}
