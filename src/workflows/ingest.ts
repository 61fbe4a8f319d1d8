import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  currentUpdateInfo,
  log as logger,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type LogsOfLane,
  afterSlice,
  afterStops,
  describeLogs,
  pausedLog,
  withoutOf,
  withoutReplaced,
} from '../lake/lanes.ts';
import type { AcceptedGap, IngestInput, IngestResult, LogRequest } from '../lake/messages.ts';
import {
  acceptOffsetGapUpdate,
  laneWantedSignal,
  logsStoppedSignal,
  pauseLogUpdate,
  positionsQuery,
  renewSignal,
  resumeLogUpdate,
} from './messages.ts';
import { decisions, ingestion } from './proxies.ts';
import { checkedLogRequest, checkedLogsStopped } from './signal-checks.ts';
import { versioned } from './versioning.ts';

export type IngestLaneInput = Pick<IngestInput, 'dataset' | 'lane' | 'source'> & {
  /** The bookmark of the run before; comes with continue-as-new only. */
  readonly logs?: IngestResult['logs'];
  readonly revision?: number;
};

/** Above this a run ends at the next slice, well before Temporal suggests it. */
const historyLengthMax = 2_000;

/**
 * One lane: slice after slice of the ingest activity. Each slice returns its positions, so that the
 * bookmark is workflow history; the source logs in the lake remain the truth. What a person decides
 * about a log becomes part of the control of ingest, which the running slice reads, so that the other
 * logs go on.
 */
export async function ingestLane(input: IngestLaneInput): Promise<void> {
  const { dataset, lane, source } = input;
  const laneInput = { dataset, lane, ...(source === undefined ? {} : { source }) };
  let logs: LogsOfLane = input.logs ?? [];
  let revision = input.revision ?? 0;
  let renewed = false;
  let wanted: boolean;
  const change = (changed: LogsOfLane): void => {
    logs = changed;
    setCurrentDetails(describeLogs(logs));
  };
  setHandler(renewSignal, () => void (renewed = true));
  setHandler(laneWantedSignal, () => void (wanted = true));
  listen(dataset, { logs: () => logs, change });

  while (!renewed && !endOfRun()) {
    wanted = false;
    const without = { logs: withoutOf(logs), revision };
    const slice = { ...laneInput, without };
    const result = await sliceOf(slice, source);
    revision = result.revision;
    change(afterSlice(logs, result));
    if (result.ended !== 'retired') continue;
    await condition(allHandlersFinished);
    if (!wanted) return;
  }
  await condition(allHandlersFinished);
  // Whoever renews a lane wants it to serve all that is its own again.
  await continueAsNew<typeof ingestLane>({
    ...laneInput,
    revision,
    logs: renewed ? withoutReplaced(logs) : logs,
  });
}

async function sliceOf(
  slice: IngestInput,
  source: IngestLaneInput['source'],
): Promise<IngestResult> {
  try {
    return await (source === 'drop' ? ingestion.ingestDrop(slice) : ingestion.ingest(slice));
  } catch (error) {
    // A slice that ends with a passing fault after it was cancelled is not tried again.
    const isCancelled = error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED';
    throw isCancelled ? new CancelledFailure('the slice was cancelled', [], error) : error;
  }
}

type Lane = {
  readonly logs: () => LogsOfLane;
  readonly change: (logs: LogsOfLane) => void;
};

function listen(dataset: string, { logs, change }: Lane): void {
  setHandler(positionsQuery, logs);
  setHandler(logsStoppedSignal, (message) => {
    try {
      change(afterStops(logs(), checkedLogsStopped(message).stopped));
    } catch (error) {
      logger.warn('a signal makes no sense', { signal: 'logsStopped', reason: String(error) });
    }
  });
  setHandler(
    pauseLogUpdate,
    async (request) => {
      await decisions.changeControl({ dataset, change: { kind: 'pause', ...request } });
      change([...others(logs(), request), pausedLog(logs(), request)]);
    },
    { validator: (request: LogRequest) => void requireStop(logs(), request, null) },
  );
  setHandler(
    resumeLogUpdate,
    async (request) => {
      await decisions.changeControl({ dataset, change: { kind: 'goOn', log: request.log } });
      change(others(logs(), request));
    },
    { validator: (request: LogRequest) => void requireStop(logs(), request, resumable) },
  );
  setHandler(
    acceptOffsetGapUpdate,
    async (request) => {
      const accepted = await acceptGap(dataset, logs(), request);
      await decisions.changeControl({ dataset, change: { kind: 'goOn', log: request.log } });
      change(others(logs(), request));
      return accepted;
    },
    { validator: (request: LogRequest) => void requireStop(logs(), request, holes) },
  );
}

const resumable: readonly string[] = [
  'PAUSED',
  'WRITER_REPLACED',
  'RECORDS_UNREADABLE',
  'TOPIC_MISSING',
  'OBJECT_LOST',
];
const holes: readonly string[] = ['OFFSETS_LOST', 'TOPIC_CHANGED', 'OBJECT_LOST'];

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

// It lives for ever, so it moves to new code, which must replay what the old one did.
setWorkflowOptions(versioned('AUTO_UPGRADE'), ingestLane);
