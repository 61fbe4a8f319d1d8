import { canonicalJson } from '../lake/pointer.ts';
import type { Parameters, TableInput } from '../ports.ts';
import { checkSelect, createTableAs, runOwn, runStatement } from './duckdb-statement.ts';
import { type TableContext, declareTable } from './duckdb-tables.ts';
import { quoteIdentifier, quoteTableName } from './duckdb-text.ts';
import { removeFolder } from './scratch-folder.ts';

/*
 * The names of a session. The engine keeps views apart from tables, and temporary ones beside the
 * others; here a name means what it was given last.
 */

export type SessionNames = {
  /** Answers how many objects had to be fetched. */
  readonly declare: (tables: readonly TableInput[]) => Promise<number>;
  /** Answers its rows. */
  readonly materialize: (name: string, sql: string, parameters: Parameters) => Promise<number>;
  readonly define: (name: string, sql: string) => Promise<void>;
  readonly forget: (names: readonly string[]) => Promise<void>;
  /** What a session leaves for the next one: its shared tables. */
  readonly forgetOwn: () => Promise<void>;
  /** Before a session that wants these: forgets what is left of the one before, and is none of them. */
  readonly keepOnly: (tables: readonly TableInput[]) => Promise<void>;
  /** How many of these tables are there already. */
  readonly countKept: (tables: readonly TableInput[]) => number;
  /** How many files were declared since the database was made. */
  readonly countFiles: () => number;
};

type Named = {
  readonly kind: 'declared' | 'materialized' | 'defined';
  readonly drop: string;
  /** Where the links to its files are. */
  readonly folder: string | null;
  /** What was declared, of a shared table. */
  readonly shared: string | null;
};

export function createSessionNames(context: TableContext): SessionNames {
  const { connection } = context;
  const named = new Map<string, Named>();
  let declared = 0;
  let files = 0;
  const isKept = (table: TableInput): boolean => {
    const described = describeShared(table);
    return described !== null && named.get(table.name)?.shared === described;
  };
  const dropIt = async ({ drop, folder }: Named): Promise<void> => {
    await runOwn(connection, drop);
    if (folder !== null) await removeFolder(folder);
  };
  const forget = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const known = named.get(name);
      named.delete(name);
      if (known !== undefined) await dropIt(known);
    }
  };
  return {
    declare: async (tables) => {
      let fetched = 0;
      for (const table of tables) {
        if (isKept(table)) continue;
        await forget([table.name]);
        declared += 1;
        if (table.kind === 'files') files += table.files.length;
        const made = await declareTable(context, table, declared);
        const drop = `DROP ${made.kind.toUpperCase()} ${placeOf(table.name)}`;
        const shared = describeShared(table);
        named.set(table.name, { kind: 'declared', drop, folder: made.folder, shared });
        fetched += made.fetched;
      }
      return fetched;
    },
    materialize: async (name, sql, parameters) => {
      const known = named.get(name);
      if (known?.kind === 'defined') await forget([name]);
      const table = quoteIdentifier(name);
      const rows = await createTableAs(connection, { table, sql, parameters });
      const drop = `DROP TABLE temp.main.${table}`;
      named.set(name, { kind: 'materialized', drop, folder: null, shared: null });
      // Only now, because the new rows may have been made from it.
      if (known?.kind === 'declared') await dropIt(known);
      return rows;
    },
    define: async (name, sql) => {
      await checkSelect(connection, sql);
      await forget([name]);
      const view = quoteIdentifier(name);
      // Temporary, or it could not read what is materialized.
      await runStatement(connection, `CREATE TEMP VIEW ${view} AS ${sql}`);
      const drop = `DROP VIEW temp.main.${view}`;
      named.set(name, { kind: 'defined', drop, folder: null, shared: null });
    },
    forget,
    forgetOwn: () => forget([...named].filter(([, { shared }]) => shared === null).map(nameOf)),
    keepOnly: (tables) => {
      const kept = new Set(tables.filter(isKept).map(({ name }) => name));
      return forget([...named.keys()].filter((name) => !kept.has(name)));
    },
    countKept: (tables) => tables.filter(isKept).length,
    countFiles: () => files,
  };
}

const nameOf = ([name]: readonly [string, Named]): string => name;

/** The same text for the same table: objects never change. Null for one that is not shared. */
function describeShared(table: TableInput): string | null {
  if (table.kind !== 'files' || table.isShared !== true) return null;
  return canonicalJson([table.columns, table.files]);
}

/** Where a declared table lies, whatever temporary one hides it. */
function placeOf(name: string): string {
  return `memory.${name.includes('.') ? '' : 'main.'}${quoteTableName(name)}`;
}
