import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { describeObjectParts } from '../support/contracts/object-parts.ts';
import { describeObjectStore } from '../support/contracts/object-store.ts';

const open = async () => ({ store: createMemoryObjectStore(), close: async () => {} });

describeObjectStore('memory', open);
describeObjectParts('memory', open);
