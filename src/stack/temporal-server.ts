import { rm } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { findOnPath, isExecutable } from './commands.ts';
import { downloadArchive, isReachable } from './download.ts';
import { runInstallStep } from './install.ts';
import type { InstallSetting, Launch, LaunchSetting, Part, PartSetting, Tool } from './parts.ts';
import { toolsFolder } from './parts.ts';
import { isAtLeast, type Prerequisite } from './prerequisites.ts';
import { connectTemporal } from './temporal-connection.ts';

const version = '1.5.1';
const releases = `https://github.com/temporalio/cli/releases/download/v${version}`;

/** SHA-256 of the official archives of this version. */
const archives: Readonly<Record<string, string>> = {
  linux_amd64: 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  linux_arm64: 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  darwin_amd64: 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  darwin_arm64: 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};

/** The Temporal dev server with its Web UI: one binary, one SQLite file. */
export const temporalServer: Part = {
  name: 'temporal',
  title: 'Temporal',
  services: ['temporal', 'temporal-ui'],
  addressVariable: 'TEMPORAL_ADDRESS',
  toolFolder: `temporal-${version}`,
  ports: (config) => [
    { port: config.STACK_TEMPORAL_PORT, variable: 'STACK_TEMPORAL_PORT' },
    { port: config.STACK_TEMPORAL_UI_PORT, variable: 'STACK_TEMPORAL_UI_PORT' },
  ],
  externalAddress: (config) => config.TEMPORAL_ADDRESS,
  localAddress: (config) => `127.0.0.1:${config.STACK_TEMPORAL_PORT}`,
  isAnswering: async (config) => {
    try {
      const connection = await connectTemporal(config, 2_000);
      await connection.close();
      return true;
    } catch {
      return false;
    }
  },
  findTool,
  prerequisites,
  install,
  launch,
};

/**
 * With a write-ahead log a signal took 6 ms instead of 20 on two busy cores. The database survives
 * a kill of the server; only a power cut may cost the last moments. Four task queue partitions are
 * for more pollers than one machine has; with one, a small workflow took half the time.
 */
const quick = [
  ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
  ...['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
  ...['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
];

async function findTool({ config, env }: PartSetting): Promise<Tool | undefined> {
  const onPath = await findOnPath('temporal', env);
  if (onPath !== undefined) {
    return { path: onPath, from: 'path' };
  }
  const cached = join(toolsFolder(config), temporalServer.toolFolder, 'temporal');
  return (await isExecutable(cached)) ? { path: cached, from: 'cache' } : undefined;
}

async function prerequisites(
  { env, run }: PartSetting,
  tool: Tool | undefined,
): Promise<readonly Prerequisite[]> {
  if (tool !== undefined || (await archiveIsReachable())) {
    return [];
  }
  const { code, output } = await run('go', ['env', 'GOVERSION'], { env, timeoutMs: 30_000 });
  const found = code === 0 ? /go(\d+\.\d+(?:\.\d+)?)/.exec(output)?.[1] : undefined;
  return [
    {
      name: 'Go 1.25 or newer',
      neededTo: 'build the Temporal dev server (or a `temporal` binary on PATH)',
      present: found !== undefined && isAtLeast(found, [1, 25]),
      ...(found === undefined ? {} : { found }),
    },
  ];
}

async function install(setting: InstallSetting): Promise<void> {
  if (await download(setting)) {
    return;
  }
  setting.note('building with Go, which takes some minutes');
  // A compiler that collects less garbage is done sooner; nobody debugs this binary.
  const env = { GOGC: '400', ...setting.env, GOBIN: setting.folder };
  await runInstallStep({ ...setting, env }, 'go', [
    'install',
    '-gcflags=all=-dwarf=false',
    '-ldflags',
    `-s -w -X github.com/temporalio/cli/temporalcli.Version=${version}`,
    // Archival to Google's storage over gRPC: a tenth of all packages. Temporal's own build sets it too.
    '-tags=disable_grpc_modules',
    `github.com/temporalio/cli/cmd/temporal@v${version}`,
  ]);
}

/** Whether the official binary is there now. A network that does not let it in is no error. */
async function download(setting: InstallSetting): Promise<boolean> {
  const { folder, signal } = setting;
  const sha256 = archives[platformName()];
  if (sha256 === undefined || !(await isReachable(archiveUrl()))) {
    setting.debug('The Temporal CLI archive cannot be reached; building it with Go instead.');
    return false;
  }
  setting.note('downloading');
  const file = join(folder, 'temporal.tar.gz');
  try {
    await downloadArchive({ url: archiveUrl(), sha256, file, signal });
    await runInstallStep(setting, 'tar', ['-xzf', file, '-C', folder, 'temporal']);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    setting.debug(
      `The Temporal CLI archive is not used: ${messageOf(error)}. Building it with Go instead.`,
    );
    return false;
  } finally {
    await rm(file, { force: true });
  }
}

async function launch({ config, tool, dataFolder, env }: LaunchSetting): Promise<Launch> {
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
    ...[
      '--port',
      String(config.STACK_TEMPORAL_PORT),
      '--ui-port',
      String(config.STACK_TEMPORAL_UI_PORT),
    ],
    ...['--db-filename', join(dataFolder, 'temporal.db')],
    ...quick,
  ];
  return { command: tool.path, args, env: { PATH: env['PATH'], HOME: env['HOME'] } };
}

function archiveIsReachable(): Promise<boolean> {
  return archives[platformName()] === undefined
    ? Promise.resolve(false)
    : isReachable(archiveUrl());
}

function archiveUrl(): string {
  return `${releases}/temporal_cli_${version}_${platformName()}.tar.gz`;
}

function platformName(): string {
  return `${platform()}_${arch() === 'x64' ? 'amd64' : arch()}`;
}
