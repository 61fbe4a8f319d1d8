import type { Column } from '../lake/table.ts';
import { duckdbType } from '../lake/table.ts';

/* The only places where a name or a path becomes SQL text. Values travel as parameters. */

/** A name as SQL, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `events` or `gold_dev.hourly_revenue`: a dot parts the schema from the table. */
export function quoteTableName(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}

/** For paths that a view has to hold: a view cannot keep a parameter. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `CAST(<expression> AS <declared type>) AS <column>`. */
export function castColumn(expression: string, column: Column): string {
  return `CAST(${expression} AS ${duckdbType(column.type)}) AS ${quoteIdentifier(column.name)}`;
}

/** Key-value metadata as the option of a COPY, with its values as parameters. */
export function metadataOption(metadata: Readonly<Record<string, string>>): {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return { sql: '', parameters: {} };
  const fields = entries.map(([key], index) => `${quoteIdentifier(key)}: $metadata_${index}`);
  return {
    sql: `, KV_METADATA {${fields.join(', ')}}`,
    parameters: Object.fromEntries(
      entries.map(([, value], index) => [`metadata_${index}`, value] as const),
    ),
  };
}
