import { type InjectedSinks, Runtime } from '@temporalio/worker';
import { loadConfig } from '../../../src/config.ts';
import { events } from '../../../src/datasets/events.ts';
import { createLogger } from '../../../src/workers/logger.ts';
import { startTransformWorker } from '../../../src/workers/transform-worker.ts';
import {
  createCatalog,
  createObjects,
  createPorts,
  transformEngine,
} from '../../../src/workers/wiring.ts';
import type { ReportSinks } from './report-step.ts';
import { steppedCatalog, steppedStore, stepsFromEnvironment } from './steps.ts';

/*
 * The transform worker of the product in a process of its own. Its object store and its catalog stop
 * at the steps of a case, also beneath the engine; its workflows stop before they report.
 */

const steps = stepsFromEnvironment(process.env);
const config = loadConfig(process.env);
const [codePath] = process.argv.slice(2);
if (codePath === undefined) throw new Error('which workflow code?');

const sinks: InjectedSinks<ReportSinks> = {
  chaos: {
    report: {
      // Called before the commands of the workflow go to the server.
      fn: (_info, { from }) =>
        void steps.around({ call: 'report', key: from, content: '' }, () => Promise.resolve()),
      callDuringReplay: false,
    },
  },
};

// A test that is gone leaves nothing behind.
process.on('disconnect', () => process.exit(1));
Runtime.install({ shutdownSignals: [] });
const logger = createLogger(config, 'transform-worker');
const objects = steppedStore(createObjects(config), steps);
const catalog = steppedCatalog(createCatalog(config), steps);
const running = await startTransformWorker(config, logger, {
  ports: await createPorts(config, events, logger, {
    objects,
    catalog,
    ...transformEngine(config),
  }),
  // What a poll of a frozen process has taken is given up before somebody else gets it: so few polls.
  all: { maxConcurrentActivityTaskPolls: 1, maxHeartbeatThrottleInterval: '500ms' },
  workflows: {
    maxConcurrentWorkflowTaskPolls: 2,
    workflowBundle: { codePath },
    sinks,
    // Whoever takes over from a dead worker need not wait for it.
    stickyQueueScheduleToStartTimeout: '1s',
  },
});
process.on('SIGTERM', () => {
  running.drain();
  for (const worker of running.workers) worker.shutdown();
});
const runs = running.workers.map((worker) => worker.run());
process.send?.('ready');
await Promise.all(runs);
await running.close();
process.exit(0);
