import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { loadConfig } from '../../src/config.ts';
import { taskQueues } from '../../src/lake/messages.ts';
import { connectTemporal } from '../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../src/stack/temporal-namespace.ts';
import { connectWorker } from '../../src/workers/temporal.ts';
import { versioning } from '../../src/workers/transform-worker.ts';
import { shippedBundle } from '../support/temporal/bundle.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { stubLake } from '../support/temporal/stub-lake.ts';
import { beQuiet } from '../support/temporal/workflow-bed.ts';

const deploymentName = 'ingot';

describe('versioning', function () {
  this.timeout(360_000);
  const namespace = `versioning-${randomBytes(4).toString('hex')}`;
  let connection: Connection;
  let native: NativeConnection;
  let client: Client;
  const running: { readonly worker: Worker; readonly run: Promise<void> }[] = [];
  before(async () => {
    beQuiet();
    const config = loadConfig(process.env);
    connection = await connectTemporal(config, 60_000);
    await ensureTemporalNamespace({ connection, namespace });
    native = await connectWorker(config);
    client = new Client({ connection, namespace });
  });
  after(async () => {
    for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running.map(({ run }) => run));
    await native.close();
    await connection.close();
  });

  function run(worker: Worker): void {
    running.push({ worker, run: worker.run() });
  }

  async function startVersion(buildId: string): Promise<void> {
    const settings = { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_BUILD_ID: buildId };
    const options = {
      connection: native,
      namespace,
      taskQueue: taskQueues.workflows,
      workflowBundle: await shippedBundle(),
      ...versioning(loadConfig({ ...process.env, ...settings })),
    };
    run(await Worker.create(options));
    await eventually(`version ${buildId} to be current`, () =>
      connection.workflowService
        .setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId })
        .then(
          () => true,
          // Its workers have not polled yet.
          () => false,
        ),
    );
  }

  async function versionOf(workflowId: string): Promise<string | undefined> {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
  }

  it('lets builds end with the code that they began with, and moves the owner to the new one', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const lake = stubLake({
      stageSilver: async () => {
        await held;
        return {
          kind: 'unchanged',
          ref: { dataset: 'd', layer: 'silver', table: 'silver', window: '2026-08-21T13' },
          version: '000001-same',
          rows: 1,
          through: {},
        };
      },
    });
    for (const taskQueue of [taskQueues.transform, taskQueues.catalog]) {
      const activities = lake.activities;
      run(await Worker.create({ connection: native, namespace, taskQueue, activities }));
    }
    await startVersion('1');
    const start = (type: string, workflowId: string, input: object) =>
      client.workflow.start(type, { workflowId, taskQueue: taskQueues.workflows, args: [input] });
    await start('lakehouse', 'lakehouse/d', { dataset: 'd' });
    const build = await start('buildSilverWindow', 'silver/d/2026-08-21T13', {
      ...{ dataset: 'd', window: '2026-08-21T13', mode: 'seal', pending: {}, owner: 'none/d' },
    });
    await lake.called('stageSilver', 1);
    await eventually('version 1', async () => (await versionOf('lakehouse/d')) === '1');
    assert.equal(await versionOf(build.workflowId), '1');

    await startVersion('2');
    await client.workflow.getHandle('lakehouse/d').signal('renew');
    await eventually('version 2', async () => (await versionOf('lakehouse/d')) === '2');
    letGo();
    await build.result();

    assert.equal(await versionOf(build.workflowId), '1');
    await client.workflow.getHandle('lakehouse/d').terminate();
  });

  it('is off unless both settings are there, as on the local stack', () => {
    assert.deepEqual(versioning(loadConfig({})), {});
    assert.throws(() => loadConfig({ TEMPORAL_BUILD_ID: '1' }), /must be set together/);
  });
});
