import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { parquetReadObjects } from 'hyparquet';
import { createDuckdbBronzeEncoder } from '../../../src/adapters/duckdb-bronze-encoder.ts';
import { createParquetjsBronzeEncoder } from '../../../src/adapters/parquetjs-bronze-encoder.ts';
import { events } from '../../../src/datasets/events.ts';
import type { BronzeEncoder, Row } from '../../../src/ports.ts';

/*
 * Both encoders get the same rows. A third reader finds the same values in their files, and each
 * says the same of its own file and of the other's: either may finish a plan that the other began.
 */

export type EncoderPair = {
  readonly duckdb: BronzeEncoder;
  readonly parquetjs: BronzeEncoder;
  /** Answers the values that the third reader finds. */
  readonly assertSame: (rows: readonly Row[]) => Promise<readonly Record<string, unknown>[]>;
  readonly remove: () => Promise<void>;
};

export const { columns } = events.bronze;
export const metadata = { 'ingot.plan': "it's", 'ü "k"': '{}' };

/** A row in which everything is null but what each row has. */
export const row = (offset: string, changes: Row = {}): Row => ({
  ...Object.fromEntries(columns.map(({ name }) => [name, null])),
  event_id: `e${offset}`,
  event_ts: '2026-08-21T13:00:00.120Z',
  _ingest_ts: '2026-08-21T13:00:01.000Z',
  _partition: 1,
  _offset: offset,
  ...changes,
});

export async function openEncoderPair(): Promise<EncoderPair> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-encoders-'));
  const duckdb = createDuckdbBronzeEncoder({ cacheDirectory, threads: 1, memoryMb: 256 });
  const parquetjs = createParquetjsBronzeEncoder();
  return {
    duckdb,
    parquetjs,
    assertSame: async (rows) => {
      const left = await duckdb.encode({ columns, rows, metadata });
      const right = await parquetjs.encode({ columns, rows, metadata });
      const values = await valuesIn(right.bytes);
      assert.deepEqual(values, await valuesIn(left.bytes));
      assert.equal(values.length, rows.length);
      assert.deepEqual(right.facts, left.facts);
      assert.deepEqual(await parquetjs.inspect(left.bytes), left.facts);
      assert.deepEqual(await duckdb.inspect(right.bytes), left.facts);
      return values;
    },
    remove: () => rm(cacheDirectory, { recursive: true, force: true }),
  };
}

async function valuesIn(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({
    file: Uint8Array.from(bytes).buffer,
    compressors: {
      GZIP: (input) => gunzipSync(input),
      ZSTD: (input, length) => unzstd(input, new Uint8Array(length)),
    },
    // A Date would hide microseconds.
    parsers: { timestampFromMicroseconds: (micros: bigint) => micros },
  });
}
