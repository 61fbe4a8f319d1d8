/**
 * Text without characters that a terminal would obey. Values of events, reasons of operators and messages
 * of servers were written by others: shown as they are, they could change what else is on the screen.
 */
export function printable(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex -- these are the characters that are meant
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
