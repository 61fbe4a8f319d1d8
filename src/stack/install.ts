import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../errors.ts';
import { withLock } from './lock.ts';
import { exists, lastLines } from './files.ts';
import { toolsFolder, type Part, type PartSetting } from './parts.ts';

export type InstallOptions = PartSetting & {
  readonly signal: AbortSignal | undefined;
  readonly note: (text: string) => void;
};

/** Longest install seen is a Go build of some minutes; a slow machine gets ten times that. */
const installLimitMs = 45 * 60_000;

/**
 * Installs a part's program into the cache. The folder appears whole or not at all: the work is
 * done in a folder aside, which is renamed at the end and removed when anything goes wrong; what a
 * killed process left behind is removed by the next one.
 */
export async function installTool(part: Part, options: InstallOptions): Promise<void> {
  const tools = toolsFolder(options.config);
  const target = join(tools, part.toolFolder);
  const asidePrefix = `.installing-${part.toolFolder}-`;
  await withLock(
    join(tools, `.${part.toolFolder}.lock`),
    {
      limitMs: installLimitMs,
      signal: options.signal,
      onWait: () => options.note('another process is installing it'),
    },
    async () => {
      if (await exists(target)) {
        return;
      }
      await removeLeftovers(tools, asidePrefix);
      const folder = join(tools, `${asidePrefix}${process.pid}`);
      await mkdir(folder, { recursive: true });
      try {
        await part.install({ ...options, folder, logFile: installLogFile(options, part) });
        options.signal?.throwIfAborted();
        await rename(folder, target);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
}

/** Runs one command of an install; a failure becomes an error that ends with what the command said. */
export async function runInstallStep(
  setting: Parameters<Part['install']>[0],
  command: string,
  args: readonly string[],
): Promise<void> {
  const { code, output } = await setting.run(command, args, {
    env: setting.env,
    cwd: setting.folder,
    signal: setting.signal,
    logFile: setting.logFile,
  });
  setting.signal?.throwIfAborted();
  if (code !== 0) {
    throw new IngotError(
      'PREREQUISITE_MISSING',
      `${command} ${args[0] ?? ''} failed with code ${code}:\n${lastLines(output, 20)}\nThe whole log: ${setting.logFile}`,
      { retryable: true },
    );
  }
}

function installLogFile(options: InstallOptions, part: Part): string {
  return join(toolsFolder(options.config), `${part.toolFolder}.log`);
}

async function removeLeftovers(tools: string, prefix: string): Promise<void> {
  const names = await readdir(tools).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    await rm(join(tools, name), { recursive: true, force: true });
  }
}
