import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type GapEntry,
  type LogState,
  type PlanEntry,
  type Seal,
  type TakeoverEntry,
  decideAppend,
  decideGap,
  decideRedo,
  decideStart,
  decideTakeover,
  emptyLogState,
  stateAfter,
} from '../../src/lake/source-log.ts';

const state: LogState = {
  offsetNext: '50',
  lastSeal: { number: 3, hash: 'h3' },
  lastRecord: { offset: '49', digest: 'd49' },
  lastRecordTime: '2026-08-21T13:00:00.000Z',
};
const base = { schema: 1, log: 't-0', number: 4, writer: 'w', time: '', before: state } as const;
const takeover: TakeoverEntry = { ...base, kind: 'takeover', offsetNext: '50' };
const gap: GapEntry = {
  ...base,
  kind: 'gap',
  code: 'OFFSETS_LOST',
  offsetFirst: '50',
  offsetEnd: '70',
  author: 'a',
  reason: 'r',
};
const plan = { ...base, kind: 'plan', offsetFirst: '50', offsetEnd: '60' } as PlanEntry;
const seal = {
  number: 4,
  offsetEnd: '60',
  lastRecord: { offset: '59', digest: 'd59' },
  lastRecordTime: '2026-08-21T13:05:00.000Z',
} as Seal;
const sealed = { seal, hash: 'h4' };

describe('stateAfter', () => {
  it('is empty for a log without entries', () => {
    assert.deepEqual(stateAfter({ entry: null, seal: null }), emptyLogState);
  });

  it('keeps everything through a takeover', () => {
    assert.deepEqual(stateAfter({ entry: takeover, seal: null }), state);
  });

  it('has the first position of a log after its first takeover', () => {
    const first = { ...takeover, before: emptyLogState, offsetNext: '17' };
    assert.deepEqual(stateAfter({ entry: first, seal: null }), {
      ...emptyLogState,
      offsetNext: '17',
    });
  });

  it('is behind an accepted gap, with no record to compare', () => {
    assert.deepEqual(stateAfter({ entry: gap, seal: null }), {
      ...state,
      offsetNext: '70',
      lastRecord: null,
    });
  });

  it('is that of the seal after a sealed plan', () => {
    assert.deepEqual(stateAfter({ entry: plan, seal: sealed }), {
      offsetNext: '60',
      lastSeal: { number: 4, hash: 'h4' },
      lastRecord: { offset: '59', digest: 'd59' },
      lastRecordTime: '2026-08-21T13:05:00.000Z',
    });
  });

  it('keeps the last record before a batch that had none', () => {
    const empty = { ...seal, lastRecord: null, lastRecordTime: null };
    const after = stateAfter({ entry: plan, seal: { seal: empty, hash: 'h4' } });
    assert.deepEqual(after.lastRecord, state.lastRecord);
    assert.equal(after.lastRecordTime, state.lastRecordTime);
    assert.equal(after.offsetNext, '60');
  });

  it('is none for an open plan', () => {
    assert.throws(() => stateAfter({ entry: plan, seal: null }), /plan t-0 #4 has no seal yet/);
  });
});

describe('decideTakeover', () => {
  it('begins an empty log at number 0', () => {
    assert.deepEqual(decideTakeover({ entry: null, seal: null }), {
      kind: 'append',
      number: 0,
      state: emptyLogState,
    });
  });

  it('finishes an open plan first', () => {
    assert.deepEqual(decideTakeover({ entry: plan, seal: null }), { kind: 'finishPlan', plan });
  });

  it('appends after a sealed plan, a takeover and a gap', () => {
    for (const tail of [
      { entry: plan, seal: sealed },
      { entry: takeover, seal: null },
      { entry: gap, seal: null },
    ]) {
      const decision = decideTakeover(tail);
      assert.equal(decision.kind === 'append' && decision.number, 5);
    }
  });
});

describe('decideAppend', () => {
  it('has appended what nobody else had there', () => {
    assert.equal(decideAppend(plan, null), 'appended');
  });

  it('recognises its own entry, however the keys of its JSON are ordered', () => {
    const reordered = Object.fromEntries(Object.entries(plan).reverse()) as PlanEntry;
    assert.equal(decideAppend(plan, reordered), 'appended');
  });

  it('is replaced by the entry of another writer', () => {
    assert.equal(decideAppend(plan, { ...plan, writer: 'other' }), 'replaced');
  });

  it('does not take an entry of its own with other content for this one', () => {
    assert.equal(decideAppend(plan, { ...plan, offsetEnd: '61' }), 'replaced');
    assert.equal(decideAppend(plan, takeover), 'replaced');
  });
});

describe('decideStart', () => {
  const kafka = { offsetStart: '0', offsetEnd: '100' };

  it('begins a new log at the oldest record that is there', () => {
    assert.deepEqual(decideStart({ state: emptyLogState, offsetStart: '12', offsetEnd: '12' }), {
      kind: 'start',
      offsetNext: '12',
      readFrom: '12',
      compare: null,
    });
  });

  it('reads from the last sealed record, to compare it', () => {
    assert.deepEqual(decideStart({ state, ...kafka }), {
      kind: 'start',
      offsetNext: '50',
      readFrom: '49',
      compare: { offset: '49', digest: 'd49' },
    });
  });

  it('compares nothing when Kafka has dropped the last sealed record', () => {
    assert.deepEqual(decideStart({ state, ...kafka, offsetStart: '50' }), {
      kind: 'start',
      offsetNext: '50',
      readFrom: '50',
      compare: null,
    });
  });

  it('stops when records were dropped that were never read', () => {
    assert.deepEqual(decideStart({ state, ...kafka, offsetStart: '51' }), {
      kind: 'offsetsLost',
      wanted: '50',
    });
  });

  it('stops when the topic ends before the position', () => {
    assert.deepEqual(decideStart({ state, ...kafka, offsetEnd: '49' }), {
      kind: 'topicChanged',
      wanted: '50',
    });
  });

  it('compares offsets as numbers, also past 2^53', () => {
    const far = { ...state, offsetNext: '9007199254740993', lastRecord: null };
    const end = { offsetStart: '9', offsetEnd: '9007199254740993' };
    assert.equal(decideStart({ state: far, ...end }).kind, 'start');
    assert.equal(
      decideStart({ state: far, ...end, offsetEnd: '9007199254740992' }).kind,
      'topicChanged',
    );
  });

  it('property: a start never skips an offset and never begins before what Kafka has', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), (next, back, start, size) => {
        const last = { offset: String(next - back), digest: 'd' };
        const known = { ...state, offsetNext: String(next), lastRecord: back === 0 ? null : last };
        const offsets = { offsetStart: String(start), offsetEnd: String(start + size) };
        const decision = decideStart({ state: known, ...offsets });
        if (decision.kind !== 'start') return;
        assert.equal(decision.offsetNext, known.offsetNext);
        assert.ok(BigInt(decision.readFrom) <= BigInt(next));
        assert.ok(BigInt(decision.readFrom) >= BigInt(start));
      }),
    );
  });
});

describe('decideGap', () => {
  it('is contiguous at the expected offset, wherever the log starts', () => {
    assert.equal(decideGap({ expected: '5', first: '5', offsetStart: '9' }), 'contiguous');
  });

  it('is a lawful gap while the log starts at or below the expected offset', () => {
    assert.equal(decideGap({ expected: '5', first: '9', offsetStart: '5' }), 'lawfulGap');
    assert.equal(decideGap({ expected: '5', first: '9', offsetStart: '0' }), 'lawfulGap');
  });

  it('is a hole once the log starts above it', () => {
    assert.equal(decideGap({ expected: '5', first: '9', offsetStart: '6' }), 'offsetsLost');
  });

  it('is a changed topic when an offset comes again', () => {
    assert.equal(decideGap({ expected: '10', first: '9', offsetStart: '0' }), 'topicChanged');
  });
});

describe('decideRedo', () => {
  const before = { ...state, topicId: 'one' };
  const plan = { offsetFirst: '5', offsetEnd: '9', before };

  it('reads what Kafka still has of the range', () => {
    assert.equal(decideRedo(plan, { offsetStart: '5', offsetEnd: '9', topicId: 'one' }), 'read');
    assert.equal(decideRedo(plan, { offsetStart: '0', offsetEnd: '99' }), 'read');
  });

  it('tells records that were dropped from another topic', () => {
    assert.equal(decideRedo(plan, { offsetStart: '6', offsetEnd: '9' }), 'offsetsLost');
    assert.equal(decideRedo(plan, { offsetStart: '0', offsetEnd: '8' }), 'topicChanged');
    const other = { offsetStart: '0', offsetEnd: '99', topicId: 'two' };
    assert.equal(decideRedo(plan, other), 'topicChanged');
  });
});
