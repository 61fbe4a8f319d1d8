import assert from 'node:assert/strict';
import parquetjs, { type ColumnData } from 'parquetjs-lite';
import { messageOf } from '../errors.ts';
import type { Column } from '../lake/table.ts';
import type { ParquetInput, Row, RowFileCodec } from '../ports.ts';
import { columnData, writeParquetjs } from './parquetjs-file.ts';
import { convertedTypes, fromPrimitive, valueMapping } from './parquetjs-values.ts';

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
  const group = { rows: rows.length, columns: columnsOf(columns, rows) };
  return writeParquetjs(
    {
      columns,
      fieldType: ({ type }) => valueMapping(type).field,
      compression: 'SNAPPY',
      metadata,
    },
    rows.length === 0 ? [] : [group],
  );
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

function columnsOf(
  columns: readonly Column[],
  rows: readonly Row[],
): Readonly<Record<string, ColumnData>> {
  const names = new Set(columns.map(({ name }) => name));
  for (const row of rows) {
    const unknown = Object.keys(row).find((name) => !names.has(name));
    assert(unknown === undefined, `a row has the value ${unknown}, which is no column of the file`);
  }
  return Object.fromEntries(
    columns.map(({ name, type }) => {
      const { toPrimitive } = valueMapping(type);
      const given = rows.map((row) => row[name] ?? null);
      try {
        return [name, columnData(given, toPrimitive)];
      } catch (error) {
        return assert.fail(`column ${name}: ${messageOf(error)}`);
      }
    }),
  );
}
