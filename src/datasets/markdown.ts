/* Markdown as prettier leaves it, so that a generated page passes the format check as it is. */

const lineMax = 100;

/** A paragraph, wrapped between words. */
export function paragraph(text: string, widthMax = lineMax): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= widthMax) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.join('\n');
}

/** One item of a list, wrapped as a paragraph is. */
export function listItem(text: string): string {
  return `- ${paragraph(text, lineMax - 2).replaceAll('\n', '\n  ')}`;
}

/** A table with its columns padded. `|` in a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join(
    '\n',
  );
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** By characters: `padEnd` counts one beyond the basic plane twice. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(width - [...text].length);
}
