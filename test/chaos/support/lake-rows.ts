import { gunzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { type Compressors, parquetReadObjects } from 'hyparquet';

/* The rows of the lake's files, read by another library than the one that wrote them. */

export type LakeRow = {
  /** `<topic>/<topic partition>/<offset>`: one record of Kafka. */
  readonly place: string;
  /** `null` in dead letters. */
  readonly id: string | null;
  /** Only in dead letters; `null` for a tombstone. */
  readonly value: string | null;
  readonly batch: string;
};

/** hyparquet brings Snappy only. */
const compressors: Compressors = {
  ZSTD: (input, outputLength) => decompress(input, new Uint8Array(outputLength)),
};

export async function readBronzeRows(bytes: Uint8Array): Promise<readonly LakeRow[]> {
  const columns = ['_topic', '_partition', '_offset', 'event_id', '_batch_id'];
  return (await readRows(bytes, columns)).map((row) => ({
    place: placeOf(row['_topic'], row['_partition'], row['_offset']),
    id: String(row['event_id']),
    value: null,
    batch: String(row['_batch_id']),
  }));
}

export async function readDeadLetterRows(bytes: Uint8Array): Promise<readonly LakeRow[]> {
  const columns = ['topic', 'partition', 'offset', 'value', 'batch_id'];
  return (await readRows(bytes, columns)).map((row) => ({
    place: placeOf(row['topic'], row['partition'], row['offset']),
    id: null,
    value: row['value'] == null ? null : String(row['value'] as string),
    batch: String(row['batch_id']),
  }));
}

/** Offsets of a raw copy. */
export function readRawOffsets(bytes: Uint8Array): readonly string[] {
  const lines = gunzipSync(bytes).toString('utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => String((JSON.parse(line) as { readonly offset: unknown }).offset));
}

export function placeOf(topic: unknown, partition: unknown, offset: unknown): string {
  return `${String(topic)}/${String(partition)}/${String(offset)}`;
}

/** The columns of a file as they are in it; all of them where none is named. */
export async function readRows(
  bytes: Uint8Array,
  columns?: string[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  // A view of a pool would hand hyparquet the bytes of its neighbours.
  const file = new Uint8Array(bytes).buffer;
  return parquetReadObjects({ file, compressors, ...(columns === undefined ? {} : { columns }) });
}
