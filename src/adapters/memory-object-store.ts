import { createHash } from 'node:crypto';
import { IngotError } from '../errors.ts';
import type {
  ListOptions,
  ObjectStore,
  ObjectSummary,
  StoredObject,
  SwapResult,
} from '../ports.ts';

/**
 * A store in the memory of this process, with real preconditions: for tests and dry runs. Each
 * call decides and acts in one step, so simultaneous calls cannot both win. Bytes are copied in
 * and out. As on S3, the etag is the hash of the content: the same bytes written again have the
 * same etag, so a caller that must notice a rewrite has to put something new into the bytes.
 */
export function createMemoryObjectStore(): ObjectStore {
  const objects = new Map<string, StoredObject>();

  const write = (key: string, bytes: Uint8Array): string => {
    const stored = { bytes: Uint8Array.from(bytes), etag: etagOf(bytes) };
    objects.set(key, stored);
    return stored.etag;
  };
  return {
    createObject: async (key, bytes) => {
      if (objects.has(key)) return { kind: 'alreadyExists' };
      write(key, bytes);
      return { kind: 'created' };
    },
    swapObject: async (key, bytes, etag): Promise<SwapResult> => {
      if ((objects.get(key)?.etag ?? null) !== etag) return { kind: 'conflict' };
      return { kind: 'swapped', etag: write(key, bytes) };
    },
    replaceObject: async (key, bytes) => {
      write(key, bytes);
    },
    readObject: async (key, { first, length } = { first: 0, length: Infinity }) => {
      const stored = objects.get(key);
      if (stored === undefined) return null;
      return { ...stored, bytes: stored.bytes.slice(first, first + length) };
    },
    headObject: async (key) => {
      const stored = objects.get(key);
      return stored === undefined ? null : summaryOf(key, stored);
    },
    listObjects: async (prefix, options = {}) => list(objects, prefix, options),
    copyObject: async (from, to) => {
      const stored = objects.get(from);
      if (stored === undefined) {
        throw new IngotError('OBJECT_MISSING', 'there is no such object to copy', {
          retryable: false,
          facts: { key: from, to },
        });
      }
      objects.set(to, stored);
    },
    deleteObjects: async (keys) => {
      for (const key of keys) objects.delete(key);
    },
  };
}

function list(
  objects: ReadonlyMap<string, StoredObject>,
  prefix: string,
  { startAfter, limit }: ListOptions,
): readonly ObjectSummary[] {
  return [...objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .filter((key) => startAfter === undefined || compareBytes(key, startAfter) > 0)
    .sort(compareBytes)
    .slice(0, limit)
    .flatMap((key) => {
      const stored = objects.get(key);
      return stored === undefined ? [] : [summaryOf(key, stored)];
    });
}

/** The order of S3: of the UTF-8 bytes, which is not that of JavaScript's UTF-16 units. */
function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function summaryOf(key: string, stored: StoredObject): ObjectSummary {
  return { key, bytes: stored.bytes.byteLength, etag: stored.etag };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}
