import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { Client, type Connection, type ScheduleHandle } from '@temporalio/client';
import { type Config, type Environment, loadConfig } from '../../src/config.ts';
import { scheduleId } from '../../src/lake/messages.ts';
import { freePorts } from '../../src/stack/free-ports.ts';
import { stackFolder } from '../../src/stack/parts.ts';
import { isRunning } from '../../src/stack/processes.ts';
import { readStarted } from '../../src/stack/records.ts';
import { ensureStack, stopStack } from '../../src/stack/stack.ts';
import { connectTemporal } from '../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../src/stack/temporal-namespace.ts';
import { temporalServer } from '../../src/stack/temporal-server.ts';
import { goldSchedule, waitingHours } from '../../src/workers/schedule-requests.ts';
import { ensureSchedule } from '../../src/workers/schedules.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { withoutSettings } from '../support/without-settings.ts';

const dataset = 'events';
const everyMs = 3_000;
/** The server takes no catch-up window below 10 s; one that were as short would miss hours. */
const outageMs = 13_000;
const slow = { limitMs: 120_000, everyMs: 100 };

/* A Temporal server of its own, for it is killed; its data stay. */
describe('the Schedule of hourly gold, when Temporal was down', function () {
  this.timeout(510_000);
  let env: Environment;
  let config: Config;
  let connection: Connection;
  const server = () => ({ config, env, parts: [temporalServer] });

  before(async () => {
    const [port, ui] = await freePorts(2);
    const { TEMPORAL_ADDRESS: _shared, ...rest } = withoutSettings(process.env);
    env = {
      ...rest,
      INGOT_CACHE_DIR: process.env['INGOT_CACHE_DIR'],
      LOG_LEVEL: 'silent',
      STACK_TEMPORAL_PORT: String(port),
      STACK_TEMPORAL_UI_PORT: String(ui),
    };
    config = loadConfig(env);
    await ensureStack(server());
    connection = await connectTemporal(config, 60_000);
  });
  after(async () => {
    await connection?.close();
    await stopStack(server());
    await rm(stackFolder(config), { recursive: true, force: true });
  });

  it('calls every hour of the outage due, in order and once', async () => {
    const namespace = 'outage';
    await ensureTemporalNamespace({ connection, namespace });
    const client = new Client({ connection, namespace });
    await ensureSchedule(client, dataset);
    const schedule = goldSchedule(client, dataset);
    // Its own policies, and hours of three seconds.
    await schedule.update((now) => ({ ...now, spec: { intervals: [{ every: everyMs }] } }));
    await eventually('the first run', async () => (await runningIds(schedule)).length > 0, slow);

    await crash(config);
    const downMs = Date.now();
    await eventually('that hours are missed', () => Date.now() > downMs + outageMs, slow);
    const upMs = Date.now();
    await ensureStack(server());
    await connection.ensureConnected();
    const isCaughtUp = async () => waitingHours(await schedule.describe()) >= 4;
    await eventually('the hours that were missed', isCaughtUp, slow);
    // As a worker does on its start; what waits stays, and no short hours come any more.
    await ensureSchedule(client, dataset);

    const nominal = await drained(client, schedule);
    assert.deepEqual(
      nominal,
      nominal.map((_, index) => nominal[0]! + index * everyMs),
    );
    assert.ok(nominal[0]! <= downMs && nominal.at(-1)! >= upMs - everyMs, String(nominal));
  });
});

async function crash(config: Config): Promise<void> {
  const record = await readStarted(stackFolder(config), 'temporal');
  if (record?.kind !== 'process') throw new Error('Temporal is no process of this stack');
  process.kill(record.pid, 'SIGKILL');
  await eventually('its end', async () => !(await isRunning(record)));
}

async function runningIds(schedule: ScheduleHandle): Promise<readonly string[]> {
  const { info } = await schedule.describe();
  return info.runningActions.map(({ workflow }) => workflow.workflowId);
}

/** No worker is there: each run is ended by hand, so that the next one starts. */
async function drained(client: Client, schedule: ScheduleHandle): Promise<readonly number[]> {
  const nominal: number[] = [];
  const endOne = async (): Promise<boolean> => {
    const [id] = await runningIds(schedule);
    if (id === undefined) return waitingHours(await schedule.describe()) === 0;
    await client.workflow.getHandle(id).terminate('has been seen');
    nominal.push(Date.parse(id.slice(scheduleId(dataset).length + 1)));
    const isNext = async () => !(await runningIds(schedule)).includes(id);
    await eventually('the end of a run', isNext, slow);
    return false;
  };
  await eventually('the last run', endOne, slow);
  return nominal;
}
