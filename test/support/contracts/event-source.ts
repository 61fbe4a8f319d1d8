import assert from 'node:assert/strict';
import { IngotError, type ErrorCode } from '../../../src/errors.ts';
import type { EventSource, Fetched, ReadOptions } from '../../../src/ports.ts';
import {
  collect,
  offsetsOf,
  positionsFrom,
  readUntil,
  textsOf,
  type Position,
} from '../event-source-reading.ts';

export type NewContractRecord = {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | readonly Buffer[]>>;
};

export type EventSourceSubject = {
  readonly source: EventSource;
  /** Answers the name of a new topic. */
  readonly createTopic: (partitions: number) => Promise<string>;
  /** One call is one batch, compressed where there is compression. */
  readonly append: (
    topic: string,
    partition: number,
    records: readonly NewContractRecord[],
  ) => Promise<void>;
  /** Uses up at least so many offsets that no reader sees: an aborted transaction. */
  readonly appendInvisible: (topic: string, partition: number, count: number) => Promise<void>;
  readonly deleteBefore: (topic: string, partition: number, offset: string) => Promise<void>;
  readonly committedOffsets: (group: string) => Promise<readonly Position[]>;
  readonly close: () => Promise<void>;
};

type Subject = () => EventSourceSubject;

/** What every EventSource promises. Each case has a topic of its own, so one subject serves them all. */
export function describeEventSource(name: string, open: () => Promise<EventSourceSubject>): void {
  describe(`EventSource: ${name}`, function () {
    this.timeout(30_000);
    let opened: EventSourceSubject;
    const subject = () => opened;
    before(async () => {
      opened = await open();
    });
    after(async () => {
      await opened?.close();
    });
    describe('describeTopic', () => describeTopics(subject));
    describe('where a read begins', () => describeBeginning(subject));
    describe('what a read hands on', () => describeContent(subject));
    describe('how a read ends', () => describeEnding(subject));
    describe('offsets that are not there', () => describeLoss(subject));
    describe('publishPositions', () => describePublishing(subject));
  });
}

const numbered = (count: number, first = 0): NewContractRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${first + i}`, value: `v${first + i}` }));

const range = (first: number, end: number): string[] =>
  Array.from({ length: end - first }, (_, i) => String(first + i));

const withCode = (code: ErrorCode, retryable: boolean) => (error: unknown) =>
  error instanceof IngotError && error.code === code && error.retryable === retryable;

function describeTopics(subject: Subject): void {
  it('answers the first and the next offset of every topic partition, in order', async () => {
    const { source, createTopic, append, deleteBefore } = subject();
    const topic = await createTopic(3);
    await append(topic, 0, numbered(5));
    await append(topic, 2, numbered(2));
    await deleteBefore(topic, 0, '3');
    assert.deepEqual(await source.describeTopic(topic), [
      { topic, partition: 0, offsetStart: '3', offsetEnd: '5' },
      { topic, partition: 1, offsetStart: '0', offsetEnd: '0' },
      { topic, partition: 2, offsetStart: '0', offsetEnd: '2' },
    ]);
  });

  it('throws TOPIC_MISSING for a topic that does not exist', async () => {
    await assert.rejects(
      subject().source.describeTopic('ingot-no-such-topic'),
      withCode('TOPIC_MISSING', true),
    );
  });
}

function describeBeginning(subject: Subject): void {
  it('begins exactly at the position, also in the middle of a batch', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(2);
    await append(topic, 0, numbered(100));
    await append(topic, 1, numbered(50));
    const positions = [
      { topic, partition: 0, offset: '37' },
      { topic, partition: 1, offset: '49' },
    ];
    const fetched = await collect(source, positions);
    assert.deepEqual(offsetsOf(fetched, topic, 0), range(37, 100));
    assert.deepEqual(offsetsOf(fetched, topic, 1), ['49']);
  });

  it('hands on nothing that lies before the end when it begins there', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(10));
    const fetched: Fetched[] = [];
    const ends = new AbortController();
    const reading = source.read({
      positions: [{ topic, partition: 0, offset: '10' }],
      onFetched: async (each) => {
        fetched.push(each);
        ends.abort();
      },
      signal: ends.signal,
    });
    await append(topic, 0, numbered(1, 10));
    await reading;
    assert.deepEqual(textsOf(fetched, topic, 0), ['v10']);
  });

  it('waits at an empty topic until a record arrives', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(1);
    const reading = readUntil(source, {
      positions: positionsFrom(topic, 1, '0'),
      until: (fetched) => fetched.length > 0,
    });
    await append(topic, 0, [{ value: 'first' }]);
    assert.deepEqual(textsOf(await reading, topic, 0), ['first']);
  });

  it('throws TOPIC_MISSING for a topic or topic partition that does not exist', async () => {
    const { source, createTopic } = subject();
    const topic = await createTopic(1);
    for (const [name, partition] of [['ingot-no-such-topic', 0] as const, [topic, 1] as const]) {
      const positions = [{ topic: name, partition, offset: '0' }];
      await assert.rejects(collect(source, positions, []), withCode('TOPIC_MISSING', true));
    }
  });
}

function describeContent(subject: Subject): void {
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

function describeEnding(subject: Subject): void {
  const read = (options: Partial<ReadOptions> & Pick<ReadOptions, 'positions'>) =>
    subject().source.read({
      onFetched: async () => {},
      signal: new AbortController().signal,
      ...options,
    });

  it('goes on after any number of aborts without a record lost or seen twice', async () => {
    const { source, createTopic, append } = subject();
    const topic = await createTopic(2);
    for (let batch = 0; batch < 8; batch += 1) {
      await append(topic, batch % 2, numbered(50, batch * 50));
    }
    let positions: readonly Position[] = positionsFrom(topic, 2, '0');
    const fetched: Fetched[] = [];
    for (const calls of [1, 2, 1, 1, 3]) {
      const some = await readUntil(source, {
        positions,
        until: (seen) => seen.length >= calls || isAtEnd(fetched, seen),
      });
      fetched.push(...some);
      positions = positions.map((position) => ({
        ...position,
        offset:
          some.filter(({ partition }) => partition === position.partition).at(-1)?.offsetNext ??
          position.offset,
      }));
    }
    fetched.push(...(await collect(source, positions)));
    for (const partition of [0, 1]) {
      assert.deepEqual(offsetsOf(fetched, topic, partition), range(0, 200));
    }
    function isAtEnd(before: readonly Fetched[], seen: readonly Fetched[]): boolean {
      return [...before, ...seen].flatMap(({ records }) => records).length >= 400;
    }
  });

  it('resolves after an abort when the running onFetched has ended, and calls no other', async () => {
    const { createTopic, append } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(5));
    const steps: string[] = [];
    const ends = new AbortController();
    let release: () => void = () => undefined;
    const reading = read({
      positions: positionsFrom(topic, 1, '0'),
      signal: ends.signal,
      onFetched: async () => {
        steps.push('begin');
        ends.abort();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        steps.push('end');
      },
    }).then(() => steps.push('resolved'));
    while (steps.length === 0) await new Promise(setImmediate);
    await append(topic, 0, numbered(5, 5));
    release();
    await reading;
    assert.deepEqual(steps, ['begin', 'end', 'resolved']);
  });

  it('resolves at once when the signal is aborted already', async () => {
    const topic = await subject().createTopic(1);
    await read({ positions: positionsFrom(topic, 1, '0'), signal: AbortSignal.abort() });
  });

  it('waits for the signal when there is nothing to read', async () => {
    const ends = new AbortController();
    const reading = read({ positions: [], signal: ends.signal });
    ends.abort();
    await reading;
  });

  it('ends with the very error that onFetched throws, and does not call it again', async () => {
    const { createTopic, append } = subject();
    const topic = await createTopic(2);
    await append(topic, 0, numbered(5));
    const boom = new Error('boom');
    let calls = 0;
    const reading = read({
      positions: positionsFrom(topic, 2, '0'),
      onFetched: async () => {
        calls += 1;
        throw boom;
      },
    });
    await assert.rejects(reading, (error) => error === boom);
    assert.equal(calls, 1);
  });

  it('ends with an error of onFetched also when the signal was aborted first', async () => {
    const { createTopic, append } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(1));
    const boom = new Error('boom');
    const ends = new AbortController();
    const reading = read({
      positions: positionsFrom(topic, 1, '0'),
      signal: ends.signal,
      onFetched: async () => {
        ends.abort();
        throw boom;
      },
    });
    await assert.rejects(reading, (error) => error === boom);
  });
}

function describeLoss(subject: Subject): void {
  it('throws OFFSETS_LOST with what was wanted and what is there, before the start and after the end', async () => {
    const { source, createTopic, append, deleteBefore } = subject();
    const topic = await createTopic(2);
    await append(topic, 1, numbered(10));
    await deleteBefore(topic, 1, '6');
    for (const wanted of ['4', '11']) {
      const positions = [
        { topic, partition: 0, offset: '0' },
        { topic, partition: 1, offset: wanted },
      ];
      const seen: Fetched[] = [];
      await assert.rejects(
        collect(source, positions, [], async (fetched) => void seen.push(fetched)),
        (error) => {
          assert.ok(withCode('OFFSETS_LOST', false)(error), String(error));
          const expected = { topic, partition: 1, wanted, offsetStart: '6', offsetEnd: '10' };
          assert.deepEqual((error as IngotError).facts, expected);
          return true;
        },
      );
      assert.deepEqual(seen, []);
    }
  });

  it('throws OFFSETS_LOST when retention overtakes a running read', async () => {
    const { source, createTopic, append, deleteBefore } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(5));
    let calls = 0;
    const reading = source.read({
      positions: positionsFrom(topic, 1, '0'),
      signal: new AbortController().signal,
      onFetched: async () => {
        calls += 1;
        await append(topic, 0, numbered(10, 5));
        await deleteBefore(topic, 0, '9');
      },
    });
    await assert.rejects(reading, (error) => {
      assert.ok(withCode('OFFSETS_LOST', false)(error), String(error));
      assert.equal((error as IngotError).facts['wanted'], '5');
      return true;
    });
    assert.equal(calls, 1);
  });
}

function describePublishing(subject: Subject): void {
  it('shows positions as committed offsets of the group, and moves them', async () => {
    const { source, createTopic, append, committedOffsets } = subject();
    const topic = await createTopic(2);
    const other = await createTopic(1);
    await append(topic, 0, numbered(9));
    const group = `${topic}-lag`;
    await source.publishPositions(group, [
      { topic, partition: 0, offset: '3' },
      { topic, partition: 1, offset: '0' },
      { topic: other, partition: 0, offset: '0' },
    ]);
    await source.publishPositions(group, [{ topic, partition: 0, offset: '8' }]);
    const found = (await committedOffsets(group)).map(
      (position) => `${position.topic}/${position.partition}: ${position.offset}`,
    );
    assert.deepEqual(found.sort(), [`${topic}/0: 8`, `${topic}/1: 0`, `${other}/0: 0`].sort());
  });

  it('throws TOPIC_MISSING for a topic that does not exist', async () => {
    const positions = [{ topic: 'ingot-no-such-topic', partition: 0, offset: '0' }];
    await assert.rejects(
      subject().source.publishPositions('ingot-no-such-group', positions),
      withCode('TOPIC_MISSING', true),
    );
  });
}
