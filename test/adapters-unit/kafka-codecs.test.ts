import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { decompressRecords } from '../../src/adapters/kafka-codecs.ts';

const text = 'the same words again and again, '.repeat(2_000);

describe('decompressRecords', () => {
  it('reads plain snappy, as librdkafka writes it', async () => {
    assert.equal((await decompressRecords(2, compressSync(text))).toString(), text);
  });

  it('reads a xerial stream of several blocks, as Java writes it', async () => {
    const stream = xerial([text, 'and the end']);
    assert.equal((await decompressRecords(2, stream)).toString(), `${text}and the end`);
  });

  it('refuses a xerial stream that is cut off', async () => {
    await assert.rejects(
      decompressRecords(2, xerial([text]).subarray(0, -1)),
      /a snappy block is cut off/,
    );
  });

  it('reads an LZ4 frame with checksums of its own', async () => {
    const frame = compressFrameSync(text, { contentChecksum: true, blockChecksums: true });
    assert.equal((await decompressRecords(3, frame)).toString(), text);
  });

  it('reads a zstd frame that does not tell its size, as Java writes it', async () => {
    const frame = Buffer.from('28b52ffd00584d00001061610100b3f30116', 'hex');
    assert.equal((await decompressRecords(4, frame)).toString(), 'a'.repeat(3_000));
  });

  it('has libraries that work in a worker thread', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { uncompressSync } = require('snappy');
      const { decompressFrameSync } = require('lz4-napi');
      const [snappy, lz4] = workerData.map((bytes) => Buffer.from(bytes));
      parentPort.postMessage([String(uncompressSync(snappy)), String(decompressFrameSync(lz4))]);`;
    const workerData = [compressSync(text), compressFrameSync(text)];
    const worker = new Worker(code, { eval: true, workerData });
    try {
      const found = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      assert.deepEqual(found, [text, text]);
    } finally {
      await worker.terminate();
    }
  });
});

function xerial(texts: readonly string[]): Buffer {
  const blocks = texts.flatMap((each) => {
    const block = compressSync(each);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.byteLength);
    return [length, block];
  });
  const head = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([head, ...blocks]);
}
