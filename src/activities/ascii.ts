/* Characters below 128 straight into memory, because lines are written by the million. */

/**
 * A number as String writes it; one that is not whole, or below zero, goes through String. Answers where
 * it ends.
 */
export function writeWhole(buffer: Buffer, start: number, value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && Number.isInteger(value))) {
    return writeAscii(buffer, start, String(value));
  }
  let digits = 1;
  for (let limit = 10; limit <= value; limit *= 10) digits += 1;
  const end = start + digits;
  // In pieces of 32 bits, whose division is the quicker one.
  let rest = value;
  let at = end;
  for (; rest >= pieceMax; rest = Math.floor(rest / pieceMax)) {
    at = writeDigits(buffer, at, rest % pieceMax, pieceDigits);
  }
  writeDigits(buffer, at, rest, at - start);
  return end;
}

const pieceDigits = 8;
const pieceMax = 10 ** pieceDigits;

/** So many last digits, up to a place; answers where they begin. */
function writeDigits(buffer: Buffer, end: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let at = end - 1; at >= end - digits; at -= 1) {
    const tenth = (rest / 10) | 0;
    buffer[at] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return end - digits;
}

/** Answers where it ends. */
export function writeAscii(buffer: Buffer, start: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    buffer[start + index] = text.charCodeAt(index);
  }
  return start + text.length;
}
