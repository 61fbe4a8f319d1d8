import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMemoryEventSource } from '../../src/adapters/memory-event-source.ts';
import { describeEventSource } from '../support/contracts/event-source.ts';
import { collect, offsetsOf, positionsFrom, readUntil } from '../support/event-source-reading.ts';

describeEventSource('memory', async () => {
  const memory = createMemoryEventSource({ recordsPerFetchMax: 40 });
  let topics = 0;
  return {
    source: memory,
    createTopic: async (partitions) => {
      topics += 1;
      memory.createTopic(`topic-${topics}`, partitions);
      return `topic-${topics}`;
    },
    append: async (topic, partition, records) => {
      const added = records.map(({ headers, ...record }) => ({
        ...record,
        headers:
          headers === undefined
            ? null
            : Object.fromEntries(
                Object.entries(headers).map(([name, value]) => [
                  name,
                  Buffer.isBuffer(value) ? [value] : value,
                ]),
              ),
      }));
      memory.append(topic, partition, added);
    },
    appendInvisible: async (topic, partition, count) => memory.appendGap(topic, partition, count),
    deleteBefore: async (topic, partition, offset) =>
      memory.setOffsetStart(topic, partition, offset),
    recreateTopic: async (topic) => {
      memory.removeTopic(topic);
      memory.createTopic(topic, 1);
    },
    committedOffsets: async (group) => memory.committedOffsets(group),
    close: async () => {},
  };
});

describe('createMemoryEventSource', () => {
  it('hands on every visible record once, however the log and the reads are cut', async () => {
    const pieces = fc.array(
      fc.record({ kind: fc.constantFrom('records', 'gap'), count: fc.integer({ min: 1, max: 9 }) }),
      { minLength: 1, maxLength: 12 },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 });
    const sizes = fc.integer({ min: 1, max: 10 });
    await fc.assert(
      fc.asyncProperty(pieces, cuts, sizes, async (log, calls, recordsPerFetchMax) => {
        const memory = createMemoryEventSource({ recordsPerFetchMax });
        memory.createTopic('t', 1);
        const expected = log.flatMap(({ kind, count }) => {
          if (kind === 'records') {
            return memory.append('t', 0, Array(count).fill({ value: 'v' }));
          }
          memory.appendGap('t', 0, count);
          return [];
        });
        const [end] = await memory.describeTopic('t');
        const seen: string[] = [];
        let offset = '0';
        for (const count of calls) {
          if (offset === end?.offsetEnd) break;
          const fetched = await readUntil(memory, {
            positions: positionsFrom('t', 1, offset),
            until: (some) => some.length === count || some.at(-1)?.offsetNext === end?.offsetEnd,
          });
          seen.push(...offsetsOf(fetched, 't', 0));
          offset = fetched.at(-1)?.offsetNext ?? offset;
        }
        seen.push(...offsetsOf(await collect(memory, positionsFrom('t', 1, offset)), 't', 0));
        assert.deepEqual(seen, expected);
      }),
    );
  });

  it('answers the offsets that it gave', () => {
    const memory = createMemoryEventSource();
    memory.createTopic('t', 1);
    memory.appendGap('t', 0, 4);
    assert.deepEqual(memory.append('t', 0, [{ value: 'a' }, { value: null }]), ['4', '5']);
  });

  it('keeps a topic that exists', async () => {
    const memory = createMemoryEventSource();
    memory.createTopic('t', 2);
    memory.createTopic('t', 1);
    assert.equal((await memory.describeTopic('t')).length, 2);
  });
});
