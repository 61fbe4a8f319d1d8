import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes, Partitioners, type Producer } from 'kafkajs';
import { ask } from '../../src/activities/query.ts';
import { createKafka } from '../../src/adapters/kafka-client.ts';
import { events } from '../../src/datasets/events.ts';
import type { Row } from '../../src/ports.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import type { IngotAnswer } from '../support/run-ingot.ts';
import { type Pipeline, startPipeline } from './support.ts';

/* What could not be placed, corrected by the command and seen in bronze, on real parts. */

type Listed = { readonly id: string; readonly reason: string; readonly state: string };
type Sent = {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
};

describe('ingot dead-letters', function () {
  this.timeout(480_000);
  let pipeline: Pipeline;
  let producer: Producer;
  let topic: string;
  let folder: string;
  let letters: readonly Listed[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-dead-letters-'));
    pipeline = await startPipeline('dead');
    topic = pipeline.config.KAFKA_TOPICS;
    const createPartitioner = Partitioners.DefaultPartitioner;
    producer = createKafka(pipeline.config, silentLogger).producer({ createPartitioner });
    await producer.connect();
    const timestamp = new Date().toISOString();
    const nameless = JSON.stringify({ timestamp, event_type: 'page_view', user_id: 'u-1' });
    const headers = { trace: Buffer.from([0, 255]) };
    await producer.send({
      topic,
      acks: -1,
      compression: CompressionTypes.LZ4,
      messages: [
        { partition: 0, key: 'u-1', value: nameless, headers },
        { partition: 1, key: 'u-2', value: Buffer.from([0xc3, 0x28]) },
        { partition: 1, key: 'u-3', value: null },
        { partition: 2, key: 'u-4', value: JSON.stringify({ event_id: 'e-4', timestamp }) },
      ],
    });
    await pipeline.settle();
    letters = JSON.parse((await run(['list', '--json'])).stdout) as readonly Listed[];
  });

  after(async () => {
    await producer.disconnect();
    await pipeline.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<IngotAnswer> {
    return pipeline.ingot(['dead-letters', ...args], env);
  }

  function idOf(reason: string): string {
    return letters.find((letter) => letter.reason === reason)?.id ?? assert.fail(reason);
  }

  async function bronzeAt({ partition, offset }: Sent): Promise<Row | undefined> {
    await pipeline.settle();
    const { rows } = await ask(
      { ports: pipeline.ports, dataset: events },
      {
        sql:
          'SELECT event_id, user_id, _key, _headers FROM events ' +
          `WHERE _partition = ${partition} AND _offset = ${offset}`,
        parameters: {},
        dateFrom: null,
        dateTo: null,
      },
    );
    return rows[0];
  }

  it('lists what could not be placed, and counts it by reason', async () => {
    assert.deepEqual(letters.map(({ reason, state }) => `${reason} ${state}`).sort(), [
      'EMPTY open',
      'ID_MISSING open',
      'NOT_UTF8 open',
    ]);
    const { stdout, stderr, code } = await run([
      'list',
      '--reason',
      'NOT_UTF8',
      '--from',
      '2026-01-01',
    ]);
    assert.equal(code, 0);
    assert.ok(stdout.includes(idOf('NOT_UTF8')) && !stdout.includes(idOf('EMPTY')));
    assert.match(stderr, /^NOT_UTF8 1; 1 in all$/m);
  });

  it('shows everything about one', async () => {
    const text = (await run(['show', idOf('NOT_UTF8')])).stdout;
    assert.match(text, /hex c328/);
    const shown = JSON.parse((await run(['show', idOf('ID_MISSING'), '--json'])).stdout) as {
      readonly headers: unknown;
      readonly value: { readonly text: string };
    };
    assert.deepEqual(shown.headers, { trace: [{ base64: 'AP8=' }] });
    assert.match(shown.value.text, /"user_id":"u-1"/);
  });

  it('sends one with a field set, which comes to bronze with its key and headers', async () => {
    const id = idOf('ID_MISSING');
    const dry = await run(['redrive', id, '--set', 'event_id="e-1"', '--dry-run', '--json']);
    assert.equal(JSON.parse(dry.stdout)[0].would_be, 'sent');

    const { stdout, code } = await run(['redrive', id, '--set', 'event_id="e-1"', '--json']);
    assert.equal(code, 0);
    const [sent] = JSON.parse(stdout) as readonly Sent[];
    assert.deepEqual([sent?.id, sent?.topic, sent?.partition], [id, topic, 0]);
    const row = await bronzeAt(sent!);
    assert.deepEqual([row?.event_id, row?.user_id, row?._key], ['e-1', 'u-1', 'u-1']);
    const headers = JSON.parse(String(row?._headers)) as Record<string, readonly string[]>;
    assert.deepEqual(headers, {
      trace: ['AP8='],
      'ingot-redrive': [Buffer.from(id).toString('base64')],
    });
  });

  it('refuses what was sent, and says where it lies', async () => {
    const id = idOf('ID_MISSING');
    const { code, stderr } = await run(['redrive', id]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${id} was sent at .* lies in ${topic}/0 at offset \\d+`));
    assert.match((await run(['show', id])).stdout, /redriven/);
  });

  it('sends the bytes of a file', async () => {
    const file = join(folder, 'mended.json');
    const timestamp = new Date().toISOString();
    await writeFile(file, JSON.stringify({ event_id: 'e-2', timestamp, user_id: 'u-2' }));
    const { stdout } = await run(['redrive', idOf('NOT_UTF8'), '--value-file', file, '--json']);
    const [sent] = JSON.parse(stdout) as readonly Sent[];
    const row = await bronzeAt(sent!);
    assert.deepEqual([row?.event_id, row?._key], ['e-2', 'u-2']);
  });

  it('sends by filter only what is open, and more than one only with --yes', async () => {
    const filter = ['--topic', topic];
    const { stdout, stderr } = await run(['redrive', ...filter, '--json']);
    assert.match(stderr, /2 were sent before/);
    const [sent] = JSON.parse(stdout) as readonly Sent[];
    assert.equal(sent?.id, idOf('EMPTY'));
    const forced = await run(['redrive', ...filter, '--force']);
    assert.equal(forced.code, 2);
    assert.match(forced.stderr, /dead letters are chosen; --yes sends them/);
  });

  it('ends with 2 when it is asked for what there is not', async () => {
    const wrong = [
      [['show', `${topic}-0-000000000000/99`], /there is no dead letter/],
      [['show', 'nonsense'], /nonsense: not an id/],
      [['list', '--reason', 'ODD'], /must be one of EMPTY/],
      [['list', '--from', 'noon'], /--from noon: must be a date/],
      [['redrive', idOf('EMPTY'), '--set', 'a=b'], /--set a=b: b is not JSON/],
      [['redrive', idOf('EMPTY'), '--force', '--set', 'a=1'], /is not a JSON object/],
      [['redrive', idOf('EMPTY'), '--value-file', 'none'], /--value-file none/],
      [['redrive'], /nothing is chosen/],
    ] as const;
    for (const [args, pattern] of wrong) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, pattern);
    }
  });

  it('claims nothing when Kafka does not answer', async () => {
    const id = idOf('EMPTY');
    const claimed = async (): Promise<string> => (await run(['show', id])).stdout;
    const before = await claimed();
    const down = await run(['redrive', id, '--force'], { KAFKA_BROKERS: '127.0.0.1:1' });
    assert.equal(down.code, 1);
    assert.match(down.stderr, /Kafka cannot be reached/);
    assert.equal(await claimed(), before);
  });

  it('says which part does not answer', async () => {
    const { code, stderr } = await run(['list'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    assert.equal(code, 1);
    assert.match(stderr, /S3 cannot be reached/);
  });
});
