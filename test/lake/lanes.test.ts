import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type ServingFacts,
  afterSlice,
  afterStops,
  decideServing,
  laneIndex,
  laneName,
  laneOf,
  withoutOf,
} from '../../src/lake/lanes.ts';
import type { LogPosition } from '../../src/lake/messages.ts';
import { logName } from '../../src/lake/paths.ts';

const topic = 'clicks';
const partitions = (count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));
const mine = (lane: number, lanes: number, count = 8) =>
  partitions(count).filter((each) => laneOf(each, lanes) === lane);
const logsOf = (list: readonly { topic: string; partition: number }[]) =>
  list.map((each) => logName(each.topic, each.partition));

const facts: ServingFacts<{ topic: string; partition: number }> = {
  lane: 0,
  control: { lanes: 2, paused: {}, revision: 5 },
  described: partitions(8),
  served: new Set(),
  stoppedAt: new Map(),
  without: null,
};
const stop = (code: string) => ({ code, message: code });
const position = (log: string, stopped: LogPosition['stopped']): LogPosition => ({
  ...{ log, number: 1, offsetNext: '1', frontier: '2026-08-21T13:00:00.000Z' },
  ...{ batches: 0, records: 0, rows: 0, deadLetters: 0, stopped },
});

describe('laneOf', () => {
  const places = fc.record({ topic: fc.string({ maxLength: 40 }), partition: fc.nat(5_000) });

  it('property: every topic partition belongs to exactly one lane', () => {
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 50 }), (place, lanes) => {
        const owners = Array.from({ length: lanes }, (_, lane) => lane).filter(
          (lane) =>
            decideServing({
              ...facts,
              lane,
              control: { ...facts.control, lanes },
              described: [place],
            }).start.length === 1,
        );
        assert.deepEqual(owners, [laneOf(place, lanes)]);
      }),
    );
  });

  it('property: lanes of a topic differ by one topic partition at most', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(200),
        fc.integer({ min: 1, max: 50 }),
        (name, count, lanes) => {
          const counts = Array.from({ length: lanes }, () => 0);
          for (let partition = 0; partition < count; partition += 1) {
            counts[laneOf({ topic: name, partition }, lanes)]! += 1;
          }
          assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
        },
      ),
    );
  });

  it('spreads topics of one topic partition', () => {
    const lanes = new Set(
      ['orders', 'clicks', 'views', 'payments', 'visits', 'returns'].map((name) =>
        laneOf({ topic: name, partition: 0 }, 3),
      ),
    );
    assert.equal(lanes.size, 3);
  });
});

describe('laneName', () => {
  it('is read back, and nothing else is a lane', () => {
    assert.equal(laneIndex(laneName(12)), 12);
    for (const text of ['lane-', 'lane-x', 'lane-1-2', 'Lane-1', '']) {
      assert.equal(laneIndex(text), null);
    }
  });
});

describe('decideServing', () => {
  it('begins what is its own and not served yet, also what is new', () => {
    const [first, ...others] = mine(0, 2);
    const served = new Set(logsOf([first!]));
    assert.deepEqual(decideServing({ ...facts, served }), {
      ...{ start: others, drop: [], retired: false },
    });
    const { start } = decideServing({ ...facts, described: partitions(20), served });
    assert.deepEqual(start, mine(0, 2, 20).slice(1));
  });

  it("lets go of what is another lane's now, and keeps the rest", () => {
    const served = new Set(logsOf(partitions(8)));
    const { start, drop } = decideServing({ ...facts, served });
    assert.deepEqual([start, drop], [[], logsOf(mine(1, 2))]);
  });

  it('lets go of a log that is paused, and does not begin one', () => {
    const [log] = logsOf(mine(0, 2));
    const control = { ...facts.control, paused: { [log!]: { author: 'a', reason: 'r' } } };
    assert.deepEqual(decideServing({ ...facts, control, served: new Set([log!]) }).drop, [log]);
    assert.deepEqual(decideServing({ ...facts, control }).start, mine(0, 2).slice(1));
  });

  it('leaves a stopped log alone until the control changes, then lets go of it to begin anew', () => {
    const [log] = logsOf(mine(0, 2));
    const stopped = { ...facts, served: new Set([log!]), stoppedAt: new Map([[log!, 5]]) };
    assert.deepEqual(decideServing(stopped).drop, []);
    const later = { ...stopped, control: { ...facts.control, revision: 6 } };
    assert.deepEqual(decideServing(later).drop, [log]);
    assert.ok(logsOf(decideServing({ ...later, served: new Set() }).start).includes(log!));
  });

  it('does not take back what another writer has, unless the control has changed since', () => {
    const [log] = logsOf(mine(0, 2));
    const without = { logs: [log!], revision: 5 };
    assert.deepEqual(decideServing({ ...facts, without }).start, mine(0, 2).slice(1));
    assert.deepEqual(
      decideServing({ ...facts, without: { ...without, revision: 4 } }).start,
      mine(0, 2),
    );
  });

  it('retires a lane that is one too many, when it has let go of everything', () => {
    const surplus = { ...facts, lane: 2 };
    const served = new Set(logsOf(mine(1, 2)));
    assert.equal(decideServing({ ...surplus, served }).retired, false);
    assert.deepEqual(decideServing({ ...surplus, served }).drop, [...served]);
    assert.deepEqual(decideServing(surplus), { start: [], drop: [], retired: true });
  });
});

describe('what a lane knows of its logs', () => {
  const [running, hole, replaced] = [
    position('a-0', null),
    position('a-1', stop('OFFSETS_LOST')),
    position('a-2', stop('WRITER_REPLACED')),
  ];

  it('leaves to the next slice only what another writer has', () => {
    assert.deepEqual(withoutOf([running, hole, replaced]), ['a-2']);
  });

  it('forgets what moved away, and remembers what another writer has', () => {
    const result = { ended: 'slice', revision: 1, logs: [running] } as const;
    assert.deepEqual(afterSlice([hole, replaced], result), [running, replaced]);
  });

  it('takes the stops that a slice tells as all there are', () => {
    const now = position('a-0', stop('TOPIC_CHANGED'));
    assert.deepEqual(afterStops([running, hole, replaced], [now]), [
      now,
      { ...hole, stopped: null },
      replaced,
    ]);
  });
});
