import { IngotError } from '../errors.ts';
import { canonicalJson } from '../lake/pointer.ts';
import type { ObjectStore } from '../ports.ts';

/* Small JSON objects of the lake, written with sorted keys so that equal values are equal bytes. */

const decoder = new TextDecoder('utf-8', { fatal: true });

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

export type JsonObject<T> = {
  readonly value: T;
  readonly bytes: Uint8Array;
  readonly etag: string;
};

/** `null` when there is none; `LOG_CORRUPT` when it is not JSON. Only Ingot writes these keys. */
export async function readJson<T>(
  objects: Pick<ObjectStore, 'readObject'>,
  key: string,
): Promise<JsonObject<T> | null> {
  const found = await objects.readObject(key);
  if (found === null) return null;
  try {
    const value = JSON.parse(decoder.decode(found.bytes)) as T;
    return { value, bytes: found.bytes, etag: found.etag };
  } catch (cause) {
    throw new IngotError('LOG_CORRUPT', 'object is not the JSON that Ingot writes', {
      retryable: false,
      facts: { key },
      cause,
    });
  }
}
