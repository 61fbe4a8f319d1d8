import type { Config } from '../config.ts';
import { findContainers } from './containers.ts';
import { isExternalReachable } from './external.ts';
import { dataFolder, type Part, type PartName } from './parts.ts';
import { isRunning } from './processes.ts';
import { readStarted } from './records.ts';
import { openSession, stackParts, type StackOptions } from './stack.ts';
import type { Session } from './session.ts';

export type PartStatus = {
  readonly name: PartName;
  readonly title: string;
  readonly address: string;
  readonly state: 'up' | 'not answering' | 'down';
  /** Who started it; `unknown` is a program on that port that Ingot knows nothing of. */
  readonly how: 'external' | 'ingot up' | 'container' | 'unknown' | null;
  readonly pid: number | null;
  readonly dataFolder: string | null;
};

/** What each part is doing now. Starts and changes nothing. */
export async function stackStatus(options: StackOptions): Promise<readonly PartStatus[]> {
  const session = openSession(options);
  const { services } = await findContainers(session);
  return Promise.all(
    (options.parts ?? stackParts).map((part) => partStatus(part, session, services)),
  );
}

async function partStatus(
  part: Part,
  session: Session,
  services: ReadonlySet<string>,
): Promise<PartStatus> {
  const { config, stack } = session;
  const { name, title } = part;
  const external = part.externalAddress(config);
  if (external !== undefined) {
    const state = (await isExternalReachable(part, config)) ? 'up' : 'not answering';
    return { name, title, address: external, state, how: 'external', pid: null, dataFolder: null };
  }
  const address = part.localAddress(config);
  const record = await readStarted(stack, name);
  if (record?.kind === 'process' && (await isRunning(record))) {
    const state = await answering(part, config);
    return {
      name,
      title,
      address,
      state,
      how: 'ingot up',
      pid: record.pid,
      dataFolder: dataFolder(stack, name),
    };
  }
  if (services.has(part.services[0])) {
    const state = await answering(part, config);
    return { name, title, address, state, how: 'container', pid: null, dataFolder: null };
  }
  const answers = await part.isAnswering(config);
  return {
    name,
    title,
    address,
    state: answers ? 'up' : 'down',
    how: answers ? 'unknown' : null,
    pid: null,
    dataFolder: null,
  };
}

async function answering(part: Part, config: Config): Promise<PartStatus['state']> {
  return (await part.isAnswering(config)) ? 'up' : 'not answering';
}
