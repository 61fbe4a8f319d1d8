import { describeDrop } from '../lake/lanes.ts';
import { WorkflowNotFoundError } from '@temporalio/client';
import { readControl } from '../activities/control.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import { type LogLag, logStates } from './lane-states.ts';

/* Where ingest is, for a terminal. */

/** Throws `INPUT_INVALID` when no lane runs. */
export async function readLogStates(config: Config): Promise<readonly LogLag[]> {
  const { connectClient } = await import('../workers/temporal.ts');
  const { createGroupPorts } = await import('../workers/ingest-wiring.ts');
  const { client, connection } = await connectClient(config);
  try {
    const { source, objects } = await createGroupPorts(config, silentLogger);
    const { lanes } = await readControl(objects, events.name);
    return await logStates({ client, dataset: events.name, lanes, source });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notRunning('ingestLane', error);
    throw error;
  } finally {
    await connection.close();
  }
}

export function printLogStates({ console }: CliContext, states: readonly LogLag[]): void {
  const nowMs = Date.now();
  console.printTable(
    ['log', 'lane', 'worker', 'entry', 'next offset', 'lag', 'complete up to', 'behind', 'state'],
    states.map((state) => [
      state.log,
      state.lane,
      state.worker,
      state.number,
      state.offsetNext,
      state.drop === undefined ? state.lag : `${state.drop.waiting} objects`,
      state.frontier,
      `${Math.max(0, Math.round((nowMs - Date.parse(state.frontier)) / 1_000))} s`,
      state.stopped === null
        ? ['running', ...describeDrop(state.drop)].join('; ')
        : `${state.stopped.code}: ${state.stopped.message}`,
    ]),
  );
  for (const { key } of states.flatMap(({ drop }) => drop?.undecided ?? [])) {
    console.say(`${key} was replaced after it was taken: \`ingot drop decide ${key} …\``);
  }
}

export function notRunning(workflow: string, cause: Error): IngotError {
  const sentence = 'ingest does not run; `ingot worker ingest` starts it';
  return new IngotError('INPUT_INVALID', sentence, {
    retryable: false,
    facts: { workflow },
    cause,
  });
}
