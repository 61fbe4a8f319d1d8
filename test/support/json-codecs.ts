import type { BronzeEncoder, FileFacts, ParquetInput, Row, RowFileCodec } from '../../src/ports.ts';

/*
 * Files of rows as JSON, where a test is about the protocol and not about Parquet: a thousand of
 * them take no longer than one real file.
 */

type JsonFile = {
  readonly rows: readonly Row[];
  readonly metadata: Readonly<Record<string, string>>;
};

export function createJsonBronzeEncoder(name = 'json-1'): BronzeEncoder {
  return { name, encode: async (input) => encode(input), inspect: async (bytes) => inspect(bytes) };
}

export function createJsonRowFiles(): RowFileCodec {
  return { encode: async (input) => encode(input), decode: async (bytes) => decode(bytes).rows };
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
  const offsets = rows.map(({ _offset }) => String(_offset));
  return {
    rows: rows.length,
    offsets: offsets.sort((a, b) => Number(BigInt(a) - BigInt(b))),
    rowsPerEventHour,
    eventTimeMin: times[0] ?? null,
    eventTimeMax: times.at(-1) ?? null,
    metadata,
  };
}
