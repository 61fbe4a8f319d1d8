import assert from 'node:assert/strict';
import { crc32c } from '@node-rs/crc32';
import { batchesOf } from '../../src/adapters/kafka-batches.ts';
import {
  offsetOutOfRange,
  recordSetsOf,
  withoutRecords,
} from '../../src/adapters/kafka-record-sets.ts';
import { type FetchFault, decodeFetch } from '../../src/adapters/kafka-fetch-check.ts';
import { IngotError } from '../../src/errors.ts';

type Batch = {
  readonly count?: number;
  readonly offset?: bigint;
  readonly codec?: number;
  readonly records?: Buffer;
};

function batch({
  count = 1,
  offset = 0n,
  codec = 0,
  records = Buffer.from('records'),
}: Batch): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(61), records]);
  bytes.writeBigInt64BE(offset, 0);
  bytes.writeInt32BE(bytes.byteLength - 12, 8);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(codec, 21);
  bytes.writeInt32BE(count, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** A fetch response with one topic, whose topic partitions are numbered from 3. */
function response(version: number, recordSets: readonly (readonly Buffer[])[]): Buffer {
  const int16 = (value: number): Buffer => Buffer.from([value >> 8, value]);
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const partitions = recordSets.map((batches, index) => {
    const records = Buffer.concat(batches);
    return Buffer.concat([
      int32(3 + index),
      Buffer.alloc(2 + 8 + 8 + (version >= 5 ? 8 : 0)),
      int32(1),
      Buffer.alloc(16),
      ...(version >= 11 ? [int32(-1)] : []),
      int32(records.byteLength),
      records,
    ]);
  });
  return Buffer.concat([
    Buffer.alloc(4 + (version >= 7 ? 6 : 0)),
    int32(1),
    int16(6),
    Buffer.from('events'),
    int32(partitions.length),
    ...partitions,
  ]);
}

function faultOf(error: unknown): object {
  assert.ok(error instanceof IngotError, String(error));
  assert.equal(error.code, 'RECORDS_UNREADABLE');
  assert.ok(error.retryable);
  return error.facts;
}

function readBatches(bytes: Buffer, version: number): readonly bigint[] {
  return recordSetsOf(bytes, version).flatMap((set) =>
    [...batchesOf(set)].map(({ offset }) => offset),
  );
}

function faultWith(bytes: Buffer, version = 11): object {
  try {
    readBatches(bytes, version);
  } catch (error) {
    return faultOf(error);
  }
  return assert.fail('nothing was found');
}

describe('batchesOf', () => {
  for (const version of [4, 5, 7, 11]) {
    it(`takes whole batches in the layout of version ${version}`, () => {
      const sets = [[batch({}), batch({ offset: 9n, codec: 4 })], [], [batch({ codec: 1 })]];
      assert.deepEqual(readBatches(response(version, sets), version), [0n, 9n, 0n]);
    });

    it(`names the place of a damaged batch in the layout of version ${version}`, () => {
      const damaged = batch({ offset: 9_007_199_254_740_993n });
      damaged[62]! ^= 1;
      const { checksum, found, ...place } = faultWith(
        response(version, [[], [batch({}), damaged]]),
        version,
      ) as Record<string, unknown>;
      assert.notEqual(checksum, found);
      assert.deepEqual(place, { topic: 'events', partition: 4, offset: '9007199254740993' });
    });
  }

  for (const codec of [5, 6, 7]) {
    it(`refuses codec ${codec}, which kafkajs takes for none`, () => {
      assert.deepEqual(faultWith(response(11, [[batch({ codec, offset: 7n })]])), {
        topic: 'events',
        partition: 3,
        offset: '7',
        codec,
      });
    });
  }

  it('lets the last batch lack its end, which the next fetch brings', () => {
    const sets = [[batch({}), batch({ offset: 1n }).subarray(0, 30)]];
    assert.deepEqual(readBatches(response(11, sets), 11), [0n]);
  });

  it('refuses a first batch that lacks its end, for which kafkajs would wait for ever', () => {
    const cut = batch({ offset: 5n }).subarray(0, 65);
    assert.deepEqual(faultWith(response(11, [[cut]])), {
      topic: 'events',
      partition: 3,
      offset: '5',
      bytes: 68,
    });
  });

  it('refuses a length that is shorter than the head of a batch', () => {
    const short = batch({ offset: 5n });
    short.writeInt32BE(3, 8);
    assert.deepEqual(faultWith(response(11, [[short]])), {
      topic: 'events',
      partition: 3,
      offset: '5',
      bytes: 15,
    });
  });
});

describe('withoutRecords', () => {
  for (const version of [4, 5, 7, 11]) {
    it(`leaves the others as they came, in the layout of version ${version}`, () => {
      const sets = [[batch({ offset: 1n })], [batch({ offset: 5n })], [batch({ offset: 2n })]];
      const before = response(version, sets);
      const last = recordSetsOf(before, version)[2]!;
      before.writeInt16BE(offsetOutOfRange, last.errorAt);
      const [, second, third] = recordSetsOf(before, version);
      assert.equal(third?.errorCode, offsetOutOfRange);
      assert.deepEqual(
        withoutRecords(before, [second!, third]),
        response(version, [sets[0]!, [], []]),
      );
    });
  }
});

describe('decodeFetch', () => {
  it('tells of each topic partition that cannot be read, and gives the others to kafkajs', async () => {
    const damaged = batch({ offset: 5n });
    damaged[62]! ^= 1;
    const raw = response(11, [[], [damaged], []]);
    raw.writeInt16BE(offsetOutOfRange, recordSetsOf(raw, 11)[2]!.errorAt);
    const faults: FetchFault[] = [];
    const partitions = [3, 4, 5].map((partition) => ({ partition, messages: [] as unknown[] }));
    const decode = async (bytes: Buffer) => {
      assert.deepEqual(bytes, response(11, [[], [], []]));
      return { responses: [{ partitions }] };
    };
    await decodeFetch({ decode, apiVersion: 11, onFault: (fault) => faults.push(fault) }, raw);
    assert.deepEqual(
      faults.map(({ kind, where }) => [kind, where.partition]),
      [
        ['outOfRange', 5],
        ['unreadable', 4],
      ],
    );
  });
});
