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

/** The whole life of a thread: runs one group after the other, and tells how that goes. */
export function serveGroups(
  createPorts: (config: Config, logger: Logger) => Promise<GroupDeps['ports']>,
): void {
  if (parentPort === null) throw new Error('this module is the start of a worker thread');
  const port = parentPort;
  const { config, dataset, groups } = workerData as ThreadStart;
  const settings = groupSettings(config, datasetNamed(dataset), groups);
  createPorts(config, createLogger(config, 'ingest-worker')).then(
    (ports) => serve(port, { ...settings, ports }),
    (error: unknown) => tell(port, { kind: 'failed', error: toPlainError(error) }),
  );
}

/** What was said before there were ports waits in the port of the thread. */
function serve(port: MessagePort, deps: GroupDeps): void {
  let group: Group | null = null;
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'begin':
        group = startGroup(deps, message.spec);
        // What it held must not lie beside what the next one holds.
        tellOf(port, group, () => (group = null));
        return;
      case 'observe':
        return group?.observe(message.offsets, message.atMs);
      case 'drop':
        return group?.drop(message.log);
      case 'finish':
        return group?.finish();
      case 'halt':
        return group?.halt();
    }
  });
}

function tellOf(port: MessagePort, group: Group, onEnd: () => void): void {
  const reporting = setInterval(
    () => tell(port, { kind: 'report', reports: group.reports() }),
    reportEveryMs,
  );
  void group.ended.then(
    (reports) => {
      clearInterval(reporting);
      onEnd();
      tell(port, { kind: 'ended', reports });
    },
    (error: unknown) => {
      clearInterval(reporting);
      tell(port, { kind: 'failed', error: toPlainError(error) });
    },
  );
}

function tell(port: MessagePort, message: FromThread): void {
  port.postMessage(message);
}
