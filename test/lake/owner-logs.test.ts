import assert from 'node:assert/strict';
import fc from 'fast-check';
import { logRouted, logTold } from '../../src/lake/owner-logs.ts';
import type { FrontierPromise, LogProgress } from '../../src/lake/owner-state.ts';
import { formatInstant, minuteMs } from '../../src/lake/time.ts';

const told = (sealedTo: number, minute: number): FrontierPromise => ({
  sealedTo,
  frontier: formatInstant(minute * minuteMs),
});
const minuteOf = ({ frontier }: LogProgress) => Date.parse(frontier) / minuteMs;

describe('logTold', () => {
  it('counts a frontier at once when everything before it is routed', () => {
    const log = logTold(logRouted(logTold(undefined, told(3, 1)), 3), told(3, 5));
    assert.equal(minuteOf(log), 5);
    assert.deepEqual(log.promised, []);
  });

  it('keeps a frontier that is ahead of routing until its batches are routed', () => {
    const log = logTold(undefined, told(3, 5));
    assert.deepEqual([log.sealedTo, log.routedTo, minuteOf(log)], [3, -1, 0]);
    assert.equal(minuteOf(logRouted(log, 2)), 0);
    assert.equal(minuteOf(logRouted(log, 3)), 5);
  });

  it('has a frontier that moves also while routing never catches up', () => {
    let log = logTold(undefined, told(0, 0));
    for (let number = 1; number <= 20; number += 1) {
      log = logTold(log, told(number, number));
      log = logTold(logRouted(log, number - 1), told(number + 1, number + 1));
    }
    assert.ok(minuteOf(log) >= 15, String(minuteOf(log)));
  });

  const steps = fc.array(
    fc.oneof(
      fc.record({ told: fc.nat(9) }, { noNullPrototype: true }),
      fc.record({ routed: fc.nat(9) }, { noNullPrototype: true }),
    ),
  );

  it('property: never goes back, and counts nothing whose batches are not routed', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let log = logTold(undefined, told(0, 0));
        for (const step of list) {
          // The frontier of batch n is minute n, whatever the order in which it is told.
          const next =
            'told' in step
              ? logTold(log, told(step.told, step.told))
              : logRouted(log, Math.min(step.routed, log.sealedTo));
          assert.ok(next.sealedTo >= log.sealedTo && next.routedTo >= log.routedTo);
          assert.ok(next.frontier >= log.frontier);
          assert.ok(minuteOf(next) <= Math.max(0, next.routedTo));
          assert.ok(next.promised.length <= 2);
          log = next;
        }
        const all = logRouted(log, log.sealedTo);
        assert.equal(minuteOf(all), all.sealedTo, 'in the end the furthest frontier counts');
      }),
    );
  });
});
