import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import { addTallies, describeTally, emptyTally } from '../lake/janitor-tally.ts';
import type { JanitorCursor, JanitorReport, SweepResult } from '../lake/messages.ts';
import { formatInstant } from '../lake/time.ts';
import { nowMs } from './clock.ts';
import { janitorProgressQuery } from './messages.ts';
import { sweeping } from './proxies.ts';
import { versioned } from './versioning.ts';

export type JanitorInput = {
  readonly dataset: string;
  readonly dryRun: boolean;
  /** Comes with continue-as-new only. */
  readonly goOn?: { readonly cursor: JanitorCursor; readonly report: JanitorReport };
};

/** Pages of one run: a history that is short, and quick to replay. */
const pagesMax = 10;

/** Removes what is past its time, page after page, and ends with what it has removed. */
export async function janitor({ dataset, dryRun, goOn }: JanitorInput): Promise<JanitorReport> {
  let report: JanitorReport = goOn?.report ?? {
    dataset,
    dryRun,
    startedAt: formatInstant(nowMs()),
    pages: 0,
    tally: emptyTally,
  };
  let cursor: JanitorCursor | null = goOn?.cursor ?? { step: 0, after: '' };
  let at = 'the beginning';
  setHandler(janitorProgressQuery, () => ({ ...report, at }));
  for (let page = 0; cursor !== null; page += 1) {
    if (page >= pagesMax || workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof janitor>({ dataset, dryRun, goOn: { cursor, report } });
    }
    const swept: SweepResult = await sweeping.sweep({ dataset, dryRun, cursor });
    cursor = swept.next;
    at = swept.at;
    report = { ...report, pages: report.pages + 1, tally: addTallies(report.tally, swept.tally) };
    setCurrentDetails(`${describeTally(report.tally, dryRun)} Now at ${at}.`);
  }
  if (!dryRun) await sweeping.recordSweep(report);
  return report;
}

// A run ends with the code that it began with.
setWorkflowOptions(versioned('PINNED'), janitor);
