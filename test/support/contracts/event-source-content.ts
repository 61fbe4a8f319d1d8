import assert from 'node:assert/strict';
import { collect, offsetsOf, positionsFrom, textsOf } from '../event-source-reading.ts';
import { numbered, range, type Subject } from './event-source-subject.ts';

/** What a read hands on. */
export function describeContent(subject: Subject): void {
  it('hands on all topic partitions, complete and in order', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(3);
    for (const partition of [0, 1, 2]) {
      for (const first of [0, 1_000, 2_000]) {
        await append(topic, partition, numbered(1_000, first));
      }
    }
    const fetched = await collect(source, positionsFrom(topic, 3, '0'));
    for (const partition of [0, 1, 2]) {
      assert.deepEqual(offsetsOf(fetched, topic, partition), range(0, 3_000));
      assert.equal(textsOf(fetched, topic, partition)[2_999], 'v2999');
    }
  });

  it('reads several topics at once', async () => {
    const { source, createTopic, append } = subject();
    const topics = [await createTopic(1), await createTopic(2)] as const;
    await append(topics[0], 0, numbered(3));
    await append(topics[1], 1, numbered(4));
    const positions = topics.flatMap((topic, i) => positionsFrom(topic, i + 1, '0'));
    const fetched = await collect(source, positions);
    assert.deepEqual(offsetsOf(fetched, topics[0], 0), range(0, 3));
    assert.deepEqual(offsetsOf(fetched, topics[1], 1), range(0, 4));
  });

  it('serves readers of the same topic partition independently', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(20));
    const reads = ['0', '5', '19'].map((from) => collect(source, positionsFrom(topic, 1, from)));
    const found = (await Promise.all(reads)).map((fetched) => offsetsOf(fetched, topic, 0));
    assert.deepEqual(found, [range(0, 20), range(5, 20), ['19']]);
  });

  it('calls onFetched for one topic partition at a time, each from where the last one ended', async () => {
    const { source, createTopic, append, appendInvisible } = subject();
    const topic = await createTopic(2);
    for (const partition of [0, 1]) {
      await append(topic, partition, numbered(5));
      await appendInvisible(topic, partition, 2);
      await append(topic, partition, numbered(5, 5));
      await appendInvisible(topic, partition, 3);
    }
    const running = new Map<number, number>();
    const next = new Map([
      [0, '0'],
      [1, '0'],
    ]);
    await collect(source, positionsFrom(topic, 2, '0'), undefined, async (fetched) => {
      const { partition, records, offsetNext } = fetched;
      running.set(partition, (running.get(partition) ?? 0) + 1);
      assert.equal(running.get(partition), 1);
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      assert.ok(records.every(({ offset }) => BigInt(offset) >= BigInt(next.get(partition) ?? 0)));
      assert.ok(BigInt(offsetNext) > BigInt(records.at(-1)?.offset ?? next.get(partition) ?? 0));
      next.set(partition, offsetNext);
      running.set(partition, 0);
    });
  });

  it('passes invisible records by offsetNext, without losing a visible one', async () => {
    const { source, createTopic, append, appendInvisible } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(3));
    await appendInvisible(topic, 0, 5);
    const [between] = await source.describeTopic(topic);
    await append(topic, 0, numbered(2, 3));
    await appendInvisible(topic, 0, 4);
    const [end] = await source.describeTopic(topic);
    assert.ok(BigInt(between?.offsetEnd ?? 0) >= 8n && BigInt(end?.offsetEnd ?? 0) >= 14n);

    const fetched = await collect(source, positionsFrom(topic, 1, '0'));
    assert.deepEqual(textsOf(fetched, topic, 0), ['v0', 'v1', 'v2', 'v3', 'v4']);
    assert.equal(fetched.at(-1)?.offsetNext, end?.offsetEnd);
    assert.equal(offsetsOf(fetched, topic, 0)[3], between?.offsetEnd);
  });

  it('passes a range that holds nothing visible by a call without records', async () => {
    const { source, createTopic, append, appendInvisible } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(2));
    await appendInvisible(topic, 0, 5);
    const [end] = await source.describeTopic(topic);
    const fetched = await collect(source, positionsFrom(topic, 1, '2'));
    assert.deepEqual(offsetsOf(fetched, topic, 0), []);
    assert.equal(fetched.at(-1)?.offsetNext, end?.offsetEnd);
  });

  it('keeps keys, headers, empty and null values byte for byte', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(1);
    const notUtf8 = Buffer.from([0xff, 0x00, 0x80]);
    await append(topic, 0, [
      {
        key: 'a',
        value: 'ä',
        headers: { one: notUtf8, two: [Buffer.from('x'), Buffer.from('y')] },
      },
      { key: null, value: null },
      { key: notUtf8, value: Buffer.alloc(0) },
      { key: Buffer.alloc(0), value: notUtf8 },
    ]);
    const records = (await collect(source, positionsFrom(topic, 1, '0'))).flatMap((f) => f.records);
    const plain = (bytes: Uint8Array | null) => (bytes === null ? null : [...bytes]);
    assert.deepEqual(
      records.map(({ key, value }) => [plain(key), plain(value)]),
      [
        [[0x61], [0xc3, 0xa4]],
        [null, null],
        [[0xff, 0, 0x80], []],
        [[], [0xff, 0, 0x80]],
      ],
    );
    const headers = Object.entries(records[0]?.headers ?? {});
    assert.deepEqual(
      headers.map(([header, values]) => [header, values.map(plain)]),
      [
        ['one', [[0xff, 0, 0x80]]],
        ['two', [[0x78], [0x79]]],
      ],
    );
    assert.equal(records[1]?.headers, null);
    assert.ok(records.every(({ timestampMs }) => timestampMs > Date.parse('2020-01-01')));
  });

  it('tells the high watermark', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(7));
    const fetched = await collect(source, positionsFrom(topic, 1, '2'));
    assert.equal(fetched.at(-1)?.highWatermark, '7');
  });
}
