import { join } from 'node:path';
import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import { isExecutable } from './commands.ts';
import { runInstallStep } from './install.ts';
import type { InstallSetting, Launch, LaunchSetting, Part, PartSetting, Tool } from './parts.ts';
import { toolsFolder } from './parts.ts';
import { isAtLeast, type Prerequisite } from './prerequisites.ts';

const version = '1.5.33';

/** ministack: S3 and the Glue catalog in one small Python server. */
export const awsServer: Part = {
  name: 'aws',
  title: 'S3 and Glue',
  services: ['ministack'],
  addressVariable: 'AWS_ENDPOINT_URL',
  toolFolder: `ministack-${version}`,
  ports: (config) => [{ port: config.STACK_AWS_PORT, variable: 'STACK_AWS_PORT' }],
  externalAddress: (config) => (config.AWS_USE_REAL ? 'the real AWS' : config.AWS_ENDPOINT_URL),
  localAddress: (config) => `http://127.0.0.1:${config.STACK_AWS_PORT}`,
  isAnswering,
  findTool,
  prerequisites,
  install,
  launch,
};

async function isAnswering(config: Config): Promise<boolean> {
  const url = `${awsServer.localAddress(config)}/_ministack/health`;
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}

async function findTool({ config }: PartSetting): Promise<Tool | undefined> {
  const path = join(toolsFolder(config), awsServer.toolFolder, 'bin', 'python');
  return (await isExecutable(path)) ? { path, from: 'cache' } : undefined;
}

async function prerequisites(
  setting: PartSetting,
  tool: Tool | undefined,
): Promise<readonly Prerequisite[]> {
  if (tool !== undefined) {
    return [];
  }
  const python = await findPython(setting);
  return [
    {
      name: 'Python 3.10 or newer with venv',
      neededTo: 'install ministack, the local S3 and Glue',
      present: python !== undefined,
    },
  ];
}

async function install(setting: InstallSetting): Promise<void> {
  const python = await findPython(setting);
  if (python === undefined) {
    throw new IngotError(
      'PREREQUISITE_MISSING',
      'Python 3.10 or newer with venv is needed to install ministack',
      {
        retryable: false,
      },
    );
  }
  setting.note('installing with pip');
  await runInstallStep(setting, python, ['-m', 'venv', setting.folder]);
  // Most modules are never loaded; Python compiles the others when it starts the first time.
  const pip = ['-m', 'pip', 'install', '--no-compile', '--quiet'];
  const quiet = ['--disable-pip-version-check', '--no-input'];
  await runInstallStep(setting, join(setting.folder, 'bin', 'python'), [
    ...pip,
    ...quiet,
    `ministack==${version}`,
  ]);
}

async function launch({ config, dataFolder, env, tool }: LaunchSetting): Promise<Launch> {
  return {
    command: tool.path,
    // As a module: the script in bin/ names the folder in which the environment was made.
    args: ['-m', 'ministack'],
    env: {
      PATH: env['PATH'],
      HOME: env['HOME'],
      // Its default is every interface of the machine.
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(config.STACK_AWS_PORT),
      // Where it has not told a bucket's region before it was killed, it takes this one for it.
      MINISTACK_REGION: config.AWS_REGION,
      S3_PERSIST: '1',
      S3_DATA_DIR: join(dataFolder, 's3'),
      PERSIST_STATE: '1',
      STATE_DIR: join(dataFolder, 'state'),
      // Its Athena is not used: it would answer wrongly, and could read files of this machine.
      ATHENA_ENGINE: 'mock',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      LOG_LEVEL: 'WARNING',
    },
  };
}

/** The first Python that is new enough and able to make a virtual environment with pip. */
async function findPython({ env, run }: PartSetting): Promise<string | undefined> {
  const names = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
  const question = 'import ensurepip, venv, platform; print(platform.python_version())';
  for (const name of names) {
    const { code, output } = await run(name, ['-c', question], { env, timeoutMs: 20_000 });
    if (code === 0 && isAtLeast(output.trim(), [3, 10])) {
      return name;
    }
  }
  return undefined;
}
