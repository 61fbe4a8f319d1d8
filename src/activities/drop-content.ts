import { isUtf8 } from 'node:buffer';
import type { FlushLimits } from '../lake/batch.ts';
import { detailAt, offsetOfLine } from '../lake/drop.ts';
import type { DroppedLine } from '../lake/dropped-object.ts';
import { batchName } from '../lake/paths.ts';
import { createPlainScan } from '../lake/plain-record.ts';
import type { PlanEntry } from '../lake/source-log.ts';
import type { Row } from '../ports.ts';
import { type BatchContent, type ContentDeps, contentOfLines } from './batch-content.ts';
import { createChunkPool } from './chunk-pool.ts';
import { createLineBuffer } from './line-buffer.ts';

/*
 * What one batch of a dropped object holds: its records like those of a topic, and the lines in which
 * there is no record to look for, which are dead letters from the beginning.
 */

export type DropBatch = {
  add(line: DroppedLine): void;
  /** Before the next line is added, the batch has to be committed. */
  isFull(): boolean;
  take(): BatchContent;
};

type Fault = DroppedLine & { readonly kind: 'fault' };

export function createDropBatch(
  deps: ContentDeps,
  options: {
    readonly limits: Pick<FlushLimits, 'rowsMax' | 'bytesMax'>;
    readonly recordBytesMax: number;
    readonly foundAt: string;
    /** Offset and line of the first line of the batch. */
    readonly range: { readonly offsetFirst: string; readonly lineFirst: number };
    readonly nowMs: number;
  },
): DropBatch {
  const { fields, placement } = deps.dataset;
  const { limits, range, nowMs, recordBytesMax } = options;
  const timestampMs = Date.parse(options.foundAt);
  const buffer = createLineBuffer({
    scan: createPlainScan(fields, placement, isUtf8),
    eventTimeAheadMsMax: placement.eventTimeAheadMsMax,
    recordBytesMax,
    // Batches of files follow each other slowly.
    chunks: createChunkPool(0),
  });
  const faults = new Map<bigint, Fault>();
  let faultBytes = 0;
  return {
    add: (line) => {
      const offset = offsetOfLine(range, line.line);
      if (line.kind === 'fault') {
        faults.set(offset, line);
        faultBytes += line.value?.byteLength ?? 0;
        return;
      }
      const { value } = line;
      const record = { offset: String(offset), timestampMs, key: null, value, headers: null };
      buffer.add(record, nowMs);
    },
    isFull: () =>
      buffer.rows() + faults.size >= limits.rowsMax ||
      buffer.bytes() + faultBytes >= limits.bytesMax,
    take: () => withFaults(contentOfLines(deps, buffer.take()), faults, options.foundAt),
  };
}

function withFaults(
  content: BatchContent,
  faults: ReadonlyMap<bigint, Fault>,
  foundAt: string,
): BatchContent {
  if (faults.size === 0) return content;
  return {
    ...content,
    offsets: BigInt64Array.from([...content.offsets, ...faults.keys()]).sort(),
    deadLetters: (plan, offsets) => {
      const others = offsets.filter((offset) => !faults.has(offset));
      const rows = others.length === 0 ? [] : content.deadLetters(plan, others);
      const broken = offsets.flatMap((offset): readonly Row[] => {
        const fault = faults.get(offset);
        return fault === undefined ? [] : [faultRow(plan, offset, fault, foundAt)];
      });
      return [...rows, ...broken].sort((a, b) => Number(a['offset']) - Number(b['offset']));
    },
  };
}

function faultRow(plan: PlanEntry, offset: bigint, fault: Fault, foundAt: string): Row {
  const { reason, value } = fault;
  return {
    reason,
    field: null,
    detail: detailAt(plan, String(offset), fault.detail),
    topic: plan.topic,
    partition: plan.partition,
    offset: String(offset),
    kafka_ts: foundAt,
    ingest_ts: plan.ingestTime,
    key: null,
    headers: null,
    value: value === null ? null : Buffer.from(value).toString('base64'),
    batch_id: batchName(plan),
  };
}
