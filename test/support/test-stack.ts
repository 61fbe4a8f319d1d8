import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig, type Environment } from '../../src/config.ts';
import { freePorts } from '../../src/stack/free-ports.ts';
import { type PartName, stackFolder, toolsFolder } from '../../src/stack/parts.ts';
import { isRunning, processBegan, type ProcessIdentity } from '../../src/stack/processes.ts';
import { readStarted } from '../../src/stack/records.ts';
import type { StackReport } from '../../src/stack/report.ts';
import { ensureStack, stopStack } from '../../src/stack/stack.ts';
import { waitUntil } from '../../src/stack/wait-until.ts';
import { stopWorkerProcesses } from '../../src/stack/worker-processes.ts';
import { withoutSettings } from './without-settings.ts';

export type TestStack = {
  /** What a child process needs to find this stack, and nothing of the user's own settings. */
  readonly env: Environment;
  readonly stop: () => Promise<void>;
  /** SIGKILL to the server of a part; resolves when it is gone. */
  readonly crash: (part: PartName) => Promise<void>;
  /** Starts the parts that were killed, on their old ports and data. */
  readonly revive: () => Promise<void>;
};

export type TestStackOptions = {
  readonly env: Environment;
  readonly report: StackReport;
  readonly signal: AbortSignal;
};

const folderPrefix = 'ingot-test-';

/**
 * Starts a stack of its own: free ports, data in a temporary folder. The programs are those of the
 * user's cache folder, so that nothing is installed twice. A start that fails leaves nothing.
 */
export async function startTestStack(options: TestStackOptions): Promise<TestStack> {
  await removeAbandoned(options);
  const folder = await mkdtemp(join(tmpdir(), folderPrefix));
  const began = (await processBegan(process.pid)) ?? '';
  await writeFile(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, began }));
  const env = await isolatedEnvironment(folder, options.env);
  const stack = { config: loadConfig(env), env, dataDirectory: join(folder, 'stack') };
  const stop = async (): Promise<void> => {
    await stopLeft(folder, env);
    await stopStack(stack);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ensureStack({ ...stack, report: options.report, signal: options.signal });
  } catch (error) {
    await stop();
    throw error;
  }
  const { temporalAddress, kafkaBrokers, awsEndpoint, temporalWebUrl } = stack.config;
  return {
    stop,
    crash: (part) => crashPart(stack, part),
    revive: async () => void (await ensureStack(stack)),
    env: {
      ...env,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_WEB_URL: temporalWebUrl,
      KAFKA_BROKERS: kafkaBrokers.join(','),
      AWS_ENDPOINT_URL: awsEndpoint,
    },
  };
}

async function crashPart(
  { config, dataDirectory }: { readonly config: Config; readonly dataDirectory: string },
  part: PartName,
): Promise<void> {
  const record = await readStarted(stackFolder(config, dataDirectory), part);
  if (record?.kind !== 'process') throw new Error(`${part} is no process of this stack`);
  process.kill(record.pid, 'SIGKILL');
  await waitUntil(async () => !(await isRunning(record)), { limitMs: 60_000, everyMs: 20 });
}

async function isolatedEnvironment(folder: string, env: Environment): Promise<Environment> {
  const cache = join(folder, 'cache');
  const tools = toolsFolder(loadConfig({ INGOT_CACHE_DIR: env['INGOT_CACHE_DIR'] }));
  await mkdir(cache);
  await mkdir(tools, { recursive: true });
  await symlink(tools, join(cache, 'tools'));
  const [temporal, ui, kafka, controller, aws] = await freePorts(5);
  return {
    ...withoutSettings(env),
    INGOT_ID: 'test',
    INGOT_CACHE_DIR: cache,
    LOG_LEVEL: 'silent',
    STACK_TEMPORAL_PORT: String(temporal),
    STACK_TEMPORAL_UI_PORT: String(ui),
    STACK_KAFKA_PORT: String(kafka),
    STACK_KAFKA_CONTROLLER_PORT: String(controller),
    STACK_AWS_PORT: String(aws),
  };
}

/**
 * Ends workers, and servers of their own, that tests have started and not stopped because they were
 * interrupted. All of them are recorded in the cache folder of the run, by the ports of their stack.
 */
async function stopLeft(folder: string, env: Environment): Promise<void> {
  const cache = join(folder, 'cache');
  const names = await readdir(join(cache, 'stack')).catch(() => [] as string[]);
  for (const name of names) {
    const [temporal, kafka, aws] = name.split('-');
    const config = loadConfig({
      INGOT_CACHE_DIR: cache,
      STACK_TEMPORAL_PORT: temporal,
      STACK_KAFKA_PORT: kafka,
      STACK_AWS_PORT: aws,
      // Nobody needs what they have in flight.
      SHUTDOWN_GRACE_SECONDS: '1',
    });
    await stopWorkerProcesses(config);
    await stopStack({ config, env });
  }
}

/** Ends what a killed test run has left: its servers would run for ever. */
async function removeAbandoned({ env }: TestStackOptions): Promise<void> {
  const names = await readdir(tmpdir());
  for (const name of names.filter((each) => each.startsWith(folderPrefix))) {
    const folder = join(tmpdir(), name);
    const owner = await readFile(join(folder, 'owner.json'), 'utf8').catch(() => undefined);
    if (owner !== undefined && !(await isRunning(JSON.parse(owner) as ProcessIdentity))) {
      await stopLeft(folder, env);
      await stopStack({ config: loadConfig({}), env, dataDirectory: join(folder, 'stack') });
      await rm(folder, { recursive: true, force: true });
    }
  }
}
