import { continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { IngestInput, IngestResult, LogPosition } from '../lake/messages.ts';
import { positionsQuery, renewSignal } from './messages.ts';
import { ingestion } from './proxies.ts';

export type IngestLaneInput = IngestInput & {
  /** The bookmark of the run before; comes with continue-as-new only. */
  readonly logs?: IngestResult['logs'];
};

/** Above this a run ends at the next slice, well before Temporal suggests it. */
const historyLengthMax = 2_000;

/**
 * One lane: slice after slice of the ingest activity. Each slice returns its positions, so that the
 * bookmark is workflow history; the source logs in the lake remain the truth.
 */
export async function ingestLane(input: IngestLaneInput): Promise<void> {
  let logs = input.logs ?? [];
  let renewed = false;
  setHandler(positionsQuery, () => logs);
  setHandler(renewSignal, () => void (renewed = true));
  while (!renewed && !endOfRun()) {
    const { dataset, lane } = input;
    const result = await ingestion.ingest({ dataset, lane, yielded: yieldedOf(logs) });
    logs = [...result.logs, ...logs.filter((each) => isYielded(each) && !isAmong(result, each))];
    setCurrentDetails(describe(logs));
  }
  const { dataset, lane } = input;
  // Whoever renews a lane wants it to serve all that is its own again.
  const kept = renewed ? logs.filter((log) => !isYielded(log)) : logs;
  await continueAsNew<typeof ingestLane>({ dataset, lane, logs: kept });
}

function yieldedOf(logs: IngestResult['logs']): readonly string[] {
  return logs.filter(isYielded).map(({ log }) => log);
}

/** Another writer has taken the log over. Taking it back would only be answered in kind. */
function isYielded({ stopped }: LogPosition): boolean {
  return stopped?.code === 'WRITER_REPLACED';
}

function isAmong({ logs }: IngestResult, { log }: LogPosition): boolean {
  return logs.some((each) => each.log === log);
}

function endOfRun(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > historyLengthMax;
}

function describe(logs: IngestResult['logs']): string {
  const lines = logs.map(({ log, number, offsetNext, stopped }) =>
    stopped === null
      ? `${log}: entry ${number}, next offset ${offsetNext}`
      : `${log}: stopped, ${stopped.message}`,
  );
  return lines.join('\n');
}
