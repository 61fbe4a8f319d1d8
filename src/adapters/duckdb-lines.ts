import { lineColumns } from '../lake/bronze-line.ts';
import type { FieldRule } from '../lake/dataset.ts';
import { type Column, type ColumnType, duckdbType } from '../lake/table.ts';
import type { LinesInput, Value } from '../ports.ts';
import type { RowSource } from './duckdb-rows.ts';
import { castColumn, quoteIdentifier, quoteText } from './duckdb-text.ts';

/** Below this the engine would read a file in more pieces than are good for it. */
const objectBytesMin = 65_536;

/** The SELECT that reads a file of lines as the rows of a batch, in their order. */
export function selectLines(path: string, input: LinesInput): RowSource {
  const { columns, fields, constants } = input;
  const byColumn = new Map(fields.map((field) => [field.column, field]));
  const parameters: Record<string, Value> = {};
  const expressions = columns.map((column, index) => {
    const field = byColumn.get(column.name);
    if (field !== undefined) {
      return castColumn(fieldExpression(field, `alias_${index}`, parameters), column);
    }
    if (isLineColumn(column.name)) return castColumn(lineExpression(column.name), column);
    parameters[`constant_${index}`] = constants[column.name] ?? null;
    return castColumn(`CAST($constant_${index} AS VARCHAR)`, column);
  });
  if (input.rows === 0) {
    const empty = columns.map((column: Column) => castColumn('NULL', column));
    return { sql: `SELECT ${empty.join(', ')} LIMIT 0`, parameters: {} };
  }
  return {
    sql: `SELECT ${expressions.join(', ')} FROM ${readJson(path, input)}`,
    parameters,
  };
}

/** The spellings that a contract accepts for a value become the one that it means. */
function fieldExpression(
  { wireName, valueAliases }: FieldRule,
  prefix: string,
  parameters: Record<string, Value>,
): string {
  const value = `"value".${quoteIdentifier(wireName)}`;
  const cases = Object.entries(valueAliases).map(([alias, meaning], index) => {
    parameters[`${prefix}_${index}`] = alias;
    parameters[`${prefix}_${index}_means`] = meaning;
    return ` WHEN $${prefix}_${index} THEN $${prefix}_${index}_means`;
  });
  return cases.length === 0 ? value : `CASE ${value}${cases.join('')} ELSE ${value} END`;
}

function lineExpression(column: keyof typeof lineColumns): string {
  const source = quoteIdentifier(lineColumns[column]);
  return column === '_kafka_ts' ? `epoch_ms(${source})` : source;
}

function isLineColumn(column: string): column is keyof typeof lineColumns {
  return Object.hasOwn(lineColumns, column);
}

function readJson(path: string, { fields, lineBytesMax }: LinesInput): string {
  const members = fields.map(
    (field) => `${quoteIdentifier(field.wireName)} ${readType(field.type)}`,
  );
  const types = [
    `"offset": 'BIGINT', "timestamp": 'BIGINT', "key": 'VARCHAR', headers: 'VARCHAR'`,
    `extra: 'VARCHAR', raw: 'VARCHAR', type_errors: 'VARCHAR'`,
    `"value": ${quoteText(`STRUCT(${members.join(', ')})`)}`,
  ];
  return (
    `read_json(${quoteText(path)}, format = 'newline_delimited', auto_detect = false, ` +
    `maximum_object_size = ${Math.max(objectBytesMin, lineBytesMax)}, ` +
    `columns = {${types.join(', ')}})`
  );
}

/** Times are read as text and cast, by the same rules as everywhere else. */
function readType(type: ColumnType): string {
  return type === 'timestamp' || type === 'date' ? 'VARCHAR' : duckdbType(type);
}
