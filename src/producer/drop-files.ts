import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { formatInstant, minuteMs } from '../lake/time.ts';
import { type StreamRecord, generateEvents } from './events.ts';
import { createRandom } from './random.ts';

/*
 * Files as the source of S004 drops them: one for each interval, each of some hundred thousand
 * events of which a twentieth to a tenth are there twice. The same options make the same bytes.
 */

export type DropFileFormat = 'jsonl' | 'csv';

export type DropFilesOptions = {
  readonly seed: number;
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly intervalMinutes: number;
  readonly eventsMin: number;
  readonly eventsMax: number;
  readonly duplicatesMin: number;
  readonly duplicatesMax: number;
  /** Share of the events that each file has. */
  readonly scale: number;
  readonly format: DropFileFormat;
};

export type DropFile = {
  /** `dt=2026-08-21/events-20260821T130000Z.json.gz`: names sort as their times do. */
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly records: number;
  readonly duplicates: number;
  readonly seed: number;
  readonly format: DropFileFormat;
};

const suffixes = { jsonl: '.json.gz', csv: '.csv.gz' } as const;

/** One file for each whole or begun interval, with so many events as its time and the seed say. */
export function dropFiles(options: DropFilesOptions): readonly DropFile[] {
  const { seed, startMs, endMs, format, scale } = options;
  const intervalMs = options.intervalMinutes * minuteMs;
  const files = Math.max(0, Math.ceil((endMs - startMs) / intervalMs));
  return Array.from({ length: files }, (_, index) => {
    const from = startMs + index * intervalMs;
    const random = createRandom(`drop file|${seed}|${from}`);
    const count = random.between(options.eventsMin, options.eventsMax) * scale;
    return {
      name: nameOf(from, format),
      startMs: from,
      endMs: Math.min(endMs, from + intervalMs),
      records: Math.max(1, Math.round(count)),
      duplicates: random.between(options.duplicatesMin, options.duplicatesMax),
      seed,
      format,
    };
  });
}

function nameOf(startMs: number, format: DropFileFormat): string {
  const time = formatInstant(startMs);
  const compact = time.slice(0, 19).replaceAll(/[-:]/g, '');
  return `dt=${time.slice(0, 10)}/events-${compact}Z${suffixes[format]}`;
}

export type WrittenFile = { readonly bytes: number; readonly duplicates: number };

type OnProgress = (records: number) => void;

/** Writes a file into a folder; it has its name only once it is whole. */
export async function writeDropFile(
  file: DropFile,
  folder: string,
  options: {
    readonly fields: readonly string[];
    readonly onProgress: OnProgress;
    readonly signal: AbortSignal;
  },
): Promise<WrittenFile> {
  const path = join(folder, file.name);
  await mkdir(dirname(path), { recursive: true });
  const out = createWriteStream(`${path}.part`);
  const duplicates = await compress(file, out, options);
  await rename(`${path}.part`, path);
  return { bytes: out.bytesWritten, duplicates };
}

/** The bytes of a file. Only what is compressed is held, which is some tens of megabytes. */
export async function encodeDropFile(
  file: DropFile,
  options: {
    readonly fields: readonly string[];
    readonly onProgress: OnProgress;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly bytes: Uint8Array; readonly duplicates: number }> {
  const chunks: Buffer[] = [];
  const collect = async function (source: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of source) chunks.push(chunk);
  };
  const duplicates = await compress(file, collect, options);
  return { bytes: Buffer.concat(chunks), duplicates };
}

async function compress(
  file: DropFile,
  to: Writable | ((source: AsyncIterable<Buffer>) => Promise<void>),
  options: {
    readonly fields: readonly string[];
    readonly onProgress: OnProgress;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  let duplicates = 0;
  const pieces = piecesOf(file, options, () => (duplicates += 1));
  const source = Readable.from(pieces, { objectMode: false });
  // A stream and a function are both what a pipeline may end in; its types know one at a time.
  await (typeof to === 'function'
    ? pipeline(source, createGzip(), to, { signal: options.signal })
    : pipeline(source, createGzip(), to, { signal: options.signal }));
  return duplicates;
}

/** So many records at a time go on to be compressed. */
const pieceRecords = 500;

function* piecesOf(
  file: DropFile,
  { fields, onProgress }: { readonly fields: readonly string[]; readonly onProgress: OnProgress },
  onDuplicate: () => void,
): Generator<Buffer> {
  const lineOf = file.format === 'csv' ? csvLine(fields) : jsonLine;
  let lines: string[] = file.format === 'csv' ? [`${fields.join(',')}\n`] : [];
  let done = 0;
  for (const record of recordsOf(file)) {
    if (record.kind === 'duplicate') onDuplicate();
    lines.push(lineOf(record));
    done += 1;
    if (lines.length < pieceRecords) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
    onProgress(done);
  }
  yield Buffer.from(lines.join(''));
  onProgress(done);
}

function recordsOf({
  seed,
  startMs,
  endMs,
  records,
  duplicates,
}: DropFile): Iterable<StreamRecord> {
  return generateEvents({
    profile: 'ecommerce',
    seed,
    start: formatInstant(startMs),
    end: formatInstant(endMs),
    count: records,
    rates: { duplicates },
  });
}

function jsonLine({ value }: StreamRecord): string {
  return `${value.toString()}\n`;
}

function csvLine(fields: readonly string[]): (record: StreamRecord) => string {
  return ({ value }) => {
    const event = JSON.parse(value.toString()) as Readonly<Record<string, unknown>>;
    return `${fields.map((name) => csvField(event[name])).join(',')}\n`;
  };
}

function csvField(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
