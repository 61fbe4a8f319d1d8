import { setImmediate } from 'node:timers/promises';
import parquetjs, {
  type ColumnData,
  type FieldOptions,
  type FileMetaData,
  type ParquetEnvelopeWriter,
  type RowBuffer,
  type WriterOptions,
} from 'parquetjs-lite';
import parquetjsUtil from 'parquetjs-lite/lib/util.js';
import type { Column } from '../lake/table.ts';
import { convertedTypes, decimalType } from './parquetjs-values.ts';

/*
 * Files on parquetjs-lite, filled column by column through its envelope writer: every column
 * optional, plain encoding, no statistics. Equal input gives equal bytes.
 */

export type FileOptions = {
  readonly columns: readonly Column[];
  readonly fieldType: (column: Column) => FieldOptions['type'];
  readonly compression: FieldOptions['compression'];
  readonly metadata: Readonly<Record<string, string>>;
};

/** Primitive values of one row group, by column. */
export type RowGroup = {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnData>>;
};

// Page indexes that parquetjs-lite writes lack required fields, and pages of the first version are
// those that every reader knows.
const options: WriterOptions = { useDataPageV2: false, pageIndex: false };

/** Row groups are taken one after the other, so that no more than one lies in memory as values. */
export async function writeParquetjs(
  { columns, fieldType, compression, metadata }: FileOptions,
  groups: Iterable<RowGroup>,
): Promise<Buffer> {
  const schema = new parquetjs.ParquetSchema(
    Object.fromEntries(
      // No statistics: parquetjs-lite orders values as JavaScript does, strings by UTF-16 units and
      // bigints as the text they came in, and engines that skip by a wrong minimum would lose rows.
      columns.map((column): [string, FieldOptions] => [
        column.name,
        { type: fieldType(column), optional: true, compression, statistics: false },
      ]),
    ),
  );
  const chunks: Buffer[] = [];
  const write = (bytes: Buffer) => void chunks.push(bytes);
  const envelope = new parquetjs.ParquetEnvelopeWriter(schema, write, () => {}, 0, options);
  const writer = new parquetjs.ParquetWriter(schema, envelope, options);
  for (const [name, value] of Object.entries(metadata)) writer.setMetadata(name, value);
  for (const group of groups) {
    const part = new parquetjs.ParquetWriter(schema, onlyRowGroups(envelope), options);
    part.rowBuffer = rowBuffer(group);
    await part.close();
    // A batch takes a second, in which this thread has others to serve.
    await setImmediate();
  }
  await writer.close();
  return withDecimals(Buffer.concat(chunks), columns);
}

/** The envelope of a file for the writer of one row group: what is written once, others write. */
function onlyRowGroups(envelope: ParquetEnvelopeWriter): ParquetEnvelopeWriter {
  const nothing = (): void => undefined;
  return {
    useDataPageV2: envelope.useDataPageV2,
    writeRowGroup: (records) => envelope.writeRowGroup(records),
    writeHeader: nothing,
    writeIndex: nothing,
    writeFooter: nothing,
    close: nothing,
  };
}

function rowBuffer({ rows, columns }: RowGroup): RowBuffer {
  return {
    rowCount: rows,
    pageRowCount: rows,
    columnData: columns,
    pages: Object.fromEntries(Object.keys(columns).map((name) => [name, []])),
  };
}

/**
 * Values of a column as the writer takes them. Its own `appendRow` would turn 64-bit integers into
 * numbers, and is several times slower.
 */
export function columnData<T>(
  given: readonly (T | null)[],
  toPrimitive: (value: T) => unknown,
): ColumnData {
  const values: unknown[] = [];
  const dlevels: number[] = [];
  const rlevels: number[] = [];
  for (const value of given) {
    dlevels.push(value === null ? 0 : 1);
    rlevels.push(0);
    if (value !== null) values.push(toPrimitive(value));
  }
  return { values, dlevels, rlevels, distinct_values: new Set(), count: given.length };
}

/** parquetjs-lite knows no decimals, so their integers are declared as such in the footer. */
async function withDecimals(file: Buffer, columns: readonly Column[]): Promise<Buffer> {
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
