import assert from 'node:assert/strict';
import type { IngotError } from '../../../src/errors.ts';
import type { Fetched, ReadOptions } from '../../../src/ports.ts';
import {
  collect,
  offsetsOf,
  type Position,
  positionsFrom,
  readUntil,
} from '../event-source-reading.ts';
import { numbered, range, type Subject, withCode } from './event-source-subject.ts';

/** How a read ends. */
export function describeEnding(subject: Subject): void {
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

  it('tells of a topic partition that has lost its offset, and reads the others on', async () => {
    const { createTopic, append } = subject();
    const topic = await createTopic(2);
    await append(topic, 0, numbered(3));
    const lost: unknown[] = [];
    const ends = new AbortController();
    let last = '';
    await read({
      positions: [
        { topic, partition: 0, offset: '0' },
        { topic, partition: 1, offset: '7' },
      ],
      signal: ends.signal,
      onLost: ({ partition }, { code, facts }) => {
        lost.push([partition, code, facts['wanted']]);
        void append(topic, 0, numbered(2, 3));
      },
      onFetched: async ({ partition, offsetNext }) => {
        assert.equal(partition, 0);
        last = offsetNext;
        if (last === '5') ends.abort();
      },
    });
    assert.deepEqual([lost, last], [[[1, 'TOPIC_CHANGED', '7']], '5']);
  });

  it('reads a topic partition no more that is not wanted, and the others on', async () => {
    const { createTopic, append } = subject();
    const topic = await createTopic(2);
    await append(topic, 0, numbered(1));
    await append(topic, 1, numbered(1));
    const ends = new AbortController();
    const seen: string[] = [];
    let isTold = false;
    await read({
      positions: positionsFrom(topic, 2, '0'),
      signal: ends.signal,
      isWanted: ({ partition }) => {
        if (partition === 0 || !seen.includes('1 at 1')) return true;
        if (!isTold)
          void append(topic, 1, numbered(1, 1)).then(() => append(topic, 0, numbered(1, 1)));
        isTold = true;
        return false;
      },
      onFetched: async ({ partition, offsetNext }) => {
        seen.push(`${partition} at ${offsetNext}`);
        if (seen.includes('0 at 2')) ends.abort();
      },
    });
    assert.deepEqual(seen.toSorted(), ['0 at 1', '0 at 2', '1 at 1']);
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

/** Offsets that are not there. */
export function describeLoss(subject: Subject): void {
  const cases = [
    ['4', 'OFFSETS_LOST', 'before the start'],
    ['11', 'TOPIC_CHANGED', 'after the end'],
  ] as const;
  for (const [wanted, code, where] of cases) {
    it(`throws ${code} with what was wanted and what is there, ${where}`, async () => {
      const { source, createTopic, append, deleteBefore } = subject();
      const topic = await createTopic(2);
      await append(topic, 1, numbered(10));
      await deleteBefore(topic, 1, '6');
      const positions = [
        { topic, partition: 0, offset: '0' },
        { topic, partition: 1, offset: wanted },
      ];
      const seen: Fetched[] = [];
      await assert.rejects(
        collect(source, positions, [], async (fetched) => void seen.push(fetched)),
        (error) => {
          assert.ok(withCode(code, false)(error), String(error));
          const expected = { topic, partition: 1, wanted, offsetStart: '6', offsetEnd: '10' };
          assert.deepEqual((error as IngotError).facts, expected);
          return true;
        },
      );
      assert.deepEqual(seen, []);
    });
  }

  it('throws TOPIC_CHANGED when a topic is made anew, and shorter, during a read', async () => {
    const { source, createTopic, append, recreateTopic } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(5));
    let calls = 0;
    const reading = source.read({
      positions: positionsFrom(topic, 1, '0'),
      signal: new AbortController().signal,
      onFetched: async () => {
        calls += 1;
        await recreateTopic(topic);
        await append(topic, 0, numbered(3));
      },
    });
    await assert.rejects(reading, (error) => {
      assert.ok(withCode('TOPIC_CHANGED', false)(error), String(error));
      const { wanted, offsetEnd } = (error as IngotError).facts;
      assert.deepEqual([wanted, offsetEnd], ['5', '3']);
      return true;
    });
    assert.equal(calls, 1);
  });

  it('begins exactly where all before it was dropped, also when that is the end', async () => {
    const { source, createTopic, append, deleteBefore } = subject();
    const topic = await createTopic(1);
    await append(topic, 0, numbered(5));
    await deleteBefore(topic, 0, '5');
    const reading = readUntil(source, {
      positions: positionsFrom(topic, 1, '5'),
      until: (fetched) => fetched.length > 0,
    });
    await append(topic, 0, numbered(1, 5));
    assert.deepEqual(offsetsOf(await reading, topic, 0), ['5']);
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
