import type { ObjectStore } from '../../src/ports.ts';

/* Stores that misbehave as real ones and dying processes do, around a store that does not. */

export type StoreStep = {
  readonly name: keyof ObjectStore;
  /** The object, or the prefix of a listing. */
  readonly key: string;
  readonly isWrite: boolean;
};

/** Decides what becomes of one operation: run it, fail before or after it, or let others go first. */
export type Around = <T>(step: StoreStep, run: () => Promise<T>) => Promise<T>;

export function aroundStore(store: ObjectStore, around: Around): ObjectStore {
  const write = (name: keyof ObjectStore, key: string) => ({ name, key, isWrite: true });
  const read = (name: keyof ObjectStore, key: string) => ({ name, key, isWrite: false });
  return {
    createObject: (key, bytes) =>
      around(write('createObject', key), () => store.createObject(key, bytes)),
    swapObject: (key, bytes, etag) =>
      around(write('swapObject', key), () => store.swapObject(key, bytes, etag)),
    replaceObject: (key, bytes) =>
      around(write('replaceObject', key), () => store.replaceObject(key, bytes)),
    copyObject: (from, to) => around(write('copyObject', to), () => store.copyObject(from, to)),
    deleteObjects: (keys) =>
      around(write('deleteObjects', keys.join()), () => store.deleteObjects(keys)),
    readObject: (key, part) => around(read('readObject', key), () => store.readObject(key, part)),
    headObject: (key) => around(read('headObject', key), () => store.headObject(key)),
    listObjects: (prefix, options) =>
      around(read('listObjects', prefix), () => store.listObjects(prefix, options)),
  };
}

/** Every operation, in the order of their begin. */
export function recordingStore(store: ObjectStore): {
  readonly store: ObjectStore;
  readonly steps: readonly StoreStep[];
} {
  const steps: StoreStep[] = [];
  const recorded = aroundStore(store, (step, run) => {
    steps.push(step);
    return run();
  });
  return { store: recorded, steps };
}

export class Crash extends Error {}

/**
 * A process that dies at its n-th operation, counted from 0: just before it takes effect, or just
 * after. Nothing that the process does later has an effect either.
 */
export function crashingStore(
  store: ObjectStore,
  crash: { readonly at: number; readonly when: 'before' | 'after' },
): ObjectStore & { readonly isDead: () => boolean } {
  let count = 0;
  let dead = false;
  const crashing = aroundStore(store, async (step, run) => {
    const isLast = count === crash.at;
    count += 1;
    if (dead) throw new Crash(`dead before ${step.name} ${step.key}`);
    if (!isLast) return run();
    dead = true;
    if (crash.when === 'after') await run();
    throw new Crash(`died ${crash.when} ${step.name} ${step.key}`);
  });
  return { ...crashing, isDead: () => dead };
}

/**
 * Loses the answer of one create that matches: the object is there, and the caller sees what a
 * client sees that asked once more by itself, or nothing but a broken connection.
 */
export function forgetfulStore(
  store: ObjectStore,
  lost: { readonly key: RegExp; readonly answer: 'alreadyExists' | 'throws' },
): ObjectStore {
  let done = false;
  return {
    ...store,
    createObject: async (key, bytes) => {
      const result = await store.createObject(key, bytes);
      if (done || !lost.key.test(key)) return result;
      done = true;
      if (lost.answer === 'alreadyExists') return { kind: 'alreadyExists' };
      throw new Crash(`the answer of ${key} was lost`);
    },
  };
}
