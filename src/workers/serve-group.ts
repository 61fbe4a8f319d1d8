import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Group, type GroupDeps, startGroup } from '../activities/ingest-group.ts';
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
  createPorts: (config: Config, logger: Logger) => Promise<GroupDeps['ports']>,
): void {
  if (parentPort === null) throw new Error('this module is the start of a worker thread');
  const port = parentPort;
  const { config, dataset, spec, groups } = workerData as ThreadStart;
  const tell = (message: FromThread): void => port.postMessage(message);
  const settings = groupSettings(config, datasetNamed(dataset), groups);
  createPorts(config, createLogger(config, 'ingest-worker')).then(
    (ports) => serve(port, startGroup({ ...settings, ports }, spec)),
    (error: unknown) => tell({ kind: 'failed', error: toPlainError(error) }),
  );
}

/** What was said before there was a group waits in the port. */
function serve(port: MessagePort, group: Group): void {
  const tell = (message: FromThread): void => port.postMessage(message);
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
