import assert from 'node:assert/strict';
import parquetjs, {
  type ColumnData,
  type FieldOptions,
  type FileMetaData,
  type RowBuffer,
} from 'parquetjs-lite';
import parquetjsUtil from 'parquetjs-lite/lib/util.js';
import { messageOf } from '../errors.ts';
import type { Column } from '../lake/table.ts';
import type { ParquetInput, Row, RowFileCodec } from '../ports.ts';
import { convertedTypes, decimalType, fromPrimitive, valueMapping } from './parquetjs-values.ts';

const rowsMax = 1_000_000;

/**
 * Parquet files of row-shaped records on parquetjs-lite: every column optional, Snappy (the
 * one compression that every reader has built in), plain encoding, one row group. Equal input gives equal bytes.
 *
 * `decode` reads what `encode` wrote. Exact values come back as strings: `bigint` as a decimal
 * string, `decimal(…,2)` with both digits, `date` as YYYY-MM-DD, `timestamp` as ISO-8601 UTC in
 * milliseconds. `encode` takes strings or numbers for `bigint` and decimals. A row may leave out a
 * column (null), but a value of the wrong type, or of no column, is a mistake and an assertion.
 */
export function createParquetjsCodec(): RowFileCodec {
  return { encode, decode };
}

async function encode({ columns, rows, metadata }: ParquetInput): Promise<Uint8Array> {
  assert(rows.length <= rowsMax, `${rows.length} rows are too many for one file`);
  const schema = new parquetjs.ParquetSchema(
    Object.fromEntries(columns.map((column) => [column.name, fieldOptions(column)])),
  );
  // Page indexes that parquetjs-lite writes lack required fields, and pages of the first version
  // are those that every reader knows.
  const options = { useDataPageV2: false, pageIndex: false };
  const chunks: Buffer[] = [];
  const write = (bytes: Buffer) => void chunks.push(bytes);
  const envelope = new parquetjs.ParquetEnvelopeWriter(schema, write, () => {}, 0, options);
  const writer = new parquetjs.ParquetWriter(schema, envelope, options);
  for (const [name, value] of Object.entries(metadata)) writer.setMetadata(name, value);
  if (rows.length > 0) writer.rowBuffer = rowBuffer(columns, rows);
  await writer.close();
  return withDecimals(Buffer.concat(chunks), columns);
}

async function decode(bytes: Uint8Array): Promise<readonly Row[]> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const envelope = await parquetjs.ParquetEnvelopeReader.openBuffer(file);
  const metadata = await envelope.readFooter();
  const columns = metadata.schema.slice(1).map((element) => {
    const { name, converted_type: converted, scale } = element;
    // parquetjs-lite refuses decimals, and fails on the timestamps that it wrote itself. Without
    // the mark of its type it hands out the integer that lies there.
    if (converted !== convertedTypes.utf8) element.converted_type = null;
    return { name, type: { converted, scale: scale ?? 0 } };
  });
  const cursor = new parquetjs.ParquetReader(metadata, envelope).getCursor();
  const rows: Row[] = [];
  for (
    let group = await cursor.nextRowGroup();
    group !== null;
    group = await cursor.nextRowGroup()
  ) {
    for (const record of group) {
      const values = columns.map(({ name, type }) => [name, fromPrimitive(record[name], type)]);
      rows.push(Object.fromEntries(values) as Row);
    }
  }
  return rows;
}

function fieldOptions({ type }: Column): FieldOptions {
  // No statistics: parquetjs-lite orders values as JavaScript does, strings by UTF-16 units and
  // bigints as the text they came in, and engines that skip by a wrong minimum would lose rows.
  return {
    type: valueMapping(type).field,
    optional: true,
    compression: 'SNAPPY',
    statistics: false,
  };
}

/**
 * Fills the writer's buffer column by column, as its own `appendRow` would, but keeps 64-bit
 * integers exact, which it turns into numbers, and is several times faster.
 */
function rowBuffer(columns: readonly Column[], rows: readonly Row[]): RowBuffer {
  const names = new Set(columns.map(({ name }) => name));
  for (const row of rows) {
    const unknown = Object.keys(row).find((name) => !names.has(name));
    assert(unknown === undefined, `a row has the value ${unknown}, which is no column of the file`);
  }
  const data = columns.map((column) => [column.name, columnData(column, rows)] as const);
  return {
    rowCount: rows.length,
    pageRowCount: rows.length,
    columnData: Object.fromEntries(data),
    pages: Object.fromEntries(columns.map(({ name }) => [name, []])),
  };
}

function columnData({ name, type }: Column, rows: readonly Row[]): ColumnData {
  const { toPrimitive } = valueMapping(type);
  const present = rows.map((row) => row[name] ?? null);
  const values: unknown[] = [];
  for (const value of present) {
    if (value === null) continue;
    try {
      values.push(toPrimitive(value));
    } catch (error) {
      assert.fail(`column ${name}: ${messageOf(error)}`);
    }
  }
  return {
    values,
    dlevels: present.map((value) => (value === null ? 0 : 1)),
    rlevels: present.map(() => 0),
    distinct_values: new Set(),
    count: rows.length,
  };
}

/** parquetjs-lite knows no decimals, so their integers are declared as such in the footer. */
async function withDecimals(file: Buffer, columns: readonly Column[]): Promise<Uint8Array> {
  const decimals = new Map(columns.map(({ name, type }) => [name, decimalType(type)]));
  if ([...decimals.values()].every((type) => type === null)) return file;
  const envelope = await parquetjs.ParquetEnvelopeReader.openBuffer(file);
  const metadata = await envelope.readFooter();
  for (const element of metadata.schema.slice(1)) {
    const type = decimals.get(element.name) ?? null;
    if (type === null) continue;
    element.converted_type = convertedTypes.decimal;
    element.precision = type.precision;
    element.scale = type.scale;
  }
  return withFooter(file, metadata);
}

/** A Parquet file ends with its footer, the length of that in four bytes, and `PAR1`. */
function withFooter(file: Buffer, metadata: FileMetaData): Buffer {
  const footerEnd = file.length - 8;
  const data = file.subarray(0, footerEnd - file.readUInt32LE(footerEnd));
  const footer = parquetjsUtil.serializeThrift(metadata);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([data, footer, length, Buffer.from('PAR1')]);
}
