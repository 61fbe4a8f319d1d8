import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readTaken } from '../../src/activities/drop-index.ts';
import { ask } from '../../src/activities/query.ts';
import { readSeals } from '../../src/activities/source-log.ts';
import { readTail } from '../../src/activities/source-log-tail.ts';
import { events } from '../../src/datasets/events.ts';
import { dropLog } from '../../src/lake/drop.ts';
import type { Row } from '../../src/ports.ts';
import type { IngotAnswer } from '../support/run-ingot.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, startPipeline } from './support.ts';

/* Files that people drop, on real parts: from the folder to silver, and what a person decides. */

const prefix = 'landing/events/';
const eventTime = new Date(Date.now() - 3_600_000).toISOString();

function event(id: string): Readonly<Record<string, unknown>> {
  return {
    event_id: id,
    event_type: 'page_view',
    timestamp: eventTime,
    user_id: 'u-1',
    session_id: 's-1',
    device: 'mobile',
    location: 'DE',
  };
}

const jsonLines = (ids: readonly string[]): string =>
  ids.map((id) => `${JSON.stringify(event(id))}\n`).join('');
const csv = (ids: readonly string[]): string =>
  [Object.keys(event('')), ...ids.map((id) => Object.values(event(id)))]
    .map((row) => `${row.join(',')}\r\n`)
    .join('');
const range = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

describe('the drop folder', function () {
  this.timeout(600_000);
  let pipeline: Pipeline;

  before(async () => {
    pipeline = await startPipeline('drop', {
      DROP_ENABLED: 'true',
      DROP_POLL_SECONDS: '1',
      DROP_DELAY_SECONDS: '0',
      INGEST_BATCH_ROWS_MAX: '1000',
    });
    const truncated = gzipSync(jsonLines(range('cut', 5_000)));
    await drop('a.json.gz', gzipSync(jsonLines(range('a', 2_500))));
    await drop('b "ü" +%20.csv', Buffer.from(csv(range('b', 10))));
    await drop('c.json.gz', truncated.subarray(0, truncated.byteLength - 500));
    await drop(
      'd.jsonl',
      Buffer.from(`${jsonLines(['d-0'])}nonsense\n${jsonLines(['d-1', 'd-1'])}`),
    );
    await drop('e.txt', Buffer.from('what is this'));
    await settle(4);
  });

  after(async () => {
    await pipeline.stop();
  });

  async function drop(name: string, bytes: Uint8Array): Promise<void> {
    await pipeline.ports.objects.replaceObject(`${prefix}${name}`, bytes);
  }

  /** Waits until so many versions were taken, and silver has what they brought. */
  async function settle(versions: number): Promise<void> {
    const { objects } = pipeline.ports;
    const isTaken = async (): Promise<boolean> => {
      const taken = await readTaken(objects, events.name);
      return [...taken.values()].reduce((sum, { size }) => sum + size, 0) === versions;
    };
    const limits = { limitMs: 120_000, everyMs: 250 };
    await eventually(`${versions} taken versions`, isTaken, limits);
    const { entry } = await readTail(objects, { dataset: events.name, log: dropLog });
    await pipeline.settleAt({ [dropLog]: entry!.number });
  }

  async function rowsOf(sql: string): Promise<readonly Row[]> {
    const { ports } = pipeline;
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    return (await ask({ ports, dataset: events }, question)).rows;
  }

  const run = (args: readonly string[]): Promise<IngotAnswer> => pipeline.ingot(args);

  it('brings every line once, to bronze or to the dead letters', async () => {
    const { objects } = pipeline.ports;
    const ref = { dataset: events.name, log: dropLog };
    const { entry } = await readTail(objects, ref);
    const seals = await readSeals(objects, { ...ref, first: 0, through: entry!.number });
    const sum = (name: 'records' | 'rows' | 'deadLetters') =>
      seals.reduce((total, seal) => total + seal[name], 0);
    const [bronze] = await rowsOf('SELECT count(*) AS n, count(DISTINCT _offset) AS d FROM events');
    const [letters] = await rowsOf('SELECT count(*) AS n FROM dead_letters');
    assert.equal(Number(bronze!['n']), sum('rows'));
    assert.equal(Number(bronze!['d']), sum('rows'), 'no offset twice');
    assert.equal(Number(letters!['n']), sum('deadLetters'));
    assert.equal(sum('records'), sum('rows') + sum('deadLetters'));
    const files = await rowsOf('SELECT _source_file AS f, count(*) AS n FROM events GROUP BY 1');
    const perFile = new Map(files.map((row) => [String(row['f']), Number(row['n'])]));
    assert.equal(perFile.get(`${prefix}a.json.gz`), 2_500);
    assert.equal(perFile.get(`${prefix}b "ü" +%20.csv`), 10);
    assert.equal(perFile.get(`${prefix}d.jsonl`), 3);
  });

  it('counts what could be read of a truncated file, and tells of the rest and of a bad line', async () => {
    const [cut] = await rowsOf(
      `SELECT count(*) AS n FROM events WHERE _source_file = '${prefix}c.json.gz'`,
    );
    const letters = await rowsOf('SELECT reason, detail FROM dead_letters ORDER BY reason');
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      ['NOT_JSON', 'OBJECT_TRUNCATED'],
    );
    assert.match(String(letters[0]!['detail']), /d\.jsonl line 2: /);
    const line = Number(cut!['n']) + 1;
    assert.ok(line > 1_000);
    assert.match(String(letters[1]!['detail']), new RegExp(`c\\.json\\.gz line ${line}: `));
  });

  it('is followed by silver, without the events that are there twice', async () => {
    const rows = await rowsOf(
      "SELECT event_id, _source FROM events_cleaned WHERE event_id LIKE 'd-%' ORDER BY 1",
    );
    assert.deepEqual(rows, [
      { event_id: 'd-0', _source: 's3' },
      { event_id: 'd-1', _source: 's3' },
    ]);
    const [csvRows] = await rowsOf(
      "SELECT count(*) AS n FROM events_cleaned WHERE event_id LIKE 'b-%'",
    );
    assert.equal(Number(csvRows!['n']), 10);
  });

  it('is seen beside the other logs', async () => {
    const { stdout, code } = await run(['lanes', 'status', '--json']);
    assert.equal(code, 0);
    const states = JSON.parse(stdout) as { log: string; drop?: { unknownExample: string } }[];
    const found = states.find(({ log }) => log === dropLog);
    assert.equal(found?.drop?.unknownExample, `${prefix}e.txt`);
  });

  it('leaves a replaced object to a person, and then does what was decided', async () => {
    const key = `${prefix}a.json.gz`;
    const early = await run(['drop', 'decide', key, '--take', '--reason', 'x']);
    assert.equal(early.code, 2);
    assert.match(early.stderr, /the version of .* that lies there was taken/);
    await drop('a.json.gz', gzipSync(jsonLines(['a-new'])));
    const isShown = async (): Promise<boolean> =>
      (await run(['lanes', 'status'])).stderr.includes('a.json.gz was replaced after it was taken');
    await eventually('the open question', isShown, { limitMs: 120_000, everyMs: 500 });
    const decided = await run(['drop', 'decide', key, '--take', '--reason', 'corrected']);
    assert.equal(decided.code, 0, decided.stderr);
    await settle(5);
    const rows = await rowsOf("SELECT event_id FROM events_cleaned WHERE event_id = 'a-new'");
    assert.equal(rows.length, 1);
  });

  it('takes generated files', async () => {
    const args = ['--scale', '0.0002', '--seed', '7', '--duplicates', '0.1', '--json'];
    const { stdout, code, stderr } = await run(['generate', '--to', 'drop', ...args]);
    assert.equal(code, 0, stderr);
    const [made] = JSON.parse(stdout) as { file: string; records: number }[];
    await settle(6);
    const [found] = await rowsOf(
      `SELECT count(*) AS n FROM events WHERE _source_file = '${made!.file}'`,
    );
    assert.equal(Number(found!['n']), made!.records);
  });
});
