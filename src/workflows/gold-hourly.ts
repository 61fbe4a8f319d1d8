import {
  ApplicationFailure,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setWorkflowOptions,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { ownerId } from '../lake/messages.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../lake/time.ts';
import { windowAt } from '../lake/window.ts';
import { nowMs } from './clock.ts';
import { hourDueSignal } from './messages.ts';
import { versioned } from './versioning.ts';

export type GoldHourlyInput = { readonly dataset: string };

const scheduledStart = defineSearchAttributeKey(
  'TemporalScheduledStartTime',
  SearchAttributeType.DATETIME,
);

/** How long an hour waits for an owner that does not run. */
const patienceMs = dayMs;
const retryMsMax = 5 * minuteMs;

/**
 * The Schedule's workflow: tells the owner that the hour before its nominal start is due, and ends.
 * The nominal time is the Schedule's, never the clock's: a start that was late, or caught up after
 * an outage, still names its own hour. While no owner runs, the hour waits for one, and the hours
 * behind it wait in the Schedule's buffer.
 */
export async function goldHourly(input: GoldHourlyInput): Promise<{ readonly hour: string }> {
  const hour = windowAt(nominalMs() - hourMs, 'hour').id;
  const owner = ownerId(input.dataset);
  const giveUpMs = nowMs() + patienceMs;
  for (let waitMs = secondMs; !(await tell(owner, hour)); waitMs = 2 * waitMs) {
    if (nowMs() >= giveUpMs) {
      throw ApplicationFailure.nonRetryable(
        `the owner did not run for a day [owner=${owner}, hour=${hour}]`,
        'PART_UNREACHABLE',
      );
    }
    setCurrentDetails(`Waits for ${owner}, which does not run.`);
    await sleep(Math.min(waitMs, retryMsMax));
  }
  return { hour };
}

/** Whether the owner took the hour. */
async function tell(owner: string, hour: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(owner).signal(hourDueSignal, { hour });
    return true;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ApplicationFailure)) throw error;
    return false;
  }
}

function nominalMs(): number {
  const { typedSearchAttributes, startTime } = workflowInfo();
  // Started by hand there is no nominal time; the start itself is as good.
  return (typedSearchAttributes.get(scheduledStart) ?? startTime).getTime();
}

// It ends soon, with the code that it began with.
setWorkflowOptions(versioned('PINNED'), goldHourly);
