import {
  ApplicationFailure,
  CancellationScope,
  condition,
  allHandlersFinished,
  continueAsNew,
  currentUpdateInfo,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type LogsOfLane,
  afterSlice,
  describeLogs,
  pausedLog,
  withoutOf,
  withoutReplaced,
} from '../lake/lanes.ts';
import type { AcceptedGap, IngestInput, IngestResult, LogRequest } from '../lake/messages.ts';
import {
  acceptOffsetGapUpdate,
  pauseLogUpdate,
  positionsQuery,
  renewSignal,
  resumeLogUpdate,
} from './messages.ts';
import { decisions, ingestion } from './proxies.ts';
import { checkedLogRequest } from './signal-checks.ts';

export type IngestLaneInput = IngestInput & {
  /** The bookmark of the run before; comes with continue-as-new only. */
  readonly logs?: IngestResult['logs'];
};

/** Above this a run ends at the next slice, well before Temporal suggests it. */
const historyLengthMax = 2_000;

/**
 * One lane: slice after slice of the ingest activity. Each slice returns its positions, so that the
 * bookmark is workflow history; the source logs in the lake remain the truth. What a person decides
 * about a log ends the running slice, so that the next one knows.
 */
export async function ingestLane(input: IngestLaneInput): Promise<void> {
  const { dataset, lane } = input;
  let logs: LogsOfLane = input.logs ?? [];
  let renewed = false;
  let slice: CancellationScope | null = null;
  const change = (changed: LogsOfLane): void => {
    logs = changed;
    setCurrentDetails(describeLogs(logs));
    slice?.cancel();
  };
  setHandler(positionsQuery, () => logs);
  setHandler(renewSignal, () => void (renewed = true));
  setHandler(
    pauseLogUpdate,
    (request) => change([...others(logs, request), pausedLog(logs, request)]),
    { validator: (request: LogRequest) => void requireStop(logs, request, null) },
  );
  setHandler(resumeLogUpdate, (request) => change(others(logs, request)), {
    validator: (request: LogRequest) =>
      void requireStop(logs, request, ['PAUSED', 'WRITER_REPLACED']),
  });
  setHandler(
    acceptOffsetGapUpdate,
    async (request) => {
      const accepted = await acceptGap(dataset, logs, request);
      change(others(logs, request));
      return accepted;
    },
    { validator: (request: LogRequest) => void requireStop(logs, request, holes) },
  );

  while (!renewed && !endOfRun()) {
    slice = new CancellationScope();
    const result = await runUnlessChanged(slice, { dataset, lane, without: withoutOf(logs) });
    slice = null;
    if (result === null) continue;
    logs = afterSlice(logs, result);
    setCurrentDetails(describeLogs(logs));
  }
  await condition(allHandlersFinished);
  // Whoever renews a lane wants it to serve all that is its own again.
  await continueAsNew<typeof ingestLane>({
    dataset,
    lane,
    logs: renewed ? withoutReplaced(logs) : logs,
  });
}

/** `null` when a decision has ended the slice; what it sealed stays sealed. */
async function runUnlessChanged(
  slice: CancellationScope,
  input: IngestInput,
): Promise<IngestResult | null> {
  try {
    return await slice.run(() => ingestion.ingest(input));
  } catch (error) {
    const isOwn = isCancellation(error) && slice.consideredCancelled;
    if (isOwn && !CancellationScope.current().consideredCancelled) return null;
    throw error;
  }
}

const holes: readonly string[] = ['OFFSETS_LOST', 'TOPIC_CHANGED'];

async function acceptGap(
  dataset: string,
  logs: LogsOfLane,
  request: LogRequest,
): Promise<AcceptedGap> {
  const { code } = requireStop(logs, request, holes);
  const id = currentUpdateInfo()?.id ?? workflowInfo().runId;
  return decisions.acceptGap({ ...request, dataset, id, code });
}

/** The validator of every decision: what it asks for must fit what the log has stopped with. */
function requireStop(
  logs: LogsOfLane,
  request: LogRequest,
  codes: readonly string[] | null,
): { readonly code: string } {
  const { log } = checkedLogRequest(request);
  const stopped = logs.find((each) => each.log === log)?.stopped ?? null;
  if (codes === null ? stopped === null : codes.includes(stopped?.code ?? '')) {
    return { code: stopped?.code ?? '' };
  }
  const state = stopped === null ? 'is not stopped' : `is stopped by ${stopped.code}`;
  throw ApplicationFailure.nonRetryable(`source log ${log} ${state}`, 'INPUT_INVALID');
}

function others(logs: LogsOfLane, { log }: LogRequest): LogsOfLane {
  return logs.filter((each) => each.log !== log);
}

function endOfRun(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > historyLengthMax;
}
