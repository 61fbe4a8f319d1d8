import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { type Compressors, parquetMetadata, parquetRead } from 'hyparquet';
import { IngotError } from '../errors.ts';
import { formatInstant } from '../lake/time.ts';
import type { FileFacts } from '../ports.ts';

/* What a bronze file says of itself, read without a native engine, whichever encoder wrote it. */

export async function readBronzeFacts(bytes: Uint8Array): Promise<FileFacts> {
  try {
    return await readFacts(bytes);
  } catch (cause) {
    throw new IngotError('LOG_CORRUPT', 'a bronze file cannot be read', {
      retryable: false,
      facts: { bytes: bytes.byteLength, reason: String(cause) },
      cause,
    });
  }
}

async function readFacts(bytes: Uint8Array): Promise<FileFacts> {
  const file = arrayBufferOf(bytes);
  const metadata = parquetMetadata(file);
  const rows = Number(metadata.num_rows);
  const offsets = new BigInt64Array(rows);
  const instants: (bigint | null | undefined)[] = [];
  await parquetRead({
    file,
    metadata,
    columns: ['_offset', 'event_ts'],
    compressors,
    parsers,
    onChunk: ({ columnName, columnData, rowStart }) => {
      const values = columnData as ArrayLike<bigint>;
      if (columnName === '_offset') offsets.set(values, rowStart);
      else for (let row = 0; row < values.length; row += 1) instants.push(values[row]);
    },
  });
  return {
    rows,
    offsets: offsets.sort(),
    ...eventTimes(instants),
    metadata: Object.fromEntries(
      (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
  };
}

/** What our encoders use, beside Snappy, which hyparquet brings. */
const compressors: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  ZSTD: (bytes, length) => unzstd(bytes, new Uint8Array(length)),
};

/** Instants as microseconds: a Date for each row would be as much work as all the rest. */
const parsers = {
  timestampFromMilliseconds: (ms: bigint) => ms * 1_000n,
  timestampFromMicroseconds: (micros: bigint) => micros,
  // The port asks for a Date, but hands on whatever comes.
} as unknown as NonNullable<Parameters<typeof parquetRead>[0]['parsers']>;

const hourMicros = 3_600_000_000n;

function eventTimes(
  instants: readonly (bigint | null | undefined)[],
): Pick<FileFacts, 'rowsPerEventHour' | 'eventTimeMin' | 'eventTimeMax'> {
  const perHour = new Map<bigint, number>();
  let least: bigint | null = null;
  let most: bigint | null = null;
  for (const micros of instants) {
    if (micros === null || micros === undefined) continue;
    if (least === null || micros < least) least = micros;
    if (most === null || micros > most) most = micros;
    const hour = floorDivide(micros, hourMicros);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
  }
  const hours = [...perHour].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    rowsPerEventHour: Object.fromEntries(
      hours.map(([hour, rows]) => [formatMicros(hour * hourMicros).slice(0, 13), rows]),
    ),
    eventTimeMin: least === null ? null : formatMicros(least),
    eventTimeMax: most === null ? null : formatMicros(most),
  };
}

/** Digits beyond milliseconds are cut off. */
function formatMicros(micros: bigint): string {
  return formatInstant(Number(floorDivide(micros, 1_000n)));
}

/** Division of BigInts goes towards zero, also for instants before 1970. */
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

function arrayBufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}
