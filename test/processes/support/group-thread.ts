import { parentPort, threadId } from 'node:worker_threads';
import type { LogReport } from '../../../src/activities/ingest-logs.ts';
import { formatInstant } from '../../../src/lake/time.ts';
import type { FromThread, ToThread } from '../../../src/workers/ingest-thread-messages.ts';

/*
 * A thread of groups without Kafka or a lake. Its report has for a log which thread it is, and for a
 * number how often its group was told to halt. What it does is in the name of the writer.
 */

let writer = '';
let halts = 0;

parentPort!.on('message', (message: ToThread) => {
  if (message.kind === 'begin') {
    writer = message.spec.writer;
    halts = 0;
    if (writer === 'dies') process.exit(3);
    if (writer === 'fails') {
      tell({ kind: 'failed', error: { message: 'no lake', stack: null, fault: null } });
    } else {
      tell({ kind: 'report', reports: [report()] });
    }
  }
  if (message.kind === 'halt') halts += 1;
  if (message.kind === 'finish') {
    tell({ kind: 'ended', reports: [report()] });
    if (writer === 'dies later') setImmediate(() => fail());
  }
});

function report(): LogReport {
  const counts = { batches: 0, records: 0, rows: 0, deadLetters: 0 };
  const place = { log: `thread-${threadId}`, number: halts, offsetNext: '0' };
  const flags = { stopped: null, caughtUp: true, left: false };
  return { ...place, ...counts, ...flags, frontier: formatInstant(0) };
}

function fail(): never {
  throw new Error('out of memory');
}

function tell(message: FromThread): void {
  parentPort!.postMessage(message);
}
