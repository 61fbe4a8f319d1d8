import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { workflowsPath } from '../../src/workers/workflows-path.ts';
import * as workflows from '../../src/workflows/index.ts';
import { bundle, shippedBundle } from '../support/temporal/bundle.ts';
import { historiesFolder } from '../support/temporal/recording.ts';
import { beQuiet } from '../support/temporal/workflow-bed.ts';

/*
 * Histories of released workflows, replayed against the very bundle that ships. One that no longer
 * replays would leave running workflows stuck after a deploy.
 */

type History = {
  events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[];
};

async function histories(): Promise<readonly { readonly type: string; readonly name: string }[]> {
  const types = await readdir(historiesFolder);
  const found = await Promise.all(
    types.map(async (type) => {
      const files = await readdir(new URL(`${type}/`, historiesFolder));
      return files.map((file) => ({ type, name: file.replace(/\.json$/, '') }));
    }),
  );
  return found.flat().sort((a, b) => (a.type + a.name < b.type + b.name ? -1 : 1));
}

async function namesOf(of: string): Promise<readonly string[]> {
  return (await histories()).filter(({ type }) => type === of).map(({ name }) => name);
}

async function load(type: string, name: string): Promise<History> {
  const file = fileURLToPath(new URL(`${type}/${name}.json`, historiesFolder));
  return JSON.parse(await readFile(file, 'utf8')) as History;
}

describe('replay', function () {
  // Every history is replayed, on machines that may be busy with other suites.
  this.timeout(480_000);
  before(beQuiet);

  it('has a history of every workflow that ships', async () => {
    const types = new Set((await histories()).map(({ type }) => type));
    assert.deepEqual([...types].sort(), Object.keys(workflows).sort());
  });

  it('goes through every committed history with the bundle that ships', async () => {
    const workflowBundle = await shippedBundle();
    for (const { type, name } of await histories()) {
      await assert.doesNotReject(
        Worker.runReplayHistory({ workflowBundle }, await load(type, name)),
        `${type}/${name}`,
      );
    }
  });

  it('fails on a twin that does one activity more', async () => {
    const broken = fileURLToPath(new URL('./broken-twin/index.ts', import.meta.url));
    const workflowBundle = await bundle(broken);
    const history = await load('buildSilverWindow', 'published');
    await assert.rejects(
      Worker.runReplayHistory({ workflowBundle }, history),
      (error) => error instanceof DeterminismViolationError,
    );
  });

  it('fails on a twin that does one activity less, in whatever history that has it', async () => {
    const proxies = fileURLToPath(new URL('./broken-twin/proxies.ts', import.meta.url));
    const workflowBundle = await bundle(workflowsPath, { './proxies.ts$': proxies });
    for (const [type, name] of [
      ['buildSilverWindow', 'published'],
      ['buildSilverWindow', 'unchanged'],
      ['buildGoldWindow', 'published'],
    ] as const) {
      await assert.rejects(
        Worker.runReplayHistory({ workflowBundle }, await load(type, name)),
        (error) => error instanceof DeterminismViolationError,
        `${type}/${name}`,
      );
    }
    // What never registered anything is the same.
    const other = await load('goldHourly', (await namesOf('goldHourly'))[0]!);
    await assert.doesNotReject(Worker.runReplayHistory({ workflowBundle }, other));
  });

  it('fails on a history that names another workflow', async () => {
    const workflowBundle = await shippedBundle();
    const history = await load('buildSilverWindow', 'published');
    history.events[0]!.workflowExecutionStartedEventAttributes!.workflowType.name = 'goldHourly';
    await assert.rejects(Worker.runReplayHistory({ workflowBundle }, history));
  });

  it('has nothing of the machine that recorded', async () => {
    for (const { type, name } of await histories()) {
      const text = JSON.stringify(await load(type, name));
      assert.doesNotMatch(text, /\d+@[a-z]|\/root\/|\/home\//, `${type}/${name}`);
    }
  });
});
