import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCursor, type CursorOptions } from '../../src/adapters/kafka-cursor.ts';
import type { Fetched, SourceRecord } from '../../src/ports.ts';

const where = { topic: 't', partition: 0 };
const isOver = () => false;

function records(first: number, end: number): SourceRecord[] {
  return Array.from({ length: end - first }, (_, i) => ({
    offset: String(first + i),
    timestampMs: 0,
    key: null,
    value: null,
    headers: null,
  }));
}

const batch = (first: number, end: number, offsetNext = end) => ({
  records: records(first, end),
  offsetNext: BigInt(offsetNext),
  highWatermark: '100',
});

function open(options: Partial<CursorOptions> = {}) {
  const seen: Fetched[] = [];
  const onFetched = async (fetched: Fetched) => void seen.push(fetched);
  const topicId = async () => 'one';
  const cursor = createCursor({ ...where, offset: '0', onFetched, isOver, topicId, ...options });
  const offsets = () => seen.flatMap(({ records }) => records).map(({ offset }) => Number(offset));
  return { cursor, seen, offsets };
}

describe('createCursor', () => {
  it('hands on what lies at or after the position, and moves it past the invisible end', async () => {
    const { cursor, seen, offsets } = open({ offset: '5' });
    await cursor.deliver(batch(0, 8, 10));
    assert.deepEqual(offsets(), [5, 6, 7]);
    assert.equal(seen[0]?.offsetNext, '10');
    assert.equal(cursor.position(), '10');
  });

  it('hands on nothing of a batch that was handed on before', async () => {
    const { cursor, seen } = open();
    await cursor.deliver(batch(0, 8));
    await cursor.deliver(batch(0, 8));
    await cursor.passOver(4n, '100');
    assert.equal(seen.length, 1);
    assert.equal(cursor.position(), '8');
  });

  it('joins notes of invisible ranges while it waits, but never past records that wait', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: Fetched[] = [];
    const onFetched = async (fetched: Fetched) => {
      seen.push(fetched);
      if (seen.length === 1) await held;
    };
    const { cursor } = open({ onFetched });
    void cursor.deliver(batch(0, 2));
    void cursor.passOver(4n, '100');
    void cursor.passOver(6n, '100');
    void cursor.deliver(batch(6, 8));
    void cursor.passOver(9n, '100');
    release();
    await cursor.idle();
    assert.deepEqual(
      seen.map(({ records, offsetNext }) => [records.length, offsetNext]),
      [
        [2, '2'],
        [0, '6'],
        [2, '8'],
        [0, '9'],
      ],
    );
  });

  it('fails what waits with the error of what ran, and calls no more', async () => {
    const boom = new Error('boom');
    let calls = 0;
    const { cursor } = open({
      onFetched: async () => {
        calls += 1;
        throw boom;
      },
    });
    const steps = [cursor.deliver(batch(0, 2)), cursor.passOver(3n, '100')];
    for (const step of steps) await assert.rejects(step, (error) => error === boom);
    await cursor.idle();
    assert.equal(calls, 1);
    assert.equal(cursor.position(), '0');
  });

  it('begins no call when the read is over', async () => {
    const { cursor, seen } = open({ isOver: () => true });
    await cursor.deliver(batch(0, 2));
    assert.deepEqual(seen, []);
    assert.equal(cursor.position(), '0');
  });

  it('covers every offset once and in order, whatever is fetched again', async () => {
    const step = fc.record({
      /** How far a fetch begins before the position, as after a rejoin. */
      back: fc.nat({ max: 5 }),
      visible: fc.nat({ max: 6 }),
      invisible: fc.nat({ max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1 }), async (steps) => {
        const { cursor, seen } = open();
        let next = 0;
        const expected: number[] = [];
        for (const { back, visible, invisible } of steps) {
          const end = next + visible + invisible;
          if (visible === 0) void cursor.passOver(BigInt(end), '100');
          else void cursor.deliver(batch(Math.max(0, next - back), next + visible, end));
          for (let offset = next; offset < next + visible; offset += 1) expected.push(offset);
          next = end;
        }
        await cursor.idle();
        const offsets = seen.flatMap(({ records }) => records).map(({ offset }) => Number(offset));
        assert.deepEqual(offsets, expected);
        assert.equal(cursor.position(), String(next));
      }),
    );
  });
});
