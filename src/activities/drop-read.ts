import { createGunzip } from 'node:zlib';
import { IngotError } from '../errors.ts';
import { createCsvLines } from '../lake/csv-lines.ts';
import type { Dataset } from '../lake/dataset.ts';
import { dropFormat } from '../lake/drop.ts';
import type { DroppedLine, DroppedObject, LineReader } from '../lake/dropped-object.ts';
import { createJsonLines } from '../lake/json-lines.ts';
import type { ObjectStore } from '../ports.ts';

/*
 * Reading a dropped object from its beginning, however large it is: part by part, and no part is
 * held longer than its lines. The same version gives the same lines, each time.
 */

export type ReadDeps = {
  readonly objects: Pick<ObjectStore, 'readObject'>;
  readonly dataset: Pick<Dataset, 'fields' | 'placement'>;
  readonly recordBytesMax: number;
};

const partBytes = 4 * 1_048_576;
/** gzip makes at most a thousand times as much of it at once. */
const pieceBytes = 32_768;
/** What is lost before a damaged place, at most: that much is never handed out by the library. */
const inflatedChunkBytes = 16_384;

/**
 * The lines of an object in their order, a few at a time; returns how many there are, blank ones
 * included. `OBJECT_LOST` when the version is not there any more.
 */
export async function* readDropped(
  deps: ReadDeps,
  object: DroppedObject,
): AsyncGenerator<readonly DroppedLine[], number> {
  const format = dropFormat(object.key);
  if (format === null) throw new Error(`${object.key} is not of a kind that can be read`);
  const options = {
    lineBytesMax: deps.recordBytesMax,
    fields: deps.dataset.fields,
    rule: deps.dataset.placement,
  };
  const reader = format.lines === 'csv' ? createCsvLines(options) : createJsonLines(options);
  // An object of no bytes holds no lines, whatever its name says.
  if (object.bytes === 0) return 0;
  const stored = readParts(deps.objects, object);
  const bytes = format.gzip ? inflated(stored) : stored;
  try {
    return yield* linesOf(bytes, reader);
  } finally {
    // Whoever wants no more lines must not leave the rest of the object open.
    await bytes.return(null);
  }
}

async function* linesOf(
  bytes: AsyncGenerator<Uint8Array, string | null>,
  reader: LineReader,
): AsyncGenerator<readonly DroppedLine[], number> {
  for (let isFirst = true; ; isFirst = false) {
    const next = await bytes.next();
    if (next.done === true) {
      yield reader.end(next.value);
      return reader.lines();
    }
    const refused = isFirst ? wrongEncoding(next.value) : null;
    if (refused !== null) {
      yield [refused];
      return 1;
    }
    yield reader.push(isFirst ? withoutMark(next.value) : next.value);
    if (reader.isOver()) return reader.lines();
  }
}

/** The bytes as they lie in the store, which end where the object does. */
async function* readParts(
  objects: ReadDeps['objects'],
  object: DroppedObject,
): AsyncGenerator<Uint8Array, string | null> {
  for (let first = 0; first < object.bytes; first += partBytes) {
    const stored = await objects.readObject(object.key, { first, length: partBytes });
    if (stored === null || stored.etag !== object.etag) throw lost(object, stored?.etag ?? null);
    yield stored.bytes;
  }
  return null;
}

function lost({ key, etag }: DroppedObject, found: string | null): IngotError {
  const sentence =
    found === null
      ? 'a dropped object was deleted before it was taken whole'
      : 'a dropped object was replaced before it was taken whole';
  return new IngotError('OBJECT_LOST', sentence, {
    retryable: false,
    facts: { key, wanted: etag, found },
  });
}

/** What is inside gzip. Returns why it ends early, `null` where it does not. */
async function* inflated(
  compressed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, string | null> {
  const gunzip = createGunzip({ chunkSize: inflatedChunkBytes });
  let ready: Buffer[] = [];
  let failure: NodeJS.ErrnoException | null = null;
  // A stream that has failed calls nobody back, so each wait is also for that.
  const failed = new Promise<void>((resolve) =>
    gunzip.on('error', (error) => {
      failure = error;
      resolve();
    }),
  );
  const ended = new Promise<void>((resolve) => gunzip.on('end', resolve));
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk));
  const taken = (): Uint8Array[] => {
    const chunks = ready;
    ready = [];
    return chunks.length === 0 ? [] : [Buffer.concat(chunks)];
  };
  try {
    for await (const part of compressed) {
      for (let at = 0; at < part.byteLength && failure === null; at += pieceBytes) {
        const piece = part.subarray(at, at + pieceBytes);
        await Promise.race([
          failed,
          new Promise<void>((resolve) => void gunzip.write(piece, () => resolve())),
        ]);
        yield* taken();
      }
      if (failure !== null) break;
    }
    if (failure === null) {
      gunzip.end();
      await Promise.race([ended, failed]);
    }
    yield* taken();
    return failure === null ? null : whyBroken(failure);
  } finally {
    gunzip.destroy();
  }
}

function whyBroken({ code, message }: NodeJS.ErrnoException): string {
  return code === 'Z_BUF_ERROR'
    ? 'the gzip data end in the middle; everything before was taken'
    : `the gzip data are damaged (${message}); what could be read before was taken`;
}

/** UTF-16 is what spreadsheets call Unicode: each of its lines would be the same dead letter. */
function wrongEncoding(bytes: Uint8Array): DroppedLine | null {
  const mark = `${bytes[0]} ${bytes[1]}`;
  if (mark !== '255 254' && mark !== '254 255') return null;
  const detail = 'the object is UTF-16, wanted UTF-8';
  return { kind: 'fault', line: 0, reason: 'OBJECT_UNREADABLE', detail, value: null };
}

/** Without the mark that some programs put in front of UTF-8. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}
