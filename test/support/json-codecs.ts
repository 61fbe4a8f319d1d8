import { valuesOf } from '../../src/lake/column-vectors.ts';
import type {
  BronzeEncoder,
  ColumnsInput,
  EncodedFile,
  FileFacts,
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
    encode: async (input) => encoded(fileOf(input)),
    encodeColumns: async (input) => encoded(fileOf({ ...input, rows: rowsOf(input) })),
    inspect: async (bytes) => factsOf(decode(bytes)),
  };
}

export function createJsonRowFiles(): RowFileCodec {
  return {
    encode: async (input) => bytesOf(fileOf(input)),
    decode: async (bytes) => decode(bytes).rows,
  };
}

function rowsOf({ varying, constants, groups }: ColumnsInput): readonly Row[] {
  return Array.from(groups(), ({ rows, vectors }) => {
    const values = vectors.map(valuesOf);
    return Array.from({ length: rows }, (_, row) => ({
      ...constants,
      ...Object.fromEntries(varying.map(({ name }, index) => [name, values[index]![row]!])),
    }));
  }).flat();
}

/** Every row with all columns, in their order. */
function fileOf({ columns, rows, metadata }: ParquetInput): JsonFile {
  const complete = rows.map((row) => {
    const all: Record<string, Value> = {};
    for (const { name } of columns) all[name] = row[name] ?? null;
    return all;
  });
  return { rows: complete, metadata };
}

function encoded(file: JsonFile): EncodedFile {
  return { bytes: bytesOf(file), facts: factsOf(file) };
}

function bytesOf(file: JsonFile): Uint8Array {
  return Buffer.from(JSON.stringify(file));
}

function decode(bytes: Uint8Array): JsonFile {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonFile;
}

function factsOf({ rows, metadata }: JsonFile): FileFacts {
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
