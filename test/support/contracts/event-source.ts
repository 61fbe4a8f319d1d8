import assert from 'node:assert/strict';
import type { Fetched } from '../../../src/ports.ts';
import { collect, offsetsOf, positionsFrom, readUntil, textsOf } from '../event-source-reading.ts';
import { describeContent } from './event-source-content.ts';
import { describeEnding, describeLoss } from './event-source-endings.ts';
import {
  type EventSourceSubject,
  numbered,
  range,
  type Subject,
  withCode,
} from './event-source-subject.ts';

/** What every EventSource promises. Each case has a topic of its own, so one subject serves them all. */
export function describeEventSource(name: string, open: () => Promise<EventSourceSubject>): void {
  describe(`EventSource: ${name}`, function () {
    this.timeout(90_000);
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

function describeTopics(subject: Subject): void {
  it('answers the first and the next offset of every topic partition, in order', async () => {
    const { source, createTopic, append, deleteBefore } = subject();
    const topic = await createTopic(3);
    await append(topic, 0, numbered(5));
    await append(topic, 2, numbered(2));
    await deleteBefore(topic, 0, '3');
    const described = await source.describeTopic(topic);
    const [{ topicId } = {}] = described;
    assert.deepEqual(described, [
      { topic, partition: 0, offsetStart: '3', offsetEnd: '5', topicId },
      { topic, partition: 1, offsetStart: '0', offsetEnd: '0', topicId },
      { topic, partition: 2, offsetStart: '0', offsetEnd: '2', topicId },
    ]);
  });

  it('tells a topic that was made anew from the one before, and from every other', async () => {
    const { source, createTopic, recreateTopic } = subject();
    const [topic, other] = [await createTopic(1), await createTopic(1)];
    const idOf = async (name: string) => (await source.describeTopic(name))[0]?.topicId;
    const before = await idOf(topic);
    assert.equal(await idOf(topic), before);
    await recreateTopic(topic);
    const ids = new Set([before, await idOf(topic), await idOf(other)]);
    assert.equal(ids.size, 3);
    assert.ok(!ids.has(undefined));
  });

  it('tells behind a fetch which topic there is now', async () => {
    const { source, createTopic, recreateTopic, append } = subject();
    const topic = await createTopic(1);
    const [{ topicId = null } = {}] = await source.describeTopic(topic);
    await append(topic, 0, numbered(1));
    const done = new AbortController();
    const seen: (string | null | undefined)[] = [];
    const onFetched = async ({ topicIdNow }: Fetched): Promise<void> => {
      seen.push(await topicIdNow?.());
      await recreateTopic(topic);
      seen.push(await topicIdNow?.());
      done.abort();
    };
    const positions = [{ topic, partition: 0, offset: '0' }];
    await source.read({ positions, onFetched, signal: done.signal });
    assert.equal(seen[0], topicId);
    assert.notEqual(seen[1], topicId);
    assert.notEqual(topicId, null);
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
