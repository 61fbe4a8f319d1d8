import { parentPort, workerData } from 'node:worker_threads';
import { type GroupDeps, startGroup } from '../activities/ingest-group.ts';
import type { Config } from '../config.ts';
import { datasetNamed } from '../datasets/index.ts';
import type { Logger } from '../ports.ts';
import {
  type FromThread,
  type ThreadStart,
  type ToThread,
  toPlainError,
} from './ingest-thread-messages.ts';
import { groupSettings } from './ingest-wiring.ts';
import { createLogger } from './logger.ts';

const reportEveryMs = 250;

/** The whole life of a thread: runs the group that it was started with, and tells how that goes. */
export function serveGroup(
  createPorts: (config: Config, logger: Logger) => GroupDeps['ports'],
): void {
  if (parentPort === null) throw new Error('this module is the start of a worker thread');
  const port = parentPort;
  const { config, dataset, spec, groups } = workerData as ThreadStart;
  const tell = (message: FromThread): void => port.postMessage(message);
  const group = startGroup(
    {
      ...groupSettings(config, datasetNamed(dataset), groups),
      ports: createPorts(config, createLogger(config, 'ingest-worker')),
    },
    spec,
  );
  const reporting = setInterval(
    () => tell({ kind: 'report', reports: group.reports() }),
    reportEveryMs,
  );
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'observe':
        return group.observe(message.offsets, message.atMs);
      case 'drop':
        return group.drop(message.log);
      case 'finish':
        return group.finish();
      case 'halt':
        return group.halt();
    }
  });
  void group.ended
    .then(
      (reports) => tell({ kind: 'ended', reports }),
      (error: unknown) => tell({ kind: 'failed', error: toPlainError(error) }),
    )
    .finally(() => {
      clearInterval(reporting);
      port.close();
    });
}
