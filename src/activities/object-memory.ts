import type { ObjectStore, ObjectSummary, StoredObject } from '../ports.ts';
import { type JsonObject, readJson } from './json-objects.ts';

/* What a resident reader has read of the lake: it asks again only for what may have changed. */

export type ObjectMemory = {
  /** The same store; what never changes once it is there is read from it once. */
  readonly objects: ObjectStore;
  /** What was listed, read again when its etag is another one. `null` when it is gone. */
  readonly readListed: <T>(summary: ObjectSummary) => Promise<JsonObject<T> | null>;
};

/** Of each kind. A seal has about a thousand bytes. */
const objectsMax = 20_000;

/** Seals and checkpoints are created and never replaced; the log would not be one otherwise. */
function isFinal(key: string): boolean {
  return key.startsWith('_checkpoint/') || (key.startsWith('_log/') && key.endsWith('.seal.json'));
}

export function createObjectMemory(objects: ObjectStore): ObjectMemory {
  const finals = createRecent<StoredObject>(objectsMax);
  const listed = createRecent<JsonObject<unknown>>(objectsMax);
  return {
    objects: {
      ...objects,
      readObject: async (key, part) => {
        if (part !== undefined || !isFinal(key)) return objects.readObject(key, part);
        const known = finals.get(key);
        if (known !== undefined) return known;
        const found = await objects.readObject(key);
        if (found !== null) finals.set(key, found);
        return found;
      },
    },
    readListed: async <T>({ key, etag }: ObjectSummary) => {
      const known = listed.get(key);
      if (known?.etag === etag) return known as JsonObject<T>;
      const found = await readJson<T>(objects, key);
      if (found !== null) listed.set(key, found);
      return found;
    },
  };
}

export type Recent<T> = {
  readonly get: (key: string) => T | undefined;
  readonly set: (key: string, value: T) => void;
  readonly forget: (key: string) => void;
};

/** Remembers so many; those not asked for the longest go first. */
export function createRecent<T>(heldMax: number): Recent<T> {
  const held = new Map<string, T>();
  const set = (key: string, value: T): void => {
    held.delete(key);
    held.set(key, value);
    if (held.size > heldMax) held.delete(held.keys().next().value!);
  };
  return {
    get: (key) => {
      const value = held.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
    forget: (key) => void held.delete(key),
  };
}
