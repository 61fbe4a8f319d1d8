import { lineColumns } from '../lake/bronze-line.ts';
import type { FieldRule } from '../lake/dataset.ts';
import type { Column } from '../lake/table.ts';
import type { LinesInput, Row, Value } from '../ports.ts';

/* Lines of JSON as the values of columns: what duckdb-lines.ts says in SQL, for plain JavaScript. */

/** The values of some rows, by column, in the order of the columns. */
export type LineGroup = readonly (readonly Value[])[];

type Line = {
  readonly offset: number;
  readonly timestamp: number;
  readonly key?: string | null;
  readonly headers?: object | null;
  readonly extra?: string | null;
  readonly raw?: string | null;
  readonly type_errors?: string | null;
  readonly value: Readonly<Record<string, Value | undefined>>;
};

type Read = (line: Line, text: string) => Value;

/** At most `rowsMax` rows at a time, so that no more than those are in memory as values. */
export function* valuesOfLines(input: LinesInput, rowsMax: number): Generator<LineGroup, void> {
  const byColumn = new Map(input.fields.map((field) => [field.column, field]));
  const readers = input.columns.map((column) => readerOf(column, byColumn, input.constants));
  let group: Value[][] = readers.map(() => []);
  for (const text of linesOf(input.pieces)) {
    const line = JSON.parse(text) as Line;
    for (const [index, read] of readers.entries()) group[index]!.push(read(line, text));
    if (group[0]!.length < rowsMax) continue;
    yield group;
    group = readers.map(() => []);
  }
  if (group[0]!.length > 0) yield group;
}

/** A piece holds whole lines. */
function* linesOf(pieces: readonly Uint8Array[]): Generator<string, void> {
  for (const piece of pieces) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('utf8');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield text.slice(start, end);
      start = end + 1;
    }
  }
}

function readerOf({ name }: Column, fields: ReadonlyMap<string, FieldRule>, constants: Row): Read {
  const field = fields.get(name);
  if (field !== undefined) return fieldReader(field);
  if (isLineColumn(name)) return lineReaders[name];
  const constant = constants[name] ?? null;
  return () => constant;
}

/** The spellings that a contract accepts for a value become the one that it means. */
function fieldReader({ wireName, valueAliases }: FieldRule): Read {
  const aliases = new Map(Object.entries(valueAliases));
  const read: Read = ({ value }) =>
    (Object.hasOwn(value, wireName) ? value[wireName] : null) ?? null;
  if (aliases.size === 0) return read;
  return (line, text) => {
    const value = read(line, text);
    return typeof value === 'string' ? (aliases.get(value) ?? value) : value;
  };
}

const lineReaders: Readonly<Record<keyof typeof lineColumns, Read>> = {
  // Past 2^53 only the text of the line is exact.
  _offset: ({ offset }, text) =>
    Number.isSafeInteger(offset) ? offset : (/^\{"offset":(\d+),/.exec(text)?.[1] ?? null),
  _kafka_ts: ({ timestamp }) => timestamp,
  _key: ({ key }) => key ?? null,
  _headers: ({ headers }) => (headers == null ? null : JSON.stringify(headers)),
  _extra: ({ extra }) => extra ?? null,
  _raw: ({ raw }) => raw ?? null,
  _type_errors: ({ type_errors: names }) => names ?? null,
};

function isLineColumn(column: string): column is keyof typeof lineColumns {
  return Object.hasOwn(lineColumns, column);
}
