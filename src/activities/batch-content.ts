import assert from 'node:assert';
import type { Dataset } from '../lake/dataset.ts';
import { placedLine } from '../lake/bronze-line.ts';
import type { PlanEntry } from '../lake/source-log.ts';
import type { BronzeEncoder, EncodedFile, Row, SourceRecord } from '../ports.ts';
import {
  batchConstants,
  bronzeRows,
  compressRaw,
  deadLetterRows,
  encodeRaw,
  placedStart,
  placeRecords,
} from './batch-records.ts';
import type { Lines } from './line-buffer.ts';
import { parseLine, parseLines } from './record-lines.ts';

/*
 * What one batch holds, on either of two paths. The checked path places every record and encodes
 * rows; the fast path hands the lines of plain records to the engine as they are, and places only the
 * others. Both write the same rows and the same dead letters (test/engine/paths.test.ts).
 */

export type BatchContent = {
  /** Of all records, ascending. */
  readonly offsets: BigInt64Array;
  readonly last: SourceRecord | null;
  readonly raw: () => Promise<Uint8Array>;
  /** Encodes the rows; `accepted` are the offsets that the file must hold. */
  readonly encode: (
    plan: PlanEntry,
    metadata: Readonly<Record<string, string>>,
  ) => Promise<{ readonly file: EncodedFile; readonly accepted: BigInt64Array }>;
  /** Dead letters for the records at these offsets, which the file lacks. */
  readonly deadLetters: (plan: PlanEntry, offsets: readonly bigint[]) => readonly Row[];
};

export type ContentDeps = { readonly dataset: Dataset; readonly bronze: BronzeEncoder };

/** The checked path. */
export function contentOfRecords(
  { dataset, bronze }: ContentDeps,
  records: readonly SourceRecord[],
): BatchContent {
  return {
    offsets: BigInt64Array.from(records, ({ offset }) => BigInt(offset)),
    last: records.at(-1) ?? null,
    raw: () => encodeRaw(records),
    encode: async (plan, metadata) => {
      const rows = bronzeRows(dataset, plan, placeRecords(dataset, plan, records));
      const file = await bronze.encode({ columns: dataset.bronze.columns, rows, metadata });
      return { file, accepted: BigInt64Array.from(rows, (row) => BigInt(String(row['_offset']))) };
    },
    deadLetters: (plan, offsets) => {
      const wanted = new Set(offsets.map(String));
      return deadLetterRows(plan, placeRecords(dataset, plan, records), wanted);
    },
  };
}

/** The fast path, where the encoder has one and the clock has not gone back; else the checked one. */
export function contentOfLines(deps: ContentDeps, lines: Lines): BatchContent {
  const { dataset, bronze } = deps;
  const checked = (): BatchContent => contentOfRecords(deps, parseLines(lines.chunks));
  return {
    offsets: lines.offsets,
    last: lines.last,
    raw: () => compressRaw(lines.chunks),
    encode: async (plan, metadata) => {
      const aheadMs = lines.eventTimeMaxMs - Date.parse(plan.ingestTime);
      if (bronze.encodeLines === undefined || aheadMs > dataset.placement.eventTimeAheadMsMax) {
        return checked().encode(plan, metadata);
      }
      const { pieces, lineBytesMax, accepted } = piecesOf(dataset, plan, lines);
      const file = await bronze.encodeLines({
        columns: dataset.bronze.columns,
        fields: dataset.fields,
        constants: batchConstants(dataset, plan),
        pieces,
        rows: accepted.length,
        lineBytesMax,
        metadata,
      });
      return { file, accepted };
    },
    deadLetters: (plan, offsets) => {
      const odd = new Set(lines.odd.map(({ index }) => lines.offsets[index]));
      if (!offsets.every((offset) => odd.has(offset))) return checked().deadLetters(plan, offsets);
      const records = lines.odd.map((line) => recordOf(lines, line));
      return contentOfRecords(deps, records).deadLetters(plan, offsets);
    },
  };
}

type Pieces = {
  readonly pieces: readonly Uint8Array[];
  readonly lineBytesMax: number;
  readonly accepted: BigInt64Array;
};

/** The lines between those that are not plain, and for each of these a line of its own, or none. */
function piecesOf(dataset: Dataset, plan: PlanEntry, lines: Lines): Pieces {
  const { chunks, odd, offsets } = lines;
  const records = odd.map((line) => recordOf(lines, line));
  const placed = placeRecords(dataset, plan, records);
  const dead: number[] = [];
  const pieces: Uint8Array[] = [];
  let { lineBytesMax } = lines;
  let chunk = 0;
  let at = 0;
  const upTo = (toChunk: number, to: number): void => {
    for (; chunk < toChunk; chunk += 1, at = 0) push(pieces, chunks[chunk]!.subarray(at));
    if (chunk < chunks.length) push(pieces, chunks[chunk]!.subarray(at, to));
  };
  for (const [number, line] of odd.entries()) {
    upTo(line.chunk, line.start);
    at = line.end;
    const { record, placement } = placed[number]!;
    if (placement.kind === 'deadLetter') dead.push(line.index);
    else {
      const bytes = Buffer.from(placedLine(placedStart(record), placement, dataset.fields));
      lineBytesMax = Math.max(lineBytesMax, bytes.byteLength);
      pieces.push(bytes);
    }
  }
  upTo(chunks.length, 0);
  return { pieces, lineBytesMax, accepted: without(offsets, dead) };
}

/** The offsets but for those at some places, which ascend. */
function without(offsets: BigInt64Array, places: readonly number[]): BigInt64Array {
  const kept = new BigInt64Array(offsets.length - places.length);
  let from = 0;
  for (const [skipped, place] of [...places, offsets.length].entries()) {
    kept.set(offsets.subarray(from, place), from - skipped);
    from = place + 1;
  }
  return kept;
}

function push(pieces: Uint8Array[], piece: Uint8Array): void {
  if (piece.byteLength > 0) pieces.push(piece);
}

function recordOf({ chunks }: Lines, { chunk, start, end }: Lines['odd'][number]): SourceRecord {
  const bytes = chunks[chunk];
  assert(bytes !== undefined, 'a line lies in a chunk');
  return parseLine(bytes.toString('utf8', start, end));
}
