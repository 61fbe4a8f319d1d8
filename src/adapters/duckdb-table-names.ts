import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import { runStatement, sqlFault } from './duckdb-statement.ts';

/**
 * The tables that a SELECT reads, lower-case and in order, from the engine's own parse of it. The
 * library's getTableNames answers nothing, without an error, for a statement that does not bind,
 * and one with parameters never does.
 */
export async function readTableNames(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly string[]> {
  const reader = await runStatement(
    connection,
    'SELECT json_serialize_sql(CAST($sql AS VARCHAR))',
    {
      sql,
    },
  );
  const parsed = JSON.parse(String(reader.getRows()[0]?.[0])) as ParsedSql;
  if (parsed.error) throw await faultOf(connection, sql, parsed);
  const found = new Set<string>();
  collect(parsed.statements, new Set(), found);
  return [...found].sort();
}

type ParsedSql = {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: unknown;
};

type ParsedNode = Readonly<Record<string, unknown>>;

/** `visible` are the names of WITH that a table name may mean at this place. */
function collect(node: unknown, visible: ReadonlySet<string>, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collect(item, visible, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { cte_map: withPart, ...rest } = node as ParsedNode;
  const inside = collectWith(withPart, visible, found);
  if (rest['type'] === 'BASE_TABLE') {
    const name = tableName(rest);
    if (!inside.has(name)) found.add(name);
  }
  for (const child of Object.values(rest)) collect(child, inside, found);
}

type WithPart = {
  readonly map: readonly {
    readonly key: string;
    readonly value: { readonly query: { readonly node: ParsedNode } };
  }[];
};

/** Each name of WITH is visible to those after it, and to itself only when it is recursive. */
function collectWith(
  withPart: unknown,
  visible: ReadonlySet<string>,
  found: Set<string>,
): ReadonlySet<string> {
  let names = visible;
  for (const { key, value } of (withPart as WithPart | undefined)?.map ?? []) {
    const withThis = new Set([...names, key.toLowerCase()]);
    const isRecursive = value.query.node['type'] === 'RECURSIVE_CTE_NODE';
    collect(value, isRecursive ? withThis : names, found);
    names = withThis;
  }
  return names;
}

function tableName(node: ParsedNode): string {
  return ['catalog_name', 'schema_name', 'table_name']
    .map((part) => node[part])
    .filter((part): part is string => typeof part === 'string' && part !== '')
    .join('.')
    .toLowerCase();
}

/** Parsing it once more the ordinary way gives the message that shows the place. */
async function faultOf(
  connection: DuckDBConnection,
  sql: string,
  parsed: ParsedSql,
): Promise<IngotError> {
  try {
    await connection.extractStatements(sql);
  } catch (error) {
    return sqlFault(error);
  }
  return new IngotError('SQL_FAILED', parsed.error_message ?? 'not a SELECT', { retryable: false });
}
