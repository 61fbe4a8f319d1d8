import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readAllPointers } from '../../src/activities/pointers.ts';
import { ask } from '../../src/activities/query.ts';
import { type Config, type Environment, loadConfig } from '../../src/config.ts';
import { events } from '../../src/datasets/events.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { freePorts } from '../../src/stack/free-ports.ts';
import { stackFolder } from '../../src/stack/parts.ts';
import { ensureStack, stopStack } from '../../src/stack/stack.ts';
import { temporalServer } from '../../src/stack/temporal-server.ts';
import { stopWorkerProcesses } from '../../src/stack/worker-processes.ts';
import { withoutSettings } from '../support/without-settings.ts';
import { expectedFrom, expectedGold, sorted } from './expected.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* Temporal with an empty database: all that the owner of the windows knew is gone, the lake is not. */

const hourMs = 3_600_000;
const endMs = endOfClosedHours();

describe('a pipeline whose Temporal has lost everything', function () {
  this.timeout(600_000);
  let env: Environment;
  let config: Config;
  let pipeline: Pipeline;
  const server = () => ({ config, env, parts: [temporalServer] });

  before(async () => {
    const [port, ui] = (await freePorts(2)).map(String);
    const own = { STACK_TEMPORAL_PORT: port!, STACK_TEMPORAL_UI_PORT: ui! };
    const { TEMPORAL_ADDRESS: _shared, ...rest } = withoutSettings(process.env);
    const { INGOT_CACHE_DIR } = process.env;
    env = { ...rest, INGOT_CACHE_DIR, LOG_LEVEL: 'silent', ...own };
    config = loadConfig(env);
    await ensureStack(server());
    pipeline = await startPipeline('lost', { ...own, TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  });
  after(async () => {
    await pipeline?.stop();
    await stopStack(server());
    await rm(stackFolder(config), { recursive: true, force: true });
  });

  it('goes on from the lake with nothing lost and nothing twice', async () => {
    const first = recordsOf(21, 900);
    await pipeline.produce(first);
    await pipeline.settle();
    const before = await pointers();

    await stopWorkerProcesses(pipeline.config, pipeline.config.INGOT_ID);
    await stopStack(server());
    await rm(join(stackFolder(config), 'temporal'), { recursive: true });
    await ensureStack(server());
    assert.equal((await cli('doctor')).code, 0);
    const { stderr } = await cli('bookmark', 'rebuild');
    assert.match(stderr, /lakehouse\/events begins from there/);
    await pipeline.restartWorker('ingest');
    await pipeline.restartWorker('transform');
    await pipeline.settle();
    const after = await pointers();
    assert.deepEqual([...after.keys()], [...before.keys()]);
    for (const [key, { rows }] of before) assert.equal(after.get(key)?.rows, rows, key);

    const second = recordsOf(22, 400);
    await pipeline.produce(second);
    await pipeline.settle();
    const expected = expectedFrom([...first, ...second]);
    const { accounting, identitiesHold } = await pipeline.figures();
    assert.equal(identitiesHold, true);
    assert.deepEqual(accounting, {
      bronze: first.length + second.length - expected.deadLetters,
      silver: expected.events.length,
      duplicates: expected.duplicates,
      rejected: expected.rejected,
    });
    const wanted = expectedGold(expected.events)['hourly_revenue']!;
    const columns = Object.keys(wanted[0]!);
    const sql = `SELECT ${columns.join(', ')} FROM hourly_revenue`;
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    const { rows } = await ask({ ports: pipeline.ports, dataset: events }, question);
    assert.deepEqual(sorted(rows, columns), sorted(wanted, columns));
  });

  const recordsOf = (seed: number, count: number): StreamRecord[] => [
    ...generateEvents({
      ...{ profile: 'ecommerce', seed, count },
      start: new Date(endMs - 3 * hourMs).toISOString(),
      end: new Date(endMs).toISOString(),
      rates: { duplicates: 0.05, malformed: 0.03, late: 0.02 },
    }),
  ];

  async function pointers() {
    const tables = [events.silver, ...events.gold];
    const found = await Promise.all(
      tables.map((table) => readAllPointers(pipeline.ports.objects, table)),
    );
    return new Map(found.flat().map((pointer) => [`${pointer.table} ${pointer.window}`, pointer]));
  }

  /** As a person would, with the settings of the pipeline. */
  function cli(...args: readonly string[]) {
    return pipeline.ingot(args);
  }
});
