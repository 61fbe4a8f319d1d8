import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { describeObjectStore } from '../support/contracts/object-store.ts';

describeObjectStore('memory', async () => ({
  store: createMemoryObjectStore(),
  close: async () => {},
}));
