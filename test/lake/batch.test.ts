import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Backlog,
  type BatchFigures,
  type Buffered,
  compareOffsets,
  decideFlush,
  isTrickle,
  nextBacklog,
  planEntry,
  sealOf,
  trickleRows,
  takeoverEntry,
} from '../../src/lake/batch.ts';
import { type LogState, emptyLogState, stateAfterSeal } from '../../src/lake/source-log.ts';

const limits = { rowsMax: 5_000, bytesMax: 10_000, ageMs: 2_000, ageIdleMs: 10_000 };
const empty: Buffered = {
  rows: 0,
  bytes: 0,
  firstAtMs: 0,
  followsTrickle: false,
  advanced: false,
  endsBacklog: false,
};
const settings = { contractHash: 'c', encoder: 'e', rawCopy: true, recordBytesMax: 100 };

describe('nextBacklog', () => {
  const after = (...lags: readonly bigint[]) =>
    lags.reduce<Backlog>((before, lag) => nextBacklog(before, lag, limits), 'none');

  it('is there from a full batch on, and ends at the end of the log', () => {
    assert.equal(after(5_000n), 'reading');
    assert.equal(after(5_000n, 4_999n, 1n), 'reading');
    assert.equal(after(5_000n, 1n, 0n), 'ended');
    assert.equal(after(5_000n, 0n, 7n), 'none', 'for one fetch');
  });

  it('is not there in a log that is read as it grows', () => {
    assert.equal(after(4_999n, 0n, 3n, 0n), 'none');
  });
});

describe('decideFlush', () => {
  it('waits while there is nothing', () => {
    assert.deepEqual(decideFlush(empty, limits, 1e12), { kind: 'wait' });
  });

  it('flushes by rows, by bytes and by age at their limit and not before', () => {
    const at = (buffered: Partial<Buffered>, nowMs: number) =>
      decideFlush({ ...empty, rows: 1, ...buffered }, limits, nowMs);
    assert.deepEqual(at({ rows: 4_999, bytes: 9_999 }, 1_999), { kind: 'wait' });
    assert.deepEqual(at({ rows: 5_000 }, 0), { kind: 'flush', by: 'rows' });
    assert.deepEqual(at({ bytes: 10_000 }, 0), { kind: 'flush', by: 'bytes' });
    assert.deepEqual(at({ firstAtMs: 500 }, 2_500), { kind: 'flush', by: 'age' });
  });

  it('commits offsets without records on age', () => {
    const advanced = { ...empty, advanced: true };
    assert.deepEqual(decideFlush(advanced, limits, 1_999), { kind: 'wait' });
    assert.deepEqual(decideFlush(advanced, limits, 2_000), { kind: 'flush', by: 'age' });
  });

  it('waits longer after a trickle, until the buffer fills faster', () => {
    const trickle = { ...empty, rows: 3, followsTrickle: true };
    assert.deepEqual(decideFlush(trickle, limits, 9_999), { kind: 'wait' });
    assert.deepEqual(decideFlush(trickle, limits, 10_000), { kind: 'flush', by: 'age' });
    const perSecond = trickleRows / 10;
    const filling = { ...trickle, rows: 2 * perSecond };
    assert.deepEqual(decideFlush(filling, limits, 2_000), { kind: 'flush', by: 'age' });
    const slower = { ...filling, rows: 2 * perSecond - 1 };
    assert.deepEqual(decideFlush(slower, limits, 2_000), { kind: 'wait' });
    const first = { ...slower, followsTrickle: false };
    assert.deepEqual(decideFlush(first, limits, 2_000), { kind: 'flush', by: 'age' });
  });

  it('has 333 rows a second of a topic partition wait no longer than the age', () => {
    let followsTrickle = true;
    const ages: number[] = [];
    for (let firstAtMs = 0, nowMs = 0; ages.length < 3; nowMs += 100) {
      const buffered = { ...empty, rows: Math.round((nowMs - firstAtMs) / 3), firstAtMs };
      if (decideFlush({ ...buffered, followsTrickle }, limits, nowMs).kind === 'wait') continue;
      followsTrickle = isTrickle(buffered, limits, nowMs);
      ages.push(nowMs - firstAtMs);
      firstAtMs = nowMs;
    }
    assert.deepEqual(ages, [2_000, 2_000, 2_000]);
  });

  it('lets the last records of a backlog wait for nothing', () => {
    const last = { ...empty, rows: 1, followsTrickle: true, endsBacklog: true };
    assert.deepEqual(decideFlush(last, limits, 0), { kind: 'flush', by: 'backlog' });
    assert.deepEqual(decideFlush({ ...last, rows: 0 }, limits, 0), { kind: 'wait' });
  });

  it('property: nothing waits longer than the idle age', () => {
    const buffers = fc.record({
      rows: fc.integer({ min: 1, max: 4_999 }),
      bytes: fc.nat(9_999),
      firstAtMs: fc.nat(1_000_000),
      followsTrickle: fc.boolean(),
      advanced: fc.boolean(),
      endsBacklog: fc.boolean(),
    });
    fc.assert(
      fc.property(buffers, (buffered) => {
        const late = buffered.firstAtMs + limits.ageIdleMs;
        assert.equal(decideFlush(buffered, limits, late).kind, 'flush');
      }),
    );
  });
});

const figuresOf = (rows: number, deadLetters: number): BatchFigures => ({
  records: rows + deadLetters,
  rows,
  deadLetters,
  bytes: 1,
  rawBytes: 1,
  rowsPerEventHour: {},
  eventTimeMin: null,
  eventTimeMax: null,
  lastRecord: rows + deadLetters === 0 ? null : { offset: '1', digest: 'd' },
  lastRecordTime: null,
  bronzeKey: 'b',
  rawKey: null,
  deadLettersKey: null,
});

const writer = { log: 't-0', writer: 'w', nowMs: 0 };
const planOf = (number: number, before: LogState, offsetEnd: string) =>
  planEntry({ ...writer, number, before, topic: 't', partition: 0, offsetEnd, settings });

describe('planEntry', () => {
  it('begins where the log ends', () => {
    const plan = planOf(
      3,
      { ...emptyLogState, offsetNext: '90071992547409930' },
      '90071992547409931',
    );
    assert.equal(plan.offsetFirst, '90071992547409930');
    assert.equal(plan.offsetEnd, '90071992547409931');
    assert.equal(plan.ingestTime, '1970-01-01T00:00:00.000Z');
  });

  it('stops a writer that has not taken over', () => {
    assert.throws(() => planOf(0, emptyLogState, '5'), /take over first/);
  });

  it('property: batches cover offsets without gap or overlap, and their seals chain', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 20 }), (sizes) => {
        let state: LogState = { ...emptyLogState, offsetNext: '17' };
        for (const [index, [rows, deadLetters]] of sizes.entries()) {
          const offsetEnd = String(BigInt(state.offsetNext ?? '0') + BigInt(rows + deadLetters));
          const plan = planOf(index + 1, state, offsetEnd);
          const seal = sealOf(plan, 'p', figuresOf(rows, deadLetters), { writer: 'w', nowMs: 0 });
          assert.equal(seal.offsetFirst, state.offsetNext);
          assert.equal(seal.previousSealHash, state.lastSeal?.hash ?? null);
          state = stateAfterSeal(plan.before, seal, `hash of ${index}`);
          assert.equal(state.offsetNext, offsetEnd);
        }
        const total = sizes.reduce((sum, [rows, deadLetters]) => sum + rows + deadLetters, 17);
        assert.equal(state.offsetNext, String(total));
      }),
    );
  });
});

describe('takeoverEntry', () => {
  it('repeats what was true before it', () => {
    const before = { ...emptyLogState, offsetNext: '5' };
    const entry = takeoverEntry({ ...writer, number: 4, before, offsetNext: '5' });
    assert.deepEqual(entry, {
      schema: 1,
      kind: 'takeover',
      log: 't-0',
      number: 4,
      writer: 'w',
      time: '1970-01-01T00:00:00.000Z',
      before,
      offsetNext: '5',
    });
  });
});

describe('sealOf', () => {
  it('refuses figures in which records are not rows and dead letters', () => {
    const plan = planOf(1, { ...emptyLogState, offsetNext: '0' }, '5');
    const wrong = { ...figuresOf(3, 1), records: 5 };
    assert.throws(
      () => sealOf(plan, 'p', wrong, { writer: 'w', nowMs: 0 }),
      /batch t-0 #1: 5 records are not 3 rows and 1 dead letters/,
    );
  });
});

describe('compareOffsets', () => {
  it('property: the range is what the file has of it and what it lacks', () => {
    const offsets = fc
      .uniqueArray(fc.nat(30))
      .map((list) => BigInt64Array.from(list, BigInt).sort());
    fc.assert(
      fc.property(offsets, offsets, (range, file) => {
        const { lacking, foreign } = compareOffsets(range, file);
        assert.deepEqual([...lacking, ...file].sort(), [...range, ...foreign].sort());
        assert.ok(lacking.every((offset) => !file.includes(offset)));
        assert.ok(foreign.every((offset) => !range.includes(offset)));
      }),
    );
  });
});
