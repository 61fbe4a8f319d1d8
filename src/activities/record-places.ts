import type { ChunkPool } from './chunk-pool.ts';

/*
 * What is known of each record of a batch, beside its line: its numbers, and where its values lie, so
 * that nobody has to look for them again. Some 90 bytes a record, in memory that is used again.
 */

/** The fields of a record in 32-bit words, before the places of its values. */
export const word = {
  /** Of the offset, 64 bits. */
  offsetLow: 0,
  offsetHigh: 1,
  /** The time of the broker, as a double of two words. */
  timestamp: 2,
  /** Of the chunks of lines. */
  chunk: 4,
  /** Where the value begins in its chunk; `odd` for a record that is not plain. */
  value: 5,
  /** Bytes of the key, which ends before the value; `noKey` without one. */
  keyBytes: 6,
  /** Which of the extra texts is its own, from 1; 0 for none. */
  extra: 7,
  /** From here on the places of its fields, as PlainScan gives them. */
  fields: 8,
} as const;

export const odd = 0xffff_ffff;
export const noKey = 0xffff_ffff;

/** A piece with whole records. */
export type PlacesPiece = {
  readonly rows: number;
  readonly words: Uint32Array;
  /** The same memory. */
  readonly doubles: Float64Array;
};

export type RecordPlaces = {
  readonly rows: number;
  /** Words of a record. */
  readonly stride: number;
  readonly pieces: readonly PlacesPiece[];
  /** To be given back. */
  readonly memory: readonly Buffer[];
};

/** Where records are noted one after the other. */
export class PlacesBuilder {
  rows = 0;
  readonly stride: number;
  /** Of the record that was begun last. */
  words: Uint32Array = new Uint32Array(0);
  doubles: Float64Array = new Float64Array(0);
  at = 0;
  private readonly chunks: ChunkPool;
  private readonly pieces: PlacesPiece[] = [];
  private readonly memory: Buffer[] = [];
  private held = 0;
  /** Where the room of the piece ends. */
  private end = 0;

  constructor(chunks: ChunkPool, fields: number) {
    this.chunks = chunks;
    // Even, so that doubles lie where they may.
    this.stride = 2 * Math.ceil((word.fields + fields) / 2);
    this.at = -this.stride;
  }

  /** Begins the next record: its words are from `at` on, and hold whatever was there. */
  begin(): void {
    this.at += this.stride;
    if (this.at === this.end) this.grow();
    this.rows += 1;
  }

  /** Of its memory, whether used or not. */
  bytes(): number {
    return this.held;
  }

  take(): RecordPlaces {
    const { rows, stride, memory } = this;
    const last = this.pieces.at(-1);
    // The others are full.
    const pieces =
      last === undefined
        ? []
        : [...this.pieces.slice(0, -1), { ...last, rows: this.at / stride + 1 }];
    return { rows, stride, pieces, memory };
  }

  private grow(): void {
    const memory = this.chunks.take(4 * this.stride, this.held);
    const rows = Math.floor(memory.byteLength / (4 * this.stride));
    this.words = new Uint32Array(memory.buffer, memory.byteOffset, rows * this.stride);
    this.doubles = new Float64Array(memory.buffer, memory.byteOffset, (rows * this.stride) / 2);
    this.memory.push(memory);
    this.pieces.push({ rows, words: this.words, doubles: this.doubles });
    this.held += memory.byteLength;
    this.at = 0;
    this.end = rows * this.stride;
  }
}

/** The offsets of all records. */
export function offsetsOf({ rows, stride, pieces }: RecordPlaces): BigInt64Array {
  const list = new BigInt64Array(rows);
  const halves = new Uint32Array(list.buffer);
  let to = 0;
  for (const piece of pieces) {
    const { words } = piece;
    for (let row = 0, at = 0; row < piece.rows; row += 1, at += stride, to += 2) {
      halves[to + lowHalf] = words[at + word.offsetLow]!;
      halves[to + 1 - lowHalf] = words[at + word.offsetHigh]!;
    }
  }
  return list;
}

const lowHalf = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
