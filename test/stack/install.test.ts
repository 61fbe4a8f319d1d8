import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../src/stack/commands.ts';
import { installTool, runInstallStep, type InstallOptions } from '../../src/stack/install.ts';
import { toolsFolder, type Part } from '../../src/stack/parts.ts';
import { fakePart, openWorkplace, type Workplace } from '../support/fake-part.ts';

describe('installTool', () => {
  let workplace: Workplace;
  let options: InstallOptions;
  beforeEach(async () => {
    workplace = await openWorkplace();
    const nothing = (): void => undefined;
    const { config } = workplace;
    options = {
      config,
      env: process.env,
      run: runCommand,
      debug: nothing,
      note: nothing,
      signal: undefined,
    };
  });
  afterEach(() => workplace.stop([]));

  const toolFolders = async (): Promise<readonly string[]> =>
    (await readdir(toolsFolder(workplace.config))).filter((name) => !name.endsWith('.log')).sort();
  const withInstall = (install: Part['install']): Part => ({ ...fakePart('kafka'), install });

  it('shows the folder only when it is whole', async () => {
    let during: readonly string[] = [];
    const part = withInstall(async ({ folder }) => {
      await writeFile(join(folder, 'half'), '');
      during = await toolFolders();
    });
    await installTool(part, options);
    assert.equal(during.includes('fake-kafka'), false);
    assert.deepEqual(await toolFolders(), ['fake-kafka']);
  });

  it('leaves nothing behind when the install fails, and says what the command said', async () => {
    const part = withInstall((setting) =>
      runInstallStep(setting, 'sh', ['-c', 'echo no network >&2; exit 3']),
    );
    await assert.rejects(installTool(part, options), (error: Error) => {
      assert.match(
        error.message,
        /^sh -c failed with code 3:\nno network\nThe whole log: .*fake-kafka\.log/,
      );
      return true;
    });
    assert.deepEqual(await toolFolders(), []);
  });

  it('ends the command and leaves nothing behind when it is interrupted', async () => {
    const interruption = new AbortController();
    const part = withInstall(async (setting) => {
      const step = runInstallStep(setting, 'sh', ['-c', 'echo begun; sleep 600']);
      interruption.abort(new Error('interrupted'));
      await step;
    });
    await assert.rejects(
      installTool(part, { ...options, signal: interruption.signal }),
      /interrupted/,
    );
    assert.deepEqual(await toolFolders(), []);
  });

  it('removes what a killed install has left', async () => {
    await mkdir(join(toolsFolder(workplace.config), '.installing-fake-kafka-1'), {
      recursive: true,
    });
    await installTool(fakePart('kafka'), options);
    assert.deepEqual(await toolFolders(), ['fake-kafka']);
  });

  it('installs once when several ask at the same time', async () => {
    let installs = 0;
    const part = withInstall(async () => void (installs += 1));
    await Promise.all([1, 2, 3].map(() => installTool(part, options)));
    assert.equal(installs, 1);
  });
});
