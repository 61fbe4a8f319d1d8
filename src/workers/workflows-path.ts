import { fileURLToPath } from 'node:url';

/** Where the workflow code begins; the same bundle is replayed by the tests. */
export const workflowsPath = fileURLToPath(
  new URL(`../workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
