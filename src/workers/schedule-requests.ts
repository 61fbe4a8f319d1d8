import type { Client, ScheduleDescription, ScheduleHandle } from '@temporalio/client';
import { ScheduleOverlapPolicy, WorkflowNotFoundError } from '@temporalio/client';
import { IngotError } from '../errors.ts';
import { reasonBytesMax, utf8Length } from '../lake/clip.ts';
import { scheduleId } from '../lake/messages.ts';
import { formatInstant, hourMs, secondMs, startOfHour } from '../lake/time.ts';
import { type WindowId, parseWindowId, windowAt, windowOf } from '../lake/window.ts';
import { waitUntil } from '../stack/wait-until.ts';

/*
 * What a person asks of the Schedule of hourly gold. A Schedule takes a pause, a resume and a
 * backfill as a message and answers before it has read it; of messages that come together it keeps
 * the last one only. So each is asked for until its effect is seen; all of them may happen twice.
 */

/** The nominal times of runs are ends of hours: a run calls the hour before its own time due. */
export function hourBefore(nominalMs: number): WindowId {
  return windowAt(nominalMs - hourMs, 'hour').id;
}

/** The hour that is meant, which must be over; the last whole one where none is named. */
export function checkedHour(hour: string | undefined, nowMs: number): WindowId {
  if (hour === undefined) return hourBefore(startOfHour(nowMs));
  const window = parseWindowId(hour);
  if (window?.grain !== 'hour') {
    throw refused(`"${hour}" is no hour; one is written in UTC, as 2026-08-21T13`);
  }
  if (window.endMs > nowMs) {
    throw refused(`${hour} is not over before ${formatInstant(window.endMs)}; call it due then`);
  }
  return window.id;
}

export type Said = { readonly author: string; readonly reason: string; readonly atMs: number };

export type PauseSet = {
  readonly paused: boolean;
  readonly note: string;
  /** Hours that were about to be called. A Schedule that is paused drops them when their turn comes. */
  readonly waiting: number;
};

/** Pauses or resumes the Schedule. Its note says who has done so last, when and why. */
export async function setPaused(
  client: Client,
  { dataset, verb, said }: { dataset: string; verb: 'pause' | 'resume'; said: Said },
): Promise<PauseSet> {
  const note = noteOf(verb, said);
  const paused = verb === 'pause';
  const handle = goldSchedule(client, dataset);
  await askUntil(`to ${verb}`, {
    ask: () => (paused ? handle.pause(note) : handle.unpause(note)),
    isTaken: async () => {
      const { state } = await handle.describe();
      return state.paused === paused && state.note === note;
    },
  });
  return { paused, note, waiting: waitingHours(await handle.describe()) };
}

/** Hours that wait in the Schedule for the run before them to end. */
export function waitingHours({ raw }: ScheduleDescription): number {
  return Number(raw.info?.bufferSize ?? 0);
}

/** The text that a Schedule keeps. A reason that is empty or too long is refused. */
export function noteOf(verb: 'pause' | 'resume', { author, reason, atMs }: Said): string {
  const why = reason.trim();
  if (why === '') throw refused('--reason is empty; say why');
  const bytes = utf8Length(why);
  if (bytes > reasonBytesMax) {
    throw refused(`--reason has ${bytes} bytes; ${reasonBytesMax} are the most`);
  }
  return `${verb}d by ${author} at ${formatInstant(atMs)}: ${why}`;
}

export type Triggered = {
  readonly hour: WindowId;
  readonly workflowId: string;
  /** False where a run that waits for the owner calls it already. */
  readonly started: boolean;
};

/**
 * Starts the run whose nominal time is the end of the hour, also while the Schedule is paused, and
 * beside runs that wait: the owner takes hours in any order, and an hour that it was told twice once.
 */
export async function triggerHour(
  client: Client,
  dataset: string,
  hour: WindowId,
): Promise<Triggered> {
  const handle = goldSchedule(client, dataset);
  await handle.describe(); // A Schedule that is not there is told from a run that is not.
  const nominal = new Date(windowOf(hour).endMs);
  const workflowId = `${scheduleId(dataset)}-${nominal.toISOString().slice(0, 19)}Z`;
  const before = await latestRun(client, workflowId);
  if (before?.isRunning === true) return { hour, workflowId, started: false };
  await askUntil(`to start ${workflowId}`, {
    ask: () =>
      handle.backfill({
        start: new Date(nominal.getTime() - secondMs),
        end: new Date(nominal.getTime() + secondMs),
        overlap: ScheduleOverlapPolicy.ALLOW_ALL,
      }),
    isTaken: async () => (await latestRun(client, workflowId))?.runId !== before?.runId,
  });
  return { hour, workflowId, started: true };
}

export function goldSchedule(client: Client, dataset: string): ScheduleHandle {
  return client.schedule.getHandle(scheduleId(dataset));
}

async function latestRun(
  client: Client,
  workflowId: string,
): Promise<{ readonly runId: string; readonly isRunning: boolean } | null> {
  try {
    const { runId, status } = await client.workflow.getHandle(workflowId).describe();
    return { runId, isRunning: status.name === 'RUNNING' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

const asksMax = 10;
const askMsMax = 4 * secondMs;

async function askUntil(
  what: string,
  { ask, isTaken }: { ask: () => Promise<void>; isTaken: () => Promise<boolean> },
): Promise<void> {
  for (let asks = 0; asks < asksMax; asks += 1) {
    await ask();
    // Askers that met once do not meet again.
    const limitMs = askMsMax * (0.5 + Math.random() / 2);
    if (await waitUntil(isTaken, { limitMs })) return;
  }
  throw new IngotError('PART_UNREACHABLE', `the Schedule was asked ${what}, and has not done so`, {
    retryable: true,
    facts: { asks: asksMax },
  });
}

function refused(sentence: string): IngotError {
  return new IngotError('INPUT_INVALID', sentence, { retryable: false });
}
