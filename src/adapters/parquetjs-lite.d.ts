/*
 * The part of parquetjs-lite 0.8.7 that Ingot uses; the package has no types of its own. Both
 * modules are CommonJS, so everything hangs on the default import. The second one is inside the
 * package, which is why package.json pins the version exactly.
 */

declare module 'parquetjs-lite' {
  export type FieldOptions = {
    readonly type:
      | 'UTF8'
      | 'INT32'
      | 'INT64'
      | 'DOUBLE'
      | 'BOOLEAN'
      | 'DATE'
      | 'TIMESTAMP_MILLIS'
      | 'TIMESTAMP_MICROS';
    readonly optional: true;
    readonly compression: 'SNAPPY' | 'GZIP';
    /** `false`: no minimum, maximum and counts in the file. */
    readonly statistics: false;
  };

  /** Primitive values without nulls, and a definition level (1, or 0 for null) for every row. */
  export type ColumnData = {
    readonly values: readonly unknown[];
    readonly dlevels: readonly number[];
    readonly rlevels: readonly number[];
    readonly distinct_values: ReadonlySet<unknown>;
    readonly count: number;
  };

  export type RowBuffer = {
    readonly rowCount: number;
    readonly pageRowCount: number;
    readonly columnData: Readonly<Record<string, ColumnData>>;
    readonly pages: Readonly<Record<string, unknown[]>>;
  };

  export type WriterOptions = { readonly useDataPageV2: boolean; readonly pageIndex: boolean };

  export type SchemaElement = {
    readonly name: string;
    converted_type: number | null;
    scale: number | null;
    precision: number | null;
  };

  /** The root of the schema comes first. */
  export type FileMetaData = { readonly schema: readonly SchemaElement[] };

  export class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldOptions>>);
  }

  /** What a writer asks of an envelope. */
  export interface ParquetEnvelopeWriter {
    readonly useDataPageV2: boolean;
    writeHeader(): void;
    writeRowGroup(records: RowBuffer): void;
    writeIndex(): void;
    writeFooter(metadata: Readonly<Record<string, string>>): void;
    close(): void;
  }

  export class ParquetWriter {
    constructor(schema: ParquetSchema, envelope: ParquetEnvelopeWriter, options: WriterOptions);
    /** Rows that are not yet encoded; `close` encodes them as one row group with one page. */
    rowBuffer: RowBuffer;
    setMetadata(name: string, value: string): void;
    close(): Promise<void>;
  }

  export class ParquetEnvelopeReader {
    static openBuffer(bytes: Buffer): Promise<ParquetEnvelopeReader>;
    readFooter(): Promise<FileMetaData>;
  }

  export class ParquetReader {
    constructor(metadata: FileMetaData, envelope: ParquetEnvelopeReader);
    getCursor(): { nextRowGroup(): Promise<readonly Readonly<Record<string, unknown>>[] | null> };
  }

  const parquetjs: {
    readonly ParquetSchema: typeof ParquetSchema;
    readonly ParquetEnvelopeWriter: new (
      schema: ParquetSchema,
      write: (bytes: Buffer) => void,
      close: () => void,
      fileOffset: number,
      options: WriterOptions,
    ) => ParquetEnvelopeWriter;
    readonly ParquetWriter: typeof ParquetWriter;
    readonly ParquetEnvelopeReader: typeof ParquetEnvelopeReader;
    readonly ParquetReader: typeof ParquetReader;
  };
  export default parquetjs;
}

declare module 'parquetjs-lite/lib/util.js' {
  import type { FileMetaData } from 'parquetjs-lite';

  const util: { readonly serializeThrift: (metadata: FileMetaData) => Buffer };
  export default util;
}
