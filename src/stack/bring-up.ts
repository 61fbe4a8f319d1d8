import { IngotError, messageOf } from '../errors.ts';
import { findContainers, startContainers, type Containers } from './containers.ts';
import { installTool } from './install.ts';
import type { Part, StackPart, Tool } from './parts.ts';
import { requireFreePorts } from './ports.ts';
import { requirePrerequisites, type Prerequisite } from './prerequisites.ts';
import { writeStarted } from './records.ts';
import type { Session } from './session.ts';
import { startPart } from './start.ts';
import { waitUntil } from './wait-until.ts';

export type BroughtUp = {
  readonly state: StackPart;
  readonly startedHere: boolean;
};

type Plan = {
  readonly part: Part;
  readonly tool: Tool | undefined;
  readonly prerequisites: readonly Prerequisite[];
};

/** A container that runs may still be starting its server. */
const containerLimitMs = 60_000;

/**
 * Brings up parts that are not up: as the containers that run already, from programs on this
 * machine, or, when something is missing for that and a Docker engine runs, as new containers.
 * Everything that can be refused is refused before anything is installed or started.
 */
export async function bringUp(
  parts: readonly Part[],
  session: Session,
): Promise<readonly BroughtUp[]> {
  const [containers, plans] = await Promise.all([
    findContainers(session),
    Promise.all(parts.map((part) => planPart(part, session))),
  ]);
  const contained = parts.filter((part) => containers.services.has(part.services[0]));
  const wanted = plans.filter(({ part }) => !contained.includes(part));
  const incapable = wanted.filter(({ prerequisites }) =>
    prerequisites.some(({ present }) => !present),
  );
  if (!containers.engineRuns) {
    requirePrerequisites(wanted.flatMap(({ prerequisites }) => prerequisites));
  }
  await requireFreePorts(
    wanted.map(({ part }) => part),
    session.config,
  );
  const native = wanted.filter((plan) => !incapable.includes(plan));
  const settled = await Promise.allSettled([
    ...native.map((plan) => installAndStart(plan, session)),
    bringUpContainers(
      incapable.map(({ part }) => part),
      session,
      containers,
    ),
  ]);
  throwFailures(settled, session.signal);
  return [
    ...(await Promise.all(contained.map((part) => useContainer(part, session)))),
    ...settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])),
  ];
}

async function planPart(part: Part, session: Session): Promise<Plan> {
  const tool = await part.findTool(session);
  return { part, tool, prerequisites: await part.prerequisites(session, tool) };
}

async function installAndStart(
  { part, tool }: Plan,
  session: Session,
): Promise<readonly BroughtUp[]> {
  const ready = tool ?? (await installReported(part, session));
  const identity = await startPart(part, ready, session);
  const { name, title } = part;
  const address = part.localAddress(session.config);
  return [
    { state: { name, title, how: 'started', address, pid: identity.pid }, startedHere: true },
  ];
}

async function installReported(part: Part, session: Session): Promise<Tool> {
  const line = session.report.begin(`${part.title}: installing (once)`);
  try {
    await installTool(part, { ...session, note: line.note });
    const tool = await part.findTool(session);
    if (tool === undefined) {
      throw new IngotError(
        'PREREQUISITE_MISSING',
        `the install of ${part.title} left no program behind`,
        {
          retryable: false,
          facts: { folder: part.toolFolder },
        },
      );
    }
    line.succeed('installed');
    return tool;
  } catch (error) {
    line.fail('not installed');
    throw error;
  }
}

async function bringUpContainers(
  parts: readonly Part[],
  session: Session,
  { engineRuns }: Containers,
): Promise<readonly BroughtUp[]> {
  if (parts.length === 0 || !engineRuns) {
    return [];
  }
  const line = session.report.begin(
    `${parts.map((part) => part.title).join(', ')}: starting with Docker`,
  );
  try {
    await startContainers(parts, session);
    for (const part of parts) {
      await writeStarted(session.stack, part.name, { kind: 'container' });
    }
    line.succeed('ready');
    return parts.map((part) => ({ state: containerState(part, session), startedHere: true }));
  } catch (error) {
    line.fail('not started');
    throw error;
  }
}

async function useContainer(part: Part, session: Session): Promise<BroughtUp> {
  const { config, signal } = session;
  if (await waitUntil(() => part.isAnswering(config), { limitMs: containerLimitMs, signal })) {
    return { state: containerState(part, session), startedHere: false };
  }
  throw new IngotError(
    'PART_UNREACHABLE',
    `the container of ${part.title} runs, but does not answer: is it published on another port?`,
    { retryable: true, facts: { service: part.services[0], address: part.localAddress(config) } },
  );
}

function containerState(part: Part, session: Session): StackPart {
  const { name, title } = part;
  return { name, title, how: 'container', address: part.localAddress(session.config) };
}

function throwFailures(
  settled: readonly PromiseSettledResult<unknown>[],
  signal: AbortSignal | undefined,
): void {
  signal?.throwIfAborted();
  const reasons = settled.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  );
  if (reasons.length === 1) {
    throw reasons[0];
  }
  if (reasons.length > 1) {
    throw new IngotError('PART_UNREACHABLE', reasons.map(messageOf).join('\n\n'), {
      retryable: true,
      cause: reasons[0],
    });
  }
}
