import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import kafkajs from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';

/*
 * kafkajs reads gzip alone. These are the other codecs of Kafka's protocol, in the framings that
 * Java writes. They are registered when this module is loaded, for the whole process, because
 * kafkajs has one table of them.
 */

// Node does not find this name among the exports of a CommonJS module.
const { CompressionCodecs, CompressionTypes } = kafkajs;

type Codec = {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: (bytes: Buffer) => Promise<Buffer>;
};

const snappy: Codec = {
  compress: async ({ buffer }) => xerialFrame(compressSync(buffer)),
  decompress: async (bytes) => {
    const blocks = xerialBlocks(bytes) ?? [bytes];
    return Buffer.concat(blocks.map((block) => uncompressSync(block) as Buffer));
  },
};

const lz4: Codec = {
  compress: async ({ buffer }) => compressFrameSync(buffer),
  decompress: async (bytes) => decompressFrameSync(bytes),
};

/** Node has zstd since 22.15 and 23.8; its types here are those of the oldest Node that is served. */
const native = zlib as typeof zlib & {
  readonly zstdCompress?: typeof zlib.gzip;
  readonly zstdDecompress?: typeof zlib.gunzip;
};
const zstdCompress = native.zstdCompress && promisify<Buffer, Buffer>(native.zstdCompress);
const zstdDecompress = native.zstdDecompress && promisify<Buffer, Buffer>(native.zstdDecompress);

const zstd: Codec = {
  compress: async ({ buffer }) => {
    if (zstdCompress !== undefined) return zstdCompress(buffer);
    throw new Error(`Node ${process.version} cannot write zstd; Node 22.15 can`);
  },
  decompress: async (bytes) =>
    zstdDecompress === undefined ? Buffer.from(unzstd(bytes)) : zstdDecompress(bytes),
};

/** Java wraps snappy blocks in a stream of its own, which other producers write too, or do not. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and the oldest version that can read it. */
const xerialHeaderBytes = 16;

/** The blocks of a xerial stream, `null` when the bytes are plain snappy. */
function xerialBlocks(bytes: Buffer): readonly Buffer[] | null {
  if (!bytes.subarray(0, xerialMagic.byteLength).equals(xerialMagic)) return null;
  const blocks: Buffer[] = [];
  let at = xerialHeaderBytes;
  while (at < bytes.byteLength) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.byteLength) throw new Error('a snappy block is cut off');
    blocks.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return blocks;
}

function xerialFrame(block: Buffer): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeInt32BE(1, 0);
  numbers.writeInt32BE(1, 4);
  numbers.writeUInt32BE(block.byteLength, 8);
  return Buffer.concat([xerialMagic, numbers, block]);
}

for (const [type, codec] of [
  [CompressionTypes.Snappy, snappy],
  [CompressionTypes.LZ4, lz4],
  [CompressionTypes.ZSTD, zstd],
] as const) {
  CompressionCodecs[type] = () => codec;
}

/** Unpacks the records of a batch; codec 0 is none. Throws what the codec throws. */
export async function decompressRecords(codec: number, bytes: Buffer): Promise<Buffer> {
  if (codecNames[codec] === 'none') return bytes;
  // In this thread: each answer of another one would wait for this one to be free.
  if (codecNames[codec] === 'gzip') return gunzip(bytes);
  const { decompress } = (CompressionCodecs as Record<number, () => Codec>)[codec]!();
  return decompress(bytes);
}

/**
 * Into one buffer of the size that the end of the bytes tells (RFC 1952, ISIZE): in smaller ones the
 * records would be copied together again. A size that is not true costs no more than that.
 */
function gunzip(bytes: Buffer): Buffer {
  const told = bytes.byteLength < 4 ? 0 : bytes.readUInt32LE(bytes.byteLength - 4);
  // A buffer that is full to the last byte is followed by an empty one.
  const chunkSize = Math.min(Math.max(told + 1, gunzipBytesMin), gunzipBytesMax);
  return zlib.gunzipSync(bytes, { chunkSize });
}

const gunzipBytesMin = 1_024;
const gunzipBytesMax = 4_194_304;

/** By their number in the protocol. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
