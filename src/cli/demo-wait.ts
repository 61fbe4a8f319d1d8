import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { readTail } from '../activities/source-log-tail.ts';
import type { Config } from '../config.ts';
import type { Dataset } from '../lake/dataset.ts';
import { IngotError } from '../errors.ts';
import { ownerId } from '../lake/messages.ts';
import { isSettled, progressOf } from '../lake/owner-progress.ts';
import type { OwnerState } from '../lake/owner-state.ts';
import { logName } from '../lake/paths.ts';
import { stateAfter } from '../lake/source-log.ts';
import type { Ports } from '../ports.ts';
import type { Progress } from './console.ts';

/* Waiting for the pipeline, always on a condition and with a limit. */

const pollMs = 250;
const stallMs = 90_000;

export type Waiting = {
  readonly ports: Pick<Ports, 'objects' | 'source'>;
  readonly dataset: Dataset;
  readonly topic: string;
  readonly signal: AbortSignal;
};

/** Waits until every record of the topic is sealed; answers the last number of each log. */
export async function waitForIngest(
  { ports, dataset, topic, signal }: Waiting,
  line: Progress,
): Promise<Readonly<Record<string, number>>> {
  const watch = stallWatch('ingest sealed nothing more', signal);
  for (;;) {
    const described = await ports.source.describeTopic(topic);
    const logs = await Promise.all(
      described.map(async ({ partition, offsetEnd }) => {
        const log = logName(topic, partition);
        const tail = await readTail(ports.objects, { dataset: dataset.name, log });
        const open = tail.entry?.kind === 'plan' && tail.seal === null;
        const before = tail.entry?.before.offsetNext ?? '0';
        const sealed = open ? before : (stateAfter(tail).offsetNext ?? '0');
        return {
          log,
          number: tail.entry?.number ?? -1,
          sealed: Number(sealed),
          end: Number(offsetEnd),
        };
      }),
    );
    const sealed = logs.reduce((sum, log) => sum + log.sealed, 0);
    line.update(sealed);
    if (logs.every((log) => log.sealed >= log.end && log.number >= 0)) {
      return Object.fromEntries(logs.map(({ log, number }) => [log, number]));
    }
    await watch(String(sealed));
  }
}

export type OwnerWait = {
  readonly client: Client;
  readonly config: Config;
  readonly dataset: string;
  /** The owner must have heard of these entries first. */
  readonly sealedTo: Readonly<Record<string, number>>;
  readonly signal: AbortSignal;
};

/** Waits until the owner has nothing left to build; answers its state. */
export async function waitForOwner(wait: OwnerWait, line: Progress): Promise<OwnerState> {
  const { client, config, dataset, sealedTo, signal } = wait;
  const handle = client.workflow.getHandle(ownerId(dataset));
  const watch = stallWatch('the owner of the windows built nothing more', signal);
  for (;;) {
    const state = await queryStatus(handle);
    if (state !== null) {
      const progress = progressOf(state, config.ALLOWED_LATENESS_SECONDS * 1_000);
      const heard = Object.entries(sealedTo).every(
        ([log, number]) => (state.logs[log]?.sealedTo ?? -1) >= number,
      );
      const { silverBuilt, goldBuilt } = state.counters;
      const left = `${progress.silver} silver and ${progress.gold} gold windows left`;
      line.update(silverBuilt + goldBuilt, heard ? left : 'routing batches');
      if (heard && isSettled(progress)) return state;
      await watch(`${silverBuilt}/${goldBuilt}/${left}`);
    } else {
      await watch('none');
    }
  }
}

async function queryStatus(
  handle: ReturnType<Client['workflow']['getHandle']>,
): Promise<OwnerState | null> {
  try {
    return await handle.query<OwnerState>('status');
  } catch {
    // Not started yet, or between two runs: asked again, and the stall limit ends a hopeless wait.
    return null;
  }
}

/** Pauses between polls, and ends the wait when nothing has changed for too long. */
function stallWatch(sentence: string, signal: AbortSignal): (seen: string) => Promise<void> {
  let last = '';
  let changedMs = performance.now();
  return async (seen) => {
    if (seen !== last) {
      last = seen;
      changedMs = performance.now();
    }
    if (performance.now() - changedMs > stallMs) {
      throw new IngotError('PART_UNREACHABLE', `${sentence} for ${stallMs / 1_000} s`, {
        retryable: true,
        facts: { seen },
      });
    }
    await delay(pollMs, undefined, { signal });
  };
}
