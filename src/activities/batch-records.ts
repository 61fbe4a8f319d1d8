import { promisify } from 'node:util';
import { gunzip, gzip, constants } from 'node:zlib';
import type { Dataset } from '../lake/dataset.ts';
import { detailAt } from '../lake/drop.ts';
import { batchName } from '../lake/paths.ts';
import { type Placement, placeRecord } from '../lake/placement.ts';
import type { PlanEntry } from '../lake/source-log.ts';
import type { Column } from '../lake/table.ts';
import { formatInstant, nearestInstant } from '../lake/time.ts';
import type { Row, SourceRecord } from '../ports.ts';
import { headersBase64, lineOf, parseLines } from './record-lines.ts';

/* The records of one batch in their three shapes: bronze rows, dead letters, raw copy. */

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Columns of a dead letter. Bytes are base64, so that any reader gets them back exactly. */
export const deadLetterColumns: readonly Column[] = [
  { name: 'reason', type: 'string', comment: 'Why the record could not be placed.' },
  { name: 'field', type: 'string', comment: 'The field at fault, null for the whole record.' },
  { name: 'detail', type: 'string', comment: 'What was wanted and what was found.' },
  { name: 'topic', type: 'string', comment: 'Kafka topic.' },
  { name: 'partition', type: 'int', comment: 'Kafka topic partition.' },
  { name: 'offset', type: 'bigint', comment: 'Kafka offset.' },
  { name: 'kafka_ts', type: 'timestamp', comment: "The broker's time of the record." },
  { name: 'ingest_ts', type: 'timestamp', comment: 'Time of the plan of the batch.' },
  { name: 'key', type: 'string', comment: 'Kafka key, base64.' },
  { name: 'headers', type: 'string', comment: 'Kafka headers as a JSON object of base64 lists.' },
  { name: 'value', type: 'string', comment: 'The bytes of the record, base64.' },
  { name: 'batch_id', type: 'string', comment: 'Source log and number of the batch.' },
];

export type PlacedRecord = { readonly record: SourceRecord; readonly placement: Placement };

/** Places every record of a planned batch. The plan, not the settings of today, decides. */
export function placeRecords(
  dataset: Dataset,
  plan: PlanEntry,
  records: readonly SourceRecord[],
): readonly PlacedRecord[] {
  const context = {
    fields: dataset.fields,
    rule: dataset.placement,
    recordBytesMax: plan.recordBytesMax,
    ingestTimeMs: Date.parse(plan.ingestTime),
  };
  return records.map((record) => ({ record, placement: placeRecord(record.value, context) }));
}

/** The bronze rows among placed records, in offset order. */
export function bronzeRows(
  dataset: Dataset,
  plan: PlanEntry,
  placed: readonly PlacedRecord[],
): readonly Row[] {
  const constants = batchConstants(dataset, plan);
  return placed.flatMap(({ record, placement }) =>
    placement.kind === 'deadLetter'
      ? []
      : [
          {
            ...placement.values,
            ...constants,
            _offset: record.offset,
            _kafka_ts: formatInstant(nearestInstant(record.timestampMs)),
            _key: keyText(record.key),
            _headers: headersJson(record),
            _extra: placement.extra,
            _raw: placement.raw,
            _type_errors: placement.typeErrors.length === 0 ? null : placement.typeErrors.join(','),
          },
        ],
  );
}

/** The columns that are the same in every row of a batch. */
export function batchConstants(dataset: Dataset, plan: PlanEntry): Row {
  return {
    _ingest_ts: plan.ingestTime,
    _family: dataset.familyOf(plan.topic),
    _source: plan.object === undefined ? 'kafka' : 's3',
    _topic: plan.topic,
    _partition: plan.partition,
    _source_file: plan.object?.key ?? null,
    _batch_id: batchName(plan),
  };
}

/** Dead letters for the records at these offsets. */
export function deadLetterRows(
  plan: PlanEntry,
  placed: readonly PlacedRecord[],
  offsets: ReadonlySet<string>,
): readonly Row[] {
  return placed
    .filter(({ record }) => offsets.has(record.offset))
    .map(({ record, placement }) => ({
      reason: placement.kind === 'deadLetter' ? placement.reason : 'REFUSED_BY_WRITER',
      field: placement.kind === 'deadLetter' ? placement.field : null,
      detail: detailAt(
        plan,
        record.offset,
        placement.kind === 'deadLetter' ? placement.detail : 'the file of the batch lacks it',
      ),
      topic: plan.topic,
      partition: plan.partition,
      offset: record.offset,
      kafka_ts: formatInstant(nearestInstant(record.timestampMs)),
      ingest_ts: plan.ingestTime,
      key: base64(record.key),
      headers: headersJson(record),
      value: base64(record.value),
      batch_id: batchName(plan),
    }));
}

/**
 * More memory for the matches makes the fastest level a fifth faster, and no larger. A window of 16 KiB
 * stays in the cache of a core, which is another tenth, for a hundredth more bytes.
 */
const rawOptions = {
  level: constants.Z_BEST_SPEED,
  memLevel: constants.Z_MAX_MEMLEVEL,
  windowBits: 14,
};

const memberBytesMax = 1_048_576;
/** A member is compressed in one go, and not in steps that each wait for this thread. */
const gzipChunkBytesMax = 524_288;
/** The least that zlib takes. */
const gzipChunkBytesMin = 64;

/** The raw copy of a batch: gzip JSON Lines, one line a record, nothing left out. */
export async function encodeRaw(records: readonly SourceRecord[]): Promise<Uint8Array> {
  return compressRaw([Buffer.concat(records.map(lineOf))]);
}

/** Each member of the gzip file is of some pieces, so that not all is compressed at a time. */
export async function compressRaw(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const members: Uint8Array[] = [];
  for (const some of pieces.length === 0 ? [[]] : memberPieces(pieces)) {
    const bytes = some.length === 1 ? some[0]! : Buffer.concat(some);
    // What is compressed is smaller, and its chunk of memory is nobody's afterwards.
    const chunkSize = Math.max(gzipChunkBytesMin, Math.min(gzipChunkBytesMax, bytes.byteLength));
    members.push(await gzipAsync(bytes, { ...rawOptions, chunkSize }));
  }
  return members.length === 1 ? members[0]! : Buffer.concat(members);
}

/** Pieces that follow each other, joined up to the size of a member; a larger one is by itself. */
function memberPieces(pieces: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const members: Uint8Array[][] = [];
  let bytes = Infinity;
  for (const piece of pieces) {
    bytes += piece.byteLength;
    if (bytes <= memberBytesMax) members.at(-1)!.push(piece);
    else {
      members.push([piece]);
      bytes = piece.byteLength;
    }
  }
  return members;
}

/** The records of a raw copy, as they were read from Kafka. */
export async function decodeRaw(bytes: Uint8Array): Promise<readonly SourceRecord[]> {
  return parseLines([await gunzipAsync(bytes)]);
}

function headersJson(record: SourceRecord): string | null {
  const { headers } = record;
  if (headers === null || Object.keys(headers).length === 0) return null;
  return JSON.stringify(headersBase64(headers));
}

function keyText(key: Uint8Array | null): string | null {
  if (key === null) return null;
  return utf8(key) ?? `base64:${base64(key)}`;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    // The decoder has one way to say "not UTF-8": it throws.
    return null;
  }
}

function base64(bytes: Uint8Array): string;
function base64(bytes: Uint8Array | null): string | null;
function base64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}
