import { mkdir } from 'node:fs/promises';
import { IngotError } from '../errors.ts';
import { tailOfFile } from './files.ts';
import { dataFolder, logFile, type Part, type Tool } from './parts.ts';
import { canConnect } from './ports.ts';
import { isRunning, startDetached, stopProcess, type ProcessIdentity } from './processes.ts';
import { removeStarted, writeStarted } from './records.ts';
import type { Session } from './session.ts';
import { waitUntil } from './wait-until.ts';

/** Started parts answer within seconds; a machine that has little to give gets three minutes. */
const readyLimitMs = 180_000;

/**
 * Starts a part and returns once it answers. A part that does not come up is stopped again, and
 * the error ends with what it logged.
 */
export async function startPart(
  part: Part,
  tool: Tool,
  session: Session,
): Promise<ProcessIdentity> {
  const line = session.report.begin(`${part.title}: starting`);
  const data = dataFolder(session.stack, part.name);
  const log = logFile(session.stack, part.name);
  try {
    await mkdir(data, { recursive: true });
    const launch = await part.launch({ ...session, tool, dataFolder: data, logFile: log });
    session.signal?.throwIfAborted();
    const identity = await startDetached(launch, log);
    await writeStarted(session.stack, part.name, { kind: 'process', ...identity });
    try {
      await waitUntilAnswering(part, identity, session);
    } catch (error) {
      await stopProcess(identity, { graceMs: 5_000 });
      await removeStarted(session.stack, part.name);
      throw error;
    }
    line.succeed(`ready at ${part.localAddress(session.config)}`);
    return identity;
  } catch (error) {
    line.fail('not started');
    throw error;
  }
}

/** Returns once the part answers a request; throws when its process ends or the limit passes. */
export async function waitUntilAnswering(
  part: Part,
  identity: ProcessIdentity,
  session: Session,
): Promise<void> {
  const { config, signal, stack } = session;
  let alive = true;
  const answers = async (): Promise<boolean> => {
    alive = await isRunning(identity);
    const open = await Promise.all(
      part.ports(config).map(({ port }) => canConnect('127.0.0.1', port)),
    );
    return alive && open.every((each) => each) && (await part.isAnswering(config));
  };
  const ready = await waitUntil(answers, {
    limitMs: readyLimitMs,
    signal,
    isHopeless: () => !alive,
  });
  if (!ready) {
    const log = logFile(stack, part.name);
    const what = alive
      ? `does not answer after ${readyLimitMs / 1_000} seconds`
      : 'ended as soon as it was started';
    throw new IngotError(
      'PART_UNREACHABLE',
      `${part.title} ${what}. The end of its log:\n${await tailOfFile(log, 20)}\n`,
      {
        retryable: true,
        facts: { log },
      },
    );
  }
}
