import assert from 'node:assert/strict';
import { causeOf, movesOf } from '../../src/cli/bookmark-text.ts';
import type { OwnerEvent } from '../../src/lake/owner-events.ts';

const at = '2026-08-21T13:00:00.000Z';
const said = { author: 'ann', reason: 'a bad deploy' };

describe('movesOf', () => {
  it('says from which batch to which each log went', () => {
    const moved = { 'a-0': { from: 3, to: 7 }, 'a-1': { from: -1, to: 0 } };
    assert.equal(movesOf({ moved }), 'a-0 3→7, a-1 -1→0');
    assert.equal(movesOf({ moved: {} }), '');
  });
});

describe('causeOf', () => {
  const gate = { layer: 'silver', table: 'events_cleaned', window: '2026-08-21T12' } as const;
  const moved = { 'a-0': { from: 7, to: 3 } };
  const parked = { gate, reason: 'duplicates 3 %', checks: ['duplicates'] };
  const sentences = {
    gateParked: [parked, 'events_cleaned 2026-08-21T12 parked: duplicates 3 %'],
    gateResolved: [
      { gate, decision: 'waive', checks: ['duplicates'], ...said },
      'events_cleaned 2026-08-21T12: waive by ann: a bad deploy',
    ],
    goldIncomplete: [{ hour: '2026-08-21T12' }, 'gold went on without all of 2026-08-21T12'],
    restored: [{ entry: 12, keptAt: at }, 'restored from entry 12'],
    rewound: [{ moved, ...said }, 'rewound a-0 7→3 by ann: a bad deploy'],
    logRetired: [{ log: 'a-1', ...said }, 'a-1 retired by ann: a bad deploy'],
    backfillPaused: [{ id: 'bf-1', text: 'paused itself' }, 'backfill bf-1 paused itself'],
    backfillEnded: [{ id: 'bf-1', text: 'is done' }, 'backfill bf-1 is done'],
    paused: [said, 'paused by ann: a bad deploy'],
    resumed: [said, 'resumed by ann: a bad deploy'],
  } as const satisfies Record<OwnerEvent['kind'], readonly [object, string]>;

  for (const [kind, [facts, sentence]] of Object.entries(sentences)) {
    it(`says it of ${kind}`, () => {
      const event = { kind, at, ...facts } as unknown as OwnerEvent;
      assert.equal(causeOf({ events: [event], moved: {} }), sentence);
    });
  }

  it('says that batches were routed, behind whatever else happened', () => {
    assert.equal(causeOf({ events: [], moved }), 'batches were routed');
    const events = [{ kind: 'resumed', at, ...said }] as const;
    assert.equal(causeOf({ events, moved }), 'resumed by ann: a bad deploy; batches were routed');
  });
});
