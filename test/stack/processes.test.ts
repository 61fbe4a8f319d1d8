import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  isRunning,
  startDetached,
  stopProcess,
  type ProcessIdentity,
} from '../../src/stack/processes.ts';
import { waitUntil } from '../../src/stack/wait-until.ts';

describe('stopProcess', () => {
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-processes-'));
    log = join(folder, 'logs', 'out.log');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Starts Node code and returns once it has printed `ready`. */
  async function start(code: string): Promise<ProcessIdentity> {
    const program = `setInterval(() => {}, 1000); ${code}; console.log('ready')`;
    const identity = await startDetached(
      { command: process.execPath, args: ['-e', program], env: {} },
      log,
    );
    assert.ok(
      await waitUntil(async () => (await readFile(log, 'utf8')).includes('ready'), {
        limitMs: 50_000,
      }),
    );
    return identity;
  }

  it('lets the process end itself, and keeps what it printed', async () => {
    const identity = await start(
      `process.on('SIGTERM', () => { console.log('saved'); process.exit(0) })`,
    );
    assert.equal(await isRunning(identity), true);
    assert.equal(await stopProcess(identity, { graceMs: 5_000 }), 'stopped');
    assert.equal(await isRunning(identity), false);
    assert.equal(await readFile(log, 'utf8'), 'ready\nsaved\n');
  });

  it('kills a process that does not end in time', async () => {
    const identity = await start(`process.on('SIGTERM', () => {})`);
    assert.equal(await stopProcess(identity, { graceMs: 50 }), 'killed');
    assert.equal(await isRunning(identity), false);
  });

  it('leaves a process alone that was given the pid of the recorded one', async () => {
    const identity = await start('');
    const recorded = { ...identity, began: 'another time' };
    assert.equal(await stopProcess(recorded, { graceMs: 50 }), 'gone');
    assert.equal(await isRunning(identity), true);
    await stopProcess(identity, { graceMs: 5_000 });
  });

  it('has nothing to do when the process has ended', async () => {
    const identity = await start('');
    await stopProcess(identity, { graceMs: 5_000 });
    assert.equal(await stopProcess(identity, { graceMs: 5_000 }), 'gone');
  });
});
