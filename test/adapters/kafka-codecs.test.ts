import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaClient } from '../../src/adapters/kafka-client.ts';
import { codecNames } from '../../src/adapters/kafka-codecs.ts';
import { createKafkaEventSource } from '../../src/adapters/kafka-event-source.ts';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import type { SourceRecord } from '../../src/ports.ts';
import { toolsFolder } from '../../src/stack/parts.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { collect } from '../support/event-source-reading.ts';
import { openTestKafka, type TestKafka } from '../support/kafka.ts';

const config = loadConfig(process.env);
const run = promisify(execFile);

type Written = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, readonly Buffer[]>>;
};

const headers = { trace: [Buffer.from([0, 255, 7]), Buffer.from('twice')] };

/** The same as in ProduceCompressed.java. */
const records: readonly Written[] = [
  ...Array.from({ length: 500 }, (_, number) => ({
    key: Buffer.from(`key-${number}`),
    value: Buffer.from(`value-${number}${'-'.repeat(number)}`),
    headers,
  })),
  { key: Buffer.from('tombstone'), value: null, headers },
  { key: null, value: Buffer.alloc(0), headers },
  { key: Buffer.from('large'), value: large(), headers },
];

function large(): Buffer {
  const bytes = Buffer.alloc(1_000_000);
  let state = 1;
  for (let index = 0; index < bytes.byteLength; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

describe('createKafkaEventSource, compression', function () {
  this.timeout(180_000);
  let opened: TestKafka;
  before(async () => {
    opened = await openTestKafka(config);
  });
  after(() => opened.close());

  async function assertRecords(topic: string, partition: number): Promise<void> {
    const source = createKafkaEventSource({
      kafka: opened.kafka,
      logger: silentLogger,
      uniqueId: randomUUID,
    });
    const fetched = await collect(source, [{ topic, partition, offset: '0' }]);
    const found = fetched.flatMap((each) => each.records);
    assert.deepEqual(
      found.map(({ offset }) => offset),
      records.map((_, index) => String(index)),
    );
    records.forEach((record, index) => assertSame(found[index]!, record));
  }

  for (const [codec, name] of codecNames.entries()) {
    // Node itself writes zstd since 22.15.
    if (name === 'zstd' && !('zstdCompress' in zlib)) continue;
    it(`reads what kafkajs has written with ${name}`, async () => {
      const topic = await opened.createTopic(1);
      const messages = records.map((record) => ({
        ...record,
        partition: 0,
        headers: { trace: [...record.headers['trace']!] },
      }));
      const { producer } = opened;
      const send = (part: typeof messages) =>
        producer.send({ topic, messages: part, acks: -1, compression: codec });
      await send(messages.slice(0, -1));
      await send(messages.slice(-1));
      await assertRecords(topic, 0);
    });
  }

  it('says where the bytes are that were damaged on their way', async () => {
    const topic = await opened.createTopic(2);
    await opened.producer.send({ topic, messages: [{ partition: 1, value: 'whole' }] });
    await opened.producer.send({ topic, messages: [{ partition: 1, value: 'damage me' }] });
    const source = createKafkaEventSource({
      kafka: damaging(opened.kafka, Buffer.from('damage me')),
      logger: silentLogger,
      uniqueId: randomUUID,
    });
    const begun = collect(source, [{ topic, partition: 1, offset: '0' }], []);
    await assert.rejects(begun, (error: unknown) => {
      assert.ok(error instanceof IngotError, String(error));
      const { checksum, found, ...facts } = error.facts;
      assert.notEqual(checksum, found);
      assert.deepEqual(
        { code: error.code, facts },
        { code: 'RECORDS_UNREADABLE', facts: { topic, partition: 1, offset: '1' } },
      );
      return true;
    });
  });

  it('reads the other topic partitions on when the bytes of one cannot be read', async () => {
    const topic = await opened.createTopic(2);
    const send = (partition: number, value: string) =>
      opened.producer.send({ topic, messages: [{ partition, value }] });
    await send(0, 'first');
    await send(1, 'damage me');
    const source = createKafkaEventSource({
      kafka: damaging(opened.kafka, Buffer.from('damage me')),
      logger: silentLogger,
      uniqueId: randomUUID,
    });
    const lost: string[] = [];
    const seen: string[] = [];
    const ends = new AbortController();
    await source.read({
      positions: [0, 1].map((partition) => ({ topic, partition, offset: '0' })),
      signal: ends.signal,
      onLost: ({ partition }, { code, facts }) => {
        lost.push(`${partition} ${code} ${String(facts['offset'])}`);
        void send(0, 'after it');
      },
      onFetched: async ({ partition, records }) => {
        seen.push(...records.map(({ value }) => `${partition} ${Buffer.from(value!).toString()}`));
        if (seen.includes('0 after it')) ends.abort();
      },
    });
    assert.deepEqual(lost, ['1 RECORDS_UNREADABLE 0']);
    assert.deepEqual(seen, ['0 first', '0 after it']);
  });

  describe("written by Java's own producer", () => {
    let topic: string;
    before(async function () {
      const libraries = kafkaLibraries();
      // With the broker in a container there is no Java client at hand.
      if (libraries === null) return this.skip();
      topic = await opened.createTopic(codecNames.length);
      const program = fileURLToPath(new URL('java/ProduceCompressed.java', import.meta.url));
      await run('java', ['-cp', libraries, program, config.kafkaBrokers.join(','), topic]);
    });

    codecNames.forEach((name, partition) => {
      it(`reads ${name}`, () => assertRecords(topic, partition));
    });
  });
});

/** A client whose connections turn one byte of what they receive, wherever the mark stands. */
function damaging({ brokers }: KafkaClient, mark: Buffer): KafkaClient {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port }, onConnect);
      const damage = (chunk: Buffer): void => {
        const at = chunk.indexOf(mark);
        if (at >= 0) chunk[at] = 0;
      };
      socket.on('data', damage);
      return socket;
    },
  });
  return Object.assign(kafka, { brokers });
}

function kafkaLibraries(): string | null {
  const tools = toolsFolder(config);
  const folder = readdirSync(tools).find((name) => /^kafka-[\d.]+$/.test(name));
  return folder === undefined ? null : join(tools, folder, 'libs', '*');
}

function assertSame(found: SourceRecord, wanted: Written): void {
  const at = `offset ${found.offset}`;
  const same = (left: Uint8Array | null, right: Buffer | null): boolean =>
    left === null || right === null ? left === right : right.equals(left);
  assert.ok(same(found.key, wanted.key), `key at ${at}`);
  assert.ok(same(found.value, wanted.value), `value at ${at}`);
  assert.deepEqual(
    Object.entries(found.headers ?? {}).map(([name, values]) => [
      name,
      values.map((value) => Buffer.from(value).toString('hex')),
    ]),
    Object.entries(wanted.headers).map(([name, values]) => [
      name,
      values.map((value) => value.toString('hex')),
    ]),
  );
}
