/*
 * Pieces of memory that lines are collected in, used again and again: what is left to the garbage
 * collector instead stays resident until it next looks, which is some hundred MiB under load.
 */

export type ChunkPool = {
  /**
   * A piece with room for so many bytes, for a buffer whose pieces hold so many already: it becomes
   * twice as large, so that no buffer is more than half empty, and one with few lines is small. The
   * content is whatever was there.
   */
  take(bytesMin: number, bytesHeld: number): Buffer;
  /** Nothing may read the pieces any more, nor parts of them. Answers of `take`, or their beginnings. */
  giveBack(pieces: readonly Buffer[]): void;
};

/**
 * Powers of two, as all sizes between them. What the last piece has left counts as held, so larger
 * ones would fill the memory budget with nothing. A piece for a larger line is as large as that.
 */
const chunkBytesMin = 16_384;
const chunkBytesMax = 262_144;

/** Keeps no more than so many bytes that nobody uses. */
export function createChunkPool(idleBytesMax: number): ChunkPool {
  const idle = new Map<number, Buffer[]>();
  let idleBytes = 0;
  return {
    take: (bytesMin, bytesHeld) => {
      const bytes = sizeOf(bytesMin, bytesHeld);
      const mine = idle.get(bytes)?.pop();
      if (mine === undefined) return Buffer.allocUnsafeSlow(bytes);
      idleBytes -= bytes;
      return mine;
    },
    giveBack: (pieces) => {
      for (const { buffer } of pieces) {
        const bytes = buffer.byteLength;
        if (bytes > chunkBytesMax || idleBytes + bytes > idleBytesMax) continue;
        const others = idle.get(bytes) ?? [];
        others.push(Buffer.from(buffer));
        idle.set(bytes, others);
        idleBytes += bytes;
      }
    },
  };
}

function sizeOf(bytesMin: number, bytesHeld: number): number {
  const wanted = Math.max(bytesMin, Math.min(bytesHeld, chunkBytesMax));
  if (wanted > chunkBytesMax) return wanted;
  let bytes = chunkBytesMin;
  while (bytes < wanted) bytes *= 2;
  return bytes;
}
