/** One value of a table that is printed. */
export type Cell = string | number | bigint | boolean | null;

/**
 * RFC 4180: lines end in CRLF, a field with a comma, quote or line break is quoted. An absent value
 * is an empty field, an empty text is a quoted one, so that a reader can tell them apart.
 */
export function csvLines(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function csvField(cell: Cell): string {
  if (cell === null) {
    return '';
  }
  const text = String(cell);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
