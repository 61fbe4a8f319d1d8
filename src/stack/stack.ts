import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config, Environment } from '../config.ts';
import { awsServer } from './aws-server.ts';
import { bringUp } from './bring-up.ts';
import { runCommand, type RunCommand } from './commands.ts';
import { stopContainer } from './containers.ts';
import { checkExternal } from './external.ts';
import { kafkaBroker } from './kafka-broker.ts';
import { withLock } from './lock.ts';
import { stackFolder, type Part, type PartName, type StackPart } from './parts.ts';
import { isRunning, stopProcess } from './processes.ts';
import { readStarted, removeStarted } from './records.ts';
import { silentReport, type StackReport } from './report.ts';
import type { Session } from './session.ts';
import { waitUntilAnswering } from './start.ts';
import { temporalServer } from './temporal-server.ts';

export const stackParts: readonly Part[] = [temporalServer, kafkaBroker, awsServer];

export type Stack = {
  readonly parts: readonly StackPart[];
  readonly startedHere: readonly PartName[];
};

export type StackOptions = {
  readonly config: Config;
  readonly env: Environment;
  readonly report?: StackReport;
  /** Where this stack keeps its data and records, when not in the cache folder. */
  readonly dataDirectory?: string;
  readonly signal?: AbortSignal;
  /** For tests: another way to run commands, other parts. */
  readonly run?: RunCommand;
  readonly parts?: readonly Part[];
};

/** An install by another process may be under way, and takes some minutes. */
const lockLimitMs = 45 * 60_000;
/** Kafka closes its log files on the way out; ministack writes the catalog. */
const stopGraceMs = 20_000;

/**
 * Brings up every part that the configuration does not already point at, and waits until each
 * answers. What runs already is used as it is, so calling it again changes nothing. Throws
 * `PREREQUISITE_MISSING`, `PORT_IN_USE` or `PART_UNREACHABLE`, the first two before anything is
 * installed or started.
 */
export async function ensureStack(options: StackOptions): Promise<Stack> {
  const session = openSession(options);
  const parts = options.parts ?? stackParts;
  await mkdir(session.stack, { recursive: true });
  const lock = { limitMs: lockLimitMs, signal: options.signal };
  return withLock(join(session.stack, '.lock'), lock, async () => {
    const found = await Promise.all(parts.map((part) => findUp(part, session)));
    const missing = parts.filter((_, index) => found[index] === undefined);
    const brought = missing.length === 0 ? [] : await bringUp(missing, session);
    const states = [...found, ...brought.map(({ state }) => state)].filter(
      (state) => state !== undefined,
    );
    return {
      parts: parts.map((part) => states.find((state) => state.name === part.name) as StackPart),
      startedHere: brought.filter(({ startedHere }) => startedHere).map(({ state }) => state.name),
    };
  });
}

/** Stops what `ensureStack` has started, and nothing else. Stopping twice is the same as once. */
export async function stopStack(
  options: StackOptions & { readonly only?: readonly PartName[] },
): Promise<readonly { readonly name: PartName; readonly result: 'stopped' | 'killed' | 'gone' }[]> {
  const session = openSession(options);
  const parts = (options.parts ?? stackParts).filter(
    (part) => options.only?.includes(part.name) ?? true,
  );
  await mkdir(session.stack, { recursive: true });
  return withLock(
    join(session.stack, '.lock'),
    { limitMs: lockLimitMs, signal: options.signal },
    async () => {
      const results = await Promise.all(parts.map((part) => stopPart(part, session)));
      return results.filter((result) => result !== undefined);
    },
  );
}

/** Fills in what the caller left open. */
export function openSession(options: StackOptions): Session {
  const report = options.report ?? silentReport;
  return {
    config: options.config,
    env: options.env,
    run: options.run ?? runCommand,
    stack: stackFolder(options.config, options.dataDirectory),
    report,
    debug: report.debug,
    signal: options.signal,
  };
}

async function findUp(part: Part, session: Session): Promise<StackPart | undefined> {
  const { config, stack } = session;
  const { name, title } = part;
  const external = part.externalAddress(config);
  if (external !== undefined) {
    await checkExternal(part, config);
    return { name, title, how: 'external', address: external };
  }
  const record = await readStarted(stack, name);
  if (record?.kind !== 'process' || !(await isRunning(record))) {
    return undefined;
  }
  await waitUntilAnswering(part, record, session);
  return { name, title, how: 'running', address: part.localAddress(config), pid: record.pid };
}

async function stopPart(
  part: Part,
  session: Session,
): Promise<
  { readonly name: PartName; readonly result: 'stopped' | 'killed' | 'gone' } | undefined
> {
  const record = await readStarted(session.stack, part.name);
  if (record === undefined) {
    return undefined;
  }
  const line = session.report.begin(`${part.title}: stopping`);
  const result =
    record.kind === 'process'
      ? await stopProcess(record, { graceMs: stopGraceMs })
      : (await stopContainer(part, session))
        ? 'stopped'
        : 'gone';
  await removeStarted(session.stack, part.name);
  line.succeed(result === 'gone' ? 'had already ended' : result);
  return { name: part.name, result };
}
