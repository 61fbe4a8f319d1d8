/* How long free texts may be where they are kept in a small place. */

/** The most that a person's reason may take. */
export const reasonBytesMax = 300;
export const authorBytesMax = 100;

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += utf8Bytes(character);
  return bytes;
}

/** The same of a text as JSON writes it, with its quotes. */
export function jsonTextBytes(text: string): number {
  return utf8Length(JSON.stringify(text));
}

/** A text that takes at most so many bytes as JSON; one that was cut ends in an ellipsis. */
export function clipped(text: string, bytesMax: number): string {
  if (jsonTextBytes(text) <= bytesMax) return text;
  const ellipsis = '…';
  let kept = '';
  let bytes = 2 + utf8Bytes(ellipsis);
  for (const character of text) {
    bytes += jsonTextBytes(character) - 2;
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept + ellipsis;
}

function utf8Bytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
