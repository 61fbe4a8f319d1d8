import type { Parameters, TableInput } from '../ports.ts';
import { checkSelect, createTableAs, runStatement } from './duckdb-statement.ts';
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
  readonly forgetAll: () => Promise<void>;
};

type Named = {
  readonly kind: 'declared' | 'materialized' | 'defined';
  readonly drop: string;
  /** Where the links to its files are. */
  readonly folder: string | null;
};

export function createSessionNames(context: TableContext): SessionNames {
  const { connection } = context;
  const named = new Map<string, Named>();
  let declared = 0;
  const dropIt = async ({ drop, folder }: Named): Promise<void> => {
    await runStatement(connection, drop);
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
        await forget([table.name]);
        declared += 1;
        const made = await declareTable(context, table, declared);
        const drop = `DROP ${made.kind.toUpperCase()} ${placeOf(table.name)}`;
        named.set(table.name, { kind: 'declared', drop, folder: made.folder });
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
      named.set(name, { kind: 'materialized', drop, folder: null });
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
      named.set(name, { kind: 'defined', drop: `DROP VIEW temp.main.${view}`, folder: null });
    },
    forget,
    forgetAll: () => forget([...named.keys()]),
  };
}

/** Where a declared table lies, whatever temporary one hides it. */
function placeOf(name: string): string {
  return `memory.${name.includes('.') ? '' : 'main.'}${quoteTableName(name)}`;
}
