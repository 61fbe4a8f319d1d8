import { isUtf8 } from 'node:buffer';
import { access, writeFile } from 'node:fs/promises';
import { contentOfLines } from '../../src/activities/batch-content.ts';
import { createChunkPool } from '../../src/activities/chunk-pool.ts';
import { createLineBuffer } from '../../src/activities/line-buffer.ts';
import { events } from '../../src/datasets/events.ts';
import { planEntry } from '../../src/lake/batch.ts';
import { logName } from '../../src/lake/paths.ts';
import { createPlainScan } from '../../src/lake/plain-record.ts';
import { emptyLogState } from '../../src/lake/source-log.ts';
import type { Ports } from '../../src/ports.ts';
import { generateEvents, type Profile } from '../../src/producer/events.ts';

/* Events of the producer as the product's own encoder writes them. Making them is slow. */

export const sampleRows = 30_000;

/** Makes the file unless it is there. */
export async function ensureSample(
  ports: Pick<Ports, 'bronze'>,
  profile: Profile,
  path: string,
): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeFile(path, await encodeSample(ports, profile));
}

async function encodeSample(
  { bronze }: Pick<Ports, 'bronze'>,
  profile: Profile,
): Promise<Uint8Array> {
  const topic = profile === 'ecommerce' ? 'ecommerce-bench' : 'user-activity-bench';
  const start = '2026-08-21T10:00:00.000Z';
  const buffer = createLineBuffer({
    chunks: createChunkPool(0),
    scan: createPlainScan(events.fields, events.placement, isUtf8),
    eventTimeAheadMsMax: events.placement.eventTimeAheadMsMax,
    recordBytesMax: 1_048_576,
  });
  let offset = 0;
  const stream = generateEvents({ profile, seed: 7, start, rate: 100, count: sampleRows });
  for (const { key, value, timestampMs } of stream) {
    const bytes = Buffer.from(value);
    const keyBytes = key === null ? null : Buffer.from(key);
    buffer.add(
      { offset: String(offset), timestampMs, key: keyBytes, value: bytes, headers: null },
      timestampMs,
    );
    offset += 1;
  }
  const plan = planEntry({
    log: logName(topic, 0),
    number: 0,
    writer: 'bench',
    nowMs: Date.parse(start) + 3_600_000,
    before: { ...emptyLogState, offsetNext: '0' },
    topic,
    partition: 0,
    offsetEnd: String(offset),
    settings: {
      rawCopy: false,
      recordBytesMax: 1_048_576,
      contractHash: events.contractHash,
      encoder: bronze.name,
    },
  });
  return (await contentOfLines({ dataset: events, bronze }, buffer.take()).encode(plan, {})).file
    .bytes;
}
