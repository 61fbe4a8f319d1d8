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
  readonly words: Uint32Array;
  /** The same memory. */
  readonly doubles: Float64Array;
};

export type RecordPlaces = {
  readonly rows: number;
  /** Words of a record. */
  readonly stride: number;
  /** All but the last one hold `rowsPerPiece` records. */
  readonly pieces: readonly PlacesPiece[];
  readonly rowsPerPiece: number;
  /** To be given back. */
  readonly memory: readonly Buffer[];
};

const pieceBytes = 1_048_576;

/** Where records are noted one after the other. */
export class PlacesBuilder {
  rows = 0;
  readonly stride: number;
  /** Of the record that was begun last. */
  words: Uint32Array = new Uint32Array(0);
  doubles: Float64Array = new Float64Array(0);
  at = 0;
  private readonly chunks: ChunkPool;
  private readonly rowsPerPiece: number;
  private readonly pieces: PlacesPiece[] = [];
  private readonly memory: Buffer[] = [];

  constructor(chunks: ChunkPool, fields: number) {
    this.chunks = chunks;
    // Even, so that doubles lie where they may.
    this.stride = 2 * Math.ceil((word.fields + fields) / 2);
    this.rowsPerPiece = Math.floor(pieceBytes / (4 * this.stride));
  }

  /** Begins the next record: its words are from `at` on, and hold whatever was there. */
  begin(): void {
    const row = this.rows % this.rowsPerPiece;
    if (row === 0) this.grow();
    this.at = row * this.stride;
    this.rows += 1;
  }

  bytes(): number {
    return this.rows * this.stride * 4;
  }

  take(): RecordPlaces {
    const { rows, stride, pieces, rowsPerPiece, memory } = this;
    return { rows, stride, pieces, rowsPerPiece, memory };
  }

  private grow(): void {
    const memory = this.chunks.take(pieceBytes);
    this.words = new Uint32Array(memory.buffer, memory.byteOffset, pieceBytes / 4);
    this.doubles = new Float64Array(memory.buffer, memory.byteOffset, pieceBytes / 8);
    this.memory.push(memory);
    this.pieces.push({ words: this.words, doubles: this.doubles });
  }
}

/** The offsets of all records. */
export function offsetsOf({ rows, stride, pieces, rowsPerPiece }: RecordPlaces): BigInt64Array {
  const list = new BigInt64Array(rows);
  const halves = new Uint32Array(list.buffer);
  for (let row = 0; row < rows; row += 1) {
    const { words } = pieces[Math.floor(row / rowsPerPiece)]!;
    const at = (row % rowsPerPiece) * stride;
    halves[2 * row + lowHalf] = words[at + word.offsetLow]!;
    halves[2 * row + 1 - lowHalf] = words[at + word.offsetHigh]!;
  }
  return list;
}

const lowHalf = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
