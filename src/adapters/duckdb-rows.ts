import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import type { Column } from '../lake/table.ts';
import type { Parameters, Row, Value } from '../ports.ts';
import { castColumn, quoteIdentifier } from './duckdb-text.ts';
import { runStatement } from './duckdb-statement.ts';

/** A SELECT that answers given rows, typed and in their order. */
export type RowSource = { readonly sql: string; readonly parameters: Parameters };

/** Rows that travel to the engine at once: its own vector size. */
const chunkRows = 2048;

/**
 * Brings rows into a temporary table of text columns and answers the SELECT that casts them to
 * their types: so a decimal or a large offset is never a double on its way. A column with one value
 * throughout, such as most of the envelope of a batch, is a parameter of the SELECT instead, which
 * about halves the work of a bronze batch. A field that a row lacks is NULL.
 */
export async function stageRows(
  connection: DuckDBConnection,
  { table, columns, rows }: { table: string; columns: readonly Column[]; rows: readonly Row[] },
): Promise<RowSource> {
  const varying = columns.filter((column) => !isConstant(rows, column.name));
  const parameters: Record<string, Value> = {};
  const expressions = columns.map((column, index) => {
    if (varying.includes(column)) return castColumn(quoteIdentifier(column.name), column);
    parameters[`constant_${index}`] = textOf(rows[0]?.[column.name]);
    return castColumn(`CAST($constant_${index} AS VARCHAR)`, column);
  });
  const select = `SELECT ${expressions.join(', ')}`;
  if (varying.length === 0) {
    return {
      sql: `${select} FROM range($row_count)`,
      parameters: { ...parameters, row_count: rows.length },
    };
  }
  const definitions = varying.map(({ name }) => `${quoteIdentifier(name)} VARCHAR`);
  await runStatement(
    connection,
    `CREATE OR REPLACE TEMP TABLE ${quoteIdentifier(table)} (${definitions.join(', ')})`,
  );
  await appendRows(connection, { table, columns: varying, rows });
  return { sql: `${select} FROM ${quoteIdentifier(table)}`, parameters };
}

async function appendRows(
  connection: DuckDBConnection,
  { table, columns, rows }: { table: string; columns: readonly Column[]; rows: readonly Row[] },
): Promise<void> {
  const appender = await connection.createAppender(table);
  const types = columns.map(() => VARCHAR);
  for (let start = 0; start < rows.length; start += chunkRows) {
    const part = rows.slice(start, start + chunkRows);
    const chunk = DuckDBDataChunk.create(types);
    chunk.setColumns(columns.map(({ name }) => part.map((row) => textOf(row[name]))));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

function isConstant(rows: readonly Row[], name: string): boolean {
  const first = rows[0]?.[name] ?? null;
  return rows.every((row) => (row[name] ?? null) === first);
}

function textOf(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
