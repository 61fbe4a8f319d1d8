import type { ColumnsInput, Value } from '../ports.ts';
import type { RowSource } from './duckdb-rows.ts';
import { castColumn, quoteIdentifier, quoteText } from './duckdb-text.ts';

/** The SELECT that reads a plain Parquet file of the varying columns as the rows of a batch. */
export function selectColumns(path: string, input: ColumnsInput): RowSource {
  const { columns, varying, constants } = input;
  const names = new Set(varying.map(({ name }) => name));
  const parameters: Record<string, Value> = {};
  const expressions = columns.map((column, index) => {
    if (names.has(column.name)) return castColumn(quoteIdentifier(column.name), column);
    parameters[`constant_${index}`] = constants[column.name] ?? null;
    return castColumn(`CAST($constant_${index} AS VARCHAR)`, column);
  });
  const sql = `SELECT ${expressions.join(', ')} FROM read_parquet(${quoteText(path)})`;
  return { sql, parameters };
}
