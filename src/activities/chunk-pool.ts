/*
 * Pieces of memory that lines are collected in, used again and again: what is left to the garbage
 * collector instead stays resident until it next looks, which is some hundred MiB under load.
 */

export type ChunkPool = {
  /** A piece with room for so many bytes; its content is whatever was there. */
  take(bytesMin: number): Buffer;
  /** Nothing may read the pieces any more, nor parts of them. Answers of `take`, or their beginnings. */
  giveBack(pieces: readonly Buffer[]): void;
};

const chunkBytes = 1_048_576;

/** Keeps no more than so many bytes that nobody uses. */
export function createChunkPool(idleBytesMax: number): ChunkPool {
  const idleMax = Math.floor(idleBytesMax / chunkBytes);
  const idle: Buffer[] = [];
  return {
    take: (bytesMin) => {
      const mine = bytesMin <= chunkBytes ? idle.pop() : undefined;
      return mine ?? Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytesMin));
    },
    giveBack: (pieces) => {
      for (const { buffer } of pieces) {
        if (buffer.byteLength === chunkBytes && idle.length < idleMax)
          idle.push(Buffer.from(buffer));
      }
    },
  };
}
