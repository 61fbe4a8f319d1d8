import { WorkflowClient } from '@temporalio/client';
import { Runtime } from '@temporalio/worker';
import { loadConfig } from '../../../src/config.ts';
import { startIngestWorker } from '../../../src/workers/ingest-worker.ts';
import { createLogger } from '../../../src/workers/logger.ts';
import { stepsFromEnvironment } from './steps.ts';

/*
 * The ingest worker of the product in a process of its own, started by the product's own wiring. Its
 * threads are those of ingest-thread.ts, so that its object store stops at the steps of a case.
 */

const steps = stepsFromEnvironment(process.env);
const config = loadConfig(process.env);
const thread = process.argv[2];
if (thread === undefined) throw new Error('which thread?');

type Tell = (
  this: WorkflowClient,
  type: unknown,
  options: { readonly workflowId: string; readonly signalArgs: unknown },
) => Promise<unknown>;
/** The one call to the owner of the windows; the worker makes its client by itself. */
const clients = WorkflowClient.prototype as unknown as { signalWithStart: Tell };
const tell = clients.signalWithStart;
clients.signalWithStart = function (type, options) {
  const { workflowId, signalArgs } = options;
  const call = { call: 'tellOwner', key: workflowId, content: JSON.stringify(signalArgs) };
  return steps.around(call, () => tell.call(this, type, options));
};

// A test that is gone leaves nothing behind.
process.on('disconnect', () => process.exit(1));
Runtime.install({ shutdownSignals: [] });
const running = await startIngestWorker(
  config,
  createLogger(config, 'ingest-worker'),
  new URL(thread),
);
process.on('SIGTERM', () => {
  running.drain();
  for (const worker of running.workers) worker.shutdown();
});
const runs = running.workers.map((worker) => worker.run());
process.send?.('ready');
await Promise.all(runs);
await running.close();
process.exit(0);
