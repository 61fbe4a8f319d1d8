import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readdir } from 'node:fs/promises';
import { freePorts } from '../../src/stack/free-ports.ts';
import { stackFolder, toolsFolder, type Part } from '../../src/stack/parts.ts';
import { isRunning, processBegan, startDetached, stopProcess } from '../../src/stack/processes.ts';
import { writeStarted } from '../../src/stack/records.ts';
import { ensureStack, stopStack, type StackOptions } from '../../src/stack/stack.ts';
import { stackStatus } from '../../src/stack/status.ts';
import {
  fakePart,
  noDocker,
  openWorkplace,
  scriptedRunner,
  type Workplace,
} from '../support/fake-part.ts';

const missing = { name: 'Java 17', neededTo: 'run Kafka', present: false };

/** Another program at that port, until the returned function is called. */
async function listen(port: number): Promise<() => Promise<void>> {
  const server = createServer((_, answer) => answer.end('ok')).listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

describe('the stack', function () {
  this.timeout(180_000);
  let workplace: Workplace;
  let used: readonly Part[];
  beforeEach(async () => (workplace = await openWorkplace()));
  afterEach(() => workplace.stop(used));

  const stackOf = (...parts: readonly Part[]): StackOptions => {
    used = parts;
    return { config: workplace.config, env: {}, parts, run: noDocker };
  };

  describe('ensureStack', () => {
    it('starts what is missing and returns when it answers', async () => {
      const options = stackOf(fakePart('temporal'), fakePart('aws'));
      const { parts, startedHere } = await ensureStack(options);
      assert.deepEqual(startedHere, ['temporal', 'aws']);
      for (const part of parts) {
        assert.equal(part.how, 'started');
        assert.equal((await fetch(part.address)).status, 200);
      }
    });

    it('uses on a second call what the first has started', async () => {
      const options = stackOf(fakePart('temporal'));
      const first = await ensureStack(options);
      const second = await ensureStack(options);
      assert.deepEqual(second.startedHere, []);
      assert.equal(second.parts[0]?.how, 'running');
      assert.equal(second.parts[0]?.pid, first.parts[0]?.pid);
    });

    it('starts each part once when two ask at the same time', async () => {
      const options = stackOf(fakePart('temporal'));
      const [one, other] = await Promise.all([ensureStack(options), ensureStack(options)]);
      assert.equal(one.parts[0]?.pid, other.parts[0]?.pid);
      assert.equal(one.startedHere.length + other.startedHere.length, 1);
    });

    it('starts a part again that was killed', async () => {
      const options = stackOf(fakePart('temporal'));
      const { parts } = await ensureStack(options);
      const pid = parts[0]?.pid as number;
      await stopProcess({ pid, began: (await processBegan(pid)) ?? '' }, { graceMs: 0 });
      assert.deepEqual((await ensureStack(options)).startedHere, ['temporal']);
    });

    it('only looks at a part that the configuration points at', async () => {
      const [port = 0] = await freePorts(1);
      const close = await listen(port);
      const options = stackOf(
        fakePart('kafka', { external: `127.0.0.1:${port}`, prerequisites: [missing] }),
      );
      const { parts, startedHere } = await ensureStack(options);
      assert.deepEqual(parts, [
        { name: 'kafka', title: 'Fake kafka', how: 'external', address: `127.0.0.1:${port}` },
      ]);
      assert.deepEqual(startedHere, []);
      await close();
      await assert.rejects(ensureStack(options), {
        code: 'PART_UNREACHABLE',
        message: /KAFKA_ADDRESS/,
      });
    });

    it('names all missing prerequisites before it installs or starts anything', async () => {
      const go = { name: 'Go 1.25', neededTo: 'build Temporal', present: false };
      const options = stackOf(
        fakePart('temporal', { prerequisites: [go] }),
        fakePart('kafka', { prerequisites: [missing] }),
        fakePart('aws', { installed: false }),
      );
      await assert.rejects(ensureStack(options), {
        code: 'PREREQUISITE_MISSING',
        message: /Go 1\.25: needed to build Temporal\n {2}Java 17: needed to run Kafka/,
      });
      await assert.rejects(readdir(toolsFolder(workplace.config)), { code: 'ENOENT' });
      assert.deepEqual(
        (await stackStatus(options)).map(({ state }) => state),
        ['down', 'down', 'down'],
      );
    });

    it('refuses a port that another program holds', async () => {
      const close = await listen(workplace.config.STACK_KAFKA_PORT);
      const options = stackOf(fakePart('kafka'), fakePart('aws'));
      await assert.rejects(ensureStack(options), {
        code: 'PORT_IN_USE',
        message: /STACK_KAFKA_PORT/,
      });
      assert.equal((await stackStatus(options))[1]?.state, 'down');
      await close();
    });

    it('ends its error with what the part has logged', async () => {
      const options = stackOf(
        fakePart('kafka', { program: `console.log('disk is full'); process.exit(1)` }),
      );
      await assert.rejects(ensureStack(options), {
        code: 'PART_UNREACHABLE',
        message: /disk is full/,
      });
      assert.deepEqual(await stopStack(options), []);
    });

    it('stops the part that it was starting when it is interrupted', async () => {
      const interruption = new AbortController();
      const options = stackOf(fakePart('kafka', { program: 'setInterval(() => {}, 1000)' }));
      const report = {
        begin: () => ({ note: () => undefined, succeed: () => undefined, fail: () => undefined }),
        debug: () => undefined,
      };
      const part = options.parts?.[0] as Part;
      const watched: Part = {
        ...part,
        // The first look at the ports means that the process has been started.
        ports: (config) => {
          setImmediate(() => interruption.abort(new Error('interrupted')));
          return part.ports(config);
        },
      };
      const { signal } = interruption;
      await assert.rejects(
        ensureStack({ ...options, parts: [watched], report, signal }),
        /interrupted/,
      );
      assert.deepEqual(await stopStack(options), []);
    });

    it('uses a container that runs, and never stops it', async () => {
      const close = await listen(workplace.config.STACK_KAFKA_PORT);
      const { run, ran } = scriptedRunner({
        'docker info': { code: 0, output: '' },
        'docker compose ps': { code: 0, output: 'kafka\n' },
      });
      const options = { ...stackOf(fakePart('kafka', { prerequisites: [missing] })), run };
      const { parts, startedHere } = await ensureStack(options);
      assert.equal(parts[0]?.how, 'container');
      assert.deepEqual(startedHere, []);
      assert.deepEqual(await stopStack(options), []);
      assert.equal(
        ran.some((line) => /compose (up|stop)/.test(line)),
        false,
      );
      await close();
    });

    it('starts containers for what this machine cannot run, when an engine runs', async () => {
      const { run, ran } = scriptedRunner({
        'docker info': { code: 0, output: '' },
        'docker compose': { code: 0, output: '' },
      });
      const options = {
        ...stackOf(fakePart('temporal'), fakePart('kafka', { prerequisites: [missing] })),
        run,
      };
      const { parts, startedHere } = await ensureStack(options);
      assert.deepEqual(
        parts.map(({ how }) => how),
        ['started', 'container'],
      );
      assert.deepEqual(startedHere, ['temporal', 'kafka']);
      assert.ok(ran.includes('docker compose up --detach --wait kafka'));
      await stopStack(options);
      assert.ok(ran.includes('docker compose stop kafka'));
    });
  });

  describe('stopStack', () => {
    it('stops what was started, and is content when asked again', async () => {
      const options = stackOf(fakePart('temporal'), fakePart('aws'));
      await ensureStack(options);
      assert.deepEqual(await stopStack({ ...options, only: ['aws'] }), [
        { name: 'aws', result: 'stopped' },
      ]);
      assert.deepEqual(
        (await stackStatus(options)).map(({ state }) => state),
        ['up', 'down'],
      );
      assert.deepEqual(await stopStack(options), [{ name: 'temporal', result: 'stopped' }]);
      assert.deepEqual(await stopStack(options), []);
    });

    it('leaves a program alone that was started by another hand', async () => {
      const options = stackOf(fakePart('temporal'));
      const launch = {
        command: process.execPath,
        args: ['-e', 'setInterval(() => {}, 1000)'],
        env: {},
      };
      const stranger = await startDetached(
        launch,
        `${workplace.config.INGOT_CACHE_DIR}/stranger.log`,
      );
      const record = { kind: 'process', pid: stranger.pid, began: 'another time' } as const;
      await writeStarted(stackFolder(workplace.config), 'temporal', record);
      assert.deepEqual(await stopStack(options), [{ name: 'temporal', result: 'gone' }]);
      assert.equal(await isRunning(stranger), true);
      await stopProcess(stranger, { graceMs: 1_000 });
    });
  });
});
