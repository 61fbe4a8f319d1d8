import type { DroppedLine, LineReader } from './dropped-object.ts';

/*
 * JSON Lines as bytes: one record a line, whatever ends it. What a line holds is not looked at here:
 * placeRecord decides about it as about any record.
 */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** No more of a line than `lineBytesMax` is ever held. */
export function createJsonLines({ lineBytesMax }: { readonly lineBytesMax: number }): LineReader {
  let line = 0;
  let pieces: Uint8Array[] = [];
  let held = 0;
  let length = 0;

  const hold = (piece: Uint8Array): void => {
    length += piece.byteLength;
    const room = Math.max(0, lineBytesMax - held);
    if (room === 0 || piece.byteLength === 0) return;
    // A copy: what was pushed belongs to the caller.
    const kept = piece.slice(0, room);
    pieces.push(kept);
    held += kept.byteLength;
  };
  const take = (last: Uint8Array): DroppedLine | null => {
    const whole = length + last.byteLength;
    let value = last;
    if (length > 0) {
      hold(last);
      value = joined(pieces, held);
      pieces = [];
      held = 0;
      length = 0;
    }
    const found = lineOf(line, value, whole, lineBytesMax);
    line += 1;
    return found;
  };
  return {
    push: (bytes) => {
      const found: DroppedLine[] = [];
      let at = 0;
      for (;;) {
        const end = bytes.indexOf(lineFeed, at);
        if (end < 0) break;
        const next = take(bytes.subarray(at, end));
        if (next !== null) found.push(next);
        at = end + 1;
      }
      hold(bytes.subarray(at));
      return found;
    },
    end: (broken) => {
      if (broken === null) {
        const last = length === 0 ? null : take(new Uint8Array());
        return last === null ? [] : [last];
      }
      const value = length === 0 ? null : joined(pieces, held);
      line += 1;
      return [{ kind: 'fault', line: line - 1, reason: 'OBJECT_TRUNCATED', detail: broken, value }];
    },
    lines: () => line,
    isOver: () => false,
  };
}

/** `null` for a blank line. */
function lineOf(
  line: number,
  bytes: Uint8Array,
  wholeBytes: number,
  lineBytesMax: number,
): DroppedLine | null {
  if (wholeBytes > lineBytesMax) return tooLarge(line, bytes.slice(0, lineBytesMax), wholeBytes);
  const value = bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes;
  return isBlank(value) ? null : { kind: 'record', line, value };
}

export function tooLarge(line: number, value: Uint8Array, wholeBytes: number): DroppedLine {
  const detail = `${wholeBytes} bytes or more, limit ${value.byteLength}; kept up to the limit`;
  return { kind: 'fault', line, reason: 'TOO_LARGE', detail, value };
}

export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === carriageReturn);
}

export function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
