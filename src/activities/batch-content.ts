import assert from 'node:assert';
import type { Dataset } from '../lake/dataset.ts';
import type { PlanEntry } from '../lake/source-log.ts';
import type { BronzeEncoder, EncodedFile, Row, SourceRecord } from '../ports.ts';
import {
  batchConstants,
  bronzeRows,
  compressRaw,
  deadLetterRows,
  encodeRaw,
  placeRecords,
} from './batch-records.ts';
import type { Lines } from './line-buffer.ts';
import { columnGroups } from './line-columns.ts';
import { parseLine, parseLines } from './record-lines.ts';

/*
 * What one batch holds, on either of two paths. The checked path places every record and encodes
 * rows; the fast path copies the values of plain records into columns as they are, and places only the
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
      if (bronze.encodeColumns === undefined || aheadMs > dataset.placement.eventTimeAheadMsMax) {
        return checked().encode(plan, metadata);
      }
      const { oddRows, accepted } = placeOdd(dataset, plan, lines);
      const constants = batchConstants(dataset, plan);
      const { columns } = dataset.bronze;
      const varying = columns.filter(({ name }) => !Object.hasOwn(constants, name));
      const groups = () => columnGroups(dataset, { columns: varying, lines, oddRows });
      const file = await bronze.encodeColumns({ columns, varying, constants, groups, metadata });
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

type PlacedOdd = {
  /** For each odd line its row; `null` for a dead letter. */
  readonly oddRows: readonly (Row | null)[];
  readonly accepted: BigInt64Array;
};

/** What the records that are not plain become. */
function placeOdd(dataset: Dataset, plan: PlanEntry, lines: Lines): PlacedOdd {
  const { odd, offsets } = lines;
  const placed = placeRecords(
    dataset,
    plan,
    odd.map((line) => recordOf(lines, line)),
  );
  const oddRows = placed.map((each) => bronzeRows(dataset, plan, [each])[0] ?? null);
  const dead = odd.filter((_, number) => oddRows[number] === null);
  return {
    oddRows,
    accepted: without(
      offsets,
      dead.map(({ index }) => index),
    ),
  };
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

function recordOf({ chunks }: Lines, { chunk, start, end }: Lines['odd'][number]): SourceRecord {
  const bytes = chunks[chunk];
  assert(bytes !== undefined, 'a line lies in a chunk');
  return parseLine(bytes.toString('utf8', start, end));
}
