import assert from 'node:assert/strict';
import { probeConditionalWrites } from '../../src/adapters/conditional-write-probe.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { IngotError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/ports.ts';

/** The memory store with some calls replaced. */
function storeWith(broken: (store: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const store = createMemoryObjectStore();
  return { ...store, ...broken(store) };
}

function isNotConditional(operation: string, won?: number) {
  return (error: unknown) =>
    error instanceof IngotError &&
    error.code === 'STORE_NOT_CONDITIONAL' &&
    !error.retryable &&
    error.facts['operation'] === operation &&
    (won === undefined || error.facts['won'] === won);
}

describe('probeConditionalWrites', () => {
  it('accepts a store with real preconditions and leaves nothing behind', async () => {
    const store = createMemoryObjectStore();
    await probeConditionalWrites(store, 'p1');
    assert.deepEqual(await store.listObjects(''), []);
  });

  it('refuses a store that ignores the precondition of a create', async () => {
    const store = storeWith((real) => ({
      createObject: async (key, bytes) => {
        await real.replaceObject(key, bytes);
        return { kind: 'created' };
      },
    }));
    await assert.rejects(probeConditionalWrites(store, 'p2'), isNotConditional('createObject', 8));
    assert.deepEqual(await store.listObjects(''), []);
  });

  it('refuses a store that ignores the precondition of a swap', async () => {
    const store = storeWith((real) => ({
      swapObject: async (key, bytes) => {
        await real.replaceObject(key, bytes);
        return { kind: 'swapped', etag: 'any' };
      },
    }));
    await assert.rejects(probeConditionalWrites(store, 'p3'), isNotConditional('swapObject', 8));
  });

  it('refuses a store that looks first and writes later', async () => {
    const store = storeWith((real) => ({
      createObject: async (key, bytes) => {
        if ((await real.headObject(key)) !== null) return { kind: 'alreadyExists' };
        await real.replaceObject(key, bytes);
        return { kind: 'created' };
      },
    }));
    await assert.rejects(probeConditionalWrites(store, 'p4'), isNotConditional('createObject'));
  });

  it('refuses a store that answers one winner but keeps the bytes of another', async () => {
    const store = storeWith((real) => ({
      createObject: async (key, bytes) => {
        const answer = await real.createObject(key, bytes);
        if (answer.kind === 'alreadyExists') await real.replaceObject(key, bytes);
        return answer;
      },
    }));
    await assert.rejects(probeConditionalWrites(store, 'p5'), isNotConditional('createObject', 1));
  });

  it('refuses a store that lets nobody create', async () => {
    const store = storeWith(() => ({ createObject: async () => ({ kind: 'alreadyExists' }) }));
    await assert.rejects(probeConditionalWrites(store, 'p6'), isNotConditional('createObject', 0));
  });

  it('accepts that the answer of the winner was lost and its repetition met its own write', async () => {
    const store = storeWith((real) => ({
      createObject: async (key, bytes) => {
        await real.createObject(key, bytes);
        return { kind: 'alreadyExists' };
      },
      swapObject: async (key, bytes, etag) => {
        await real.swapObject(key, bytes, etag);
        return { kind: 'conflict' };
      },
    }));
    await probeConditionalWrites(store, 'p7');
  });
});
