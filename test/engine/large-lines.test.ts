import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentOfLines } from '../../src/activities/batch-content.ts';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../src/activities/line-buffer.ts';
import { createDuckdbBronzeEncoder } from '../../src/adapters/duckdb-bronze-encoder.ts';
import { events } from '../../src/datasets/events.ts';
import { createPlainScan } from '../../src/lake/plain-record.ts';
import { firstPlan } from './support/first-plan.ts';

const nowMs = Date.UTC(2026, 7, 21, 13, 30);
const plan = firstPlan({ nowMs, recordBytesMax: 2_000_000 });

describe('contentOfLines', () => {
  it('encodes large records within the memory of the engine, plain and not plain', async () => {
    const cacheDirectory = await mkdtemp(join(tmpdir(), 'ingot-large-'));
    const bronze = createDuckdbBronzeEncoder({ cacheDirectory, threads: 1, memoryMb: 96 });
    const buffer = createLineBuffer({
      scan: createPlainScan(events.fields, events.placement, isUtf8),
      eventTimeAheadMsMax: 0,
      recordBytesMax: plan.recordBytesMax,
      chunks: createChunkPool(0),
    });
    for (let index = 0; index < 320; index += 1) {
      // Of which every tenth is too long to be plain.
      const page_url = `/${index}`.padEnd(index % 10 === 0 ? 1_000_000 : 60_000, `${index}`);
      const event = { event_id: `e-${index}`, timestamp: '2026-08-21T13:00:00Z', page_url };
      const value = Buffer.from(JSON.stringify(event));
      buffer.add(
        { offset: `${index}`, timestampMs: nowMs, key: null, value, headers: null },
        nowMs,
      );
    }
    const lines = buffer.take();
    assert.equal(lines.odd.length, 32);
    const { file, accepted } = await contentOfLines({ dataset: events, bronze }, lines).encode(
      plan,
      {},
    );
    assert.equal(accepted.length, 320);
    assert.deepEqual(file.facts.offsets, accepted);
    await rm(cacheDirectory, { recursive: true, force: true });
  }).timeout(120_000);
});
