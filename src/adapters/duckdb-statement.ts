import type {
  DuckDBConnection,
  DuckDBPreparedStatement,
  DuckDBResultReader,
} from '@duckdb/node-api';
import { StatementType } from '@duckdb/node-api';
import { IngotError, messageOf } from '../errors.ts';
import type { Parameters } from '../ports.ts';
import { bindParameters } from './duckdb-values.ts';

/** A statement that is ours from its first letter to its last: preparing it would plan it twice. */
export async function runOwn(
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBResultReader> {
  return withFaults(() => connection.runAndReadAll(sql));
}

/** One statement of our own making, which may hold the text of someone else; it may be of any kind. */
export async function runStatement(
  connection: DuckDBConnection,
  sql: string,
  parameters: Parameters = {},
): Promise<DuckDBResultReader> {
  return withFaults(async () => {
    const statement = await connection.prepare(sql);
    return runPrepared(statement, parameters);
  });
}

/** A statement of someone else: exactly one, and a SELECT. */
export async function runSelect(
  connection: DuckDBConnection,
  sql: string,
  parameters: Parameters,
): Promise<DuckDBResultReader> {
  return withFaults(async () => runPrepared(await prepareSelect(connection, sql), parameters));
}

/** Makes a temporary table from a statement of someone else; answers its row count. */
export async function createTableAs(
  connection: DuckDBConnection,
  { table, sql, parameters }: { table: string; sql: string; parameters: Parameters },
): Promise<number> {
  // No parentheses around the text: it may end in a comment, and its ORDER BY is the table's order.
  const text = `CREATE OR REPLACE TEMP TABLE ${table} AS ${sql}`;
  try {
    const reader = await runStatement(connection, text, parameters);
    return Number(reader.getRows()[0]?.[0] ?? 0);
  } catch (error) {
    // The places in a message are those of the text that the caller knows.
    await checkSelect(connection, sql);
    throw error;
  }
}

/** Throws what preparing a statement of someone else does. */
export async function checkSelect(connection: DuckDBConnection, sql: string): Promise<void> {
  await withFaults(async () => (await prepareSelect(connection, sql)).destroySync());
}

/** Preparing refuses a text of more than one statement. */
async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  // The library fails without a reason where there is nothing to prepare.
  if (isBlank(sql)) throw refused('there is no statement');
  const statement = await connection.prepare(sql);
  if (statement.statementType === StatementType.SELECT) return statement;
  statement.destroySync();
  throw refused('only a SELECT is allowed here');
}

async function runPrepared(
  statement: DuckDBPreparedStatement,
  parameters: Parameters,
): Promise<DuckDBResultReader> {
  try {
    bindParameters(statement, parameters);
    return await statement.runAndReadAll();
  } finally {
    statement.destroySync();
  }
}

async function withFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof IngotError ? error : sqlFault(error);
  }
}

const unknownTable = [
  /^Catalog Error: Table with name "?(.+?)"? does not exist/,
  /^Binder Error: Catalog "(.+?)" does not exist/,
];

/** The engine's own message, which ends in the place where it stopped reading. */
export function sqlFault(error: unknown): IngotError {
  const message = messageOf(error).replace(/^Failed to extract statements: /, '');
  const isUnknown = unknownTable.some((pattern) => pattern.test(message));
  return new IngotError(isUnknown ? 'TABLE_UNKNOWN' : 'SQL_FAILED', message, {
    retryable: false,
    cause: error,
  });
}

function refused(sentence: string): IngotError {
  return new IngotError('SQL_FAILED', sentence, { retryable: false });
}

function isBlank(sql: string): boolean {
  const withoutComments = sql.replace(/--.*$/gm, '').replace(/\/\*[^]*?\*\//g, '');
  return /^[\s;]*$/.test(withoutComments);
}
