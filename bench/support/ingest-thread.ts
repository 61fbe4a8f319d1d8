import { BroadcastChannel } from 'node:worker_threads';
import { createGroupPorts } from '../../src/workers/ingest-wiring.ts';
import { serveGroups } from '../../src/workers/serve-groups.ts';
import { silentLogger } from './measure.ts';

/* The thread of the product, which also tells when its first fetch begins. */

const channel = new BroadcastChannel('first-fetch');
serveGroups((config) =>
  createGroupPorts(config, {
    ...silentLogger,
    debug: (_, message) => {
      if (message === 'the first fetch begins') channel.postMessage(Date.now());
    },
    warn: (facts, message) => process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
    error: (facts, message) => process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
  }),
);
