import { fileURLToPath } from 'node:url';
import type { Config, Environment } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { RunCommand } from './commands.ts';
import { lastLines } from './files.ts';
import type { Part } from './parts.ts';

const composeFile = fileURLToPath(new URL('../../docker-compose.temporal.yml', import.meta.url));

/** Pulling images can take minutes on a slow line. */
const composeUpLimitMs = 20 * 60_000;

export type Containers = {
  /** Whether a Docker engine answers; the client alone is not enough. */
  readonly engineRuns: boolean;
  /** Services of docker-compose.temporal.yml that run now. */
  readonly services: ReadonlySet<string>;
};

export type ContainerSetting = {
  readonly config: Config;
  readonly env: Environment;
  readonly run: RunCommand;
};

/** Asks Docker what runs. No Docker, or one that does not answer soon, means: nothing runs. */
export async function findContainers(setting: ContainerSetting): Promise<Containers> {
  const engine = await setting.run('docker', ['info'], { env: setting.env, timeoutMs: 5_000 });
  if (engine.code !== 0) {
    return { engineRuns: false, services: new Set() };
  }
  const { code, output } = await compose(
    setting,
    ['ps', '--services', '--filter', 'status=running'],
    10_000,
  );
  const services = code === 0 ? output.split('\n').map((line) => line.trim()) : [];
  return { engineRuns: true, services: new Set(services.filter((service) => service !== '')) };
}

/** Starts the services of these parts and waits until their health checks pass. */
export async function startContainers(
  parts: readonly Part[],
  setting: ContainerSetting,
): Promise<void> {
  const services = parts.flatMap((part) => part.services);
  const { code, output } = await compose(
    setting,
    ['up', '--detach', '--wait', ...services],
    composeUpLimitMs,
  );
  if (code !== 0) {
    throw new IngotError(
      'PART_UNREACHABLE',
      `docker compose up failed:\n${lastLines(output, 20)}`,
      {
        retryable: true,
        facts: { services: services.join(' ') },
      },
    );
  }
}

export async function stopContainer(part: Part, setting: ContainerSetting): Promise<boolean> {
  return (await compose(setting, ['stop', ...part.services], 60_000)).code === 0;
}

function compose(
  { config, env, run }: ContainerSetting,
  args: readonly string[],
  timeoutMs: number,
): ReturnType<RunCommand> {
  const ports = Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name.startsWith('STACK_'))
      .map(([name, value]) => [name, String(value)]),
  );
  return run('docker', ['compose', '--file', composeFile, ...args], {
    env: { ...env, ...ports },
    timeoutMs,
  });
}
