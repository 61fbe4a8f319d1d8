import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { Group, StartGroup } from '../../src/activities/ingest-group.ts';
import { loadConfig } from '../../src/config.ts';
import type { Logger } from '../../src/ports.ts';
import { createGroupThreads } from '../../src/workers/ingest-threads.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { compileThread } from '../../src/workers/thread.ts';

/* Which thread a group of topic partitions runs in. What runs there is in support/group-thread.ts. */

describe('createGroupThreads', () => {
  let module: URL;

  before(async () => {
    module = await compileThread(new URL('./support/group-thread.ts', import.meta.url));
  });

  it('runs the next group in the thread of one that has ended', async () => {
    const start = threads();

    const first = await threadOf(start(group('first')));
    const next = await threadOf(start(group('next')));

    assert.equal(next, first);
  });

  it('never runs two groups in one thread', async () => {
    const start = threads();
    const both = [start(group('one')), start(group('other'))];

    const [one, other] = await Promise.all(both.map(threadOf));

    assert.notEqual(one, other);
  });

  it('never runs a group in a thread that has failed', async () => {
    const start = threads();

    await assert.rejects(start(group('fails')).ended, /no lake/);
    const before = await threadOf(start(group('first')));
    await assert.rejects(start(group('fails')).ended, /no lake/);

    assert.notEqual(await threadOf(start(group('next'))), before);
  });

  it('tells of a thread that died, also of one that had waited', async () => {
    const start = threads();
    await threadOf(start(group('first')));

    await assert.rejects(start(group('dies')).ended, { code: 'THREAD_LOST' });
    await threadOf(start(group('next')));
  });

  it('says that a thread died while it waited, and starts another', async () => {
    let start: StartGroup | undefined;
    let before = '';
    const warned = await new Promise<object>((resolve) => {
      start = threads({ warn: resolve });
      void threadOf(start(group('dies later'))).then((thread) => (before = thread));
    });

    assert.deepEqual(warned, { code: 1, crash: 'out of memory' });

    assert.notEqual(await threadOf(start!(group('next'))), before);
  });

  it('never tells a group what was meant for the one before it', async () => {
    const start = threads();
    const first = start(group('first'));
    await threadOf(first);
    const next = start(group('next'));

    first.halt();
    next.finish();
    const [report] = await next.ended;

    assert.equal(report?.number, 0);
  });

  it('keeps threads of few topic partitions and of many apart', async () => {
    const start = threads();

    const few = await threadOf(start(group('few')));
    const many = await threadOf(start(group('many', 8)));

    assert.notEqual(many, few);
    assert.equal(await threadOf(start(group('few again'))), few);
  });

  it('lets go of a thread that nobody has wanted for a minute', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const start = threads();
      const first = await threadOf(start(group('first')));
      mock.timers.tick(59_999);
      assert.equal(await threadOf(start(group('soon'))), first);

      mock.timers.tick(60_000);
      assert.notEqual(await threadOf(start(group('late'))), first);
    } finally {
      mock.timers.reset();
    }
  });

  function threads(logger: Pick<Logger, 'warn'> = silentLogger): StartGroup {
    const config = loadConfig({});
    const dataset = { name: 'events' };
    return createGroupThreads({ config, dataset, groups: 2, module, logger });
  }
});

function group(writer: string, partitions = 1): Parameters<StartGroup>[0] {
  const one = { topic: 'clicks', offsetStart: '0', offsetEnd: '0' };
  const topicPartitions = Array.from({ length: partitions }, (_, partition) => ({
    ...one,
    partition,
  }));
  return { writer, topicPartitions };
}

/** The name of the thread that a group runs in, after it has ended in peace. */
async function threadOf(running: Group): Promise<string> {
  running.finish();
  const [report] = await running.ended;
  return report!.log;
}
