import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Checkpoint,
  batchesOf,
  checkpointEntriesMax,
  checkpointOf,
  decideCheckpoint,
  factsOf,
  ingestHourBefore,
} from '../../src/lake/checkpoint.ts';
import type { Seal } from '../../src/lake/source-log.ts';

const log = 'clicks-0';
const at = (time: string) => Date.parse(`2026-08-21T${time}Z`);

function sealOf(number: number, ingestTime: string, rowsPerEventHour: Record<string, number>) {
  const rows = Object.values(rowsPerEventHour).reduce((sum, each) => sum + each, 0);
  const figures = { records: rows + 1, rows, deadLetters: 1, bytes: 10 };
  return {
    ...figures,
    ...{ log, number, ingestTime, rowsPerEventHour, offsetEnd: String(number * 100) },
  } as unknown as Seal;
}

describe('decideCheckpoint', () => {
  const facts = {
    newest: { through: 9, completeTo: '2026-08-21T13' },
    sealedTo: 20,
    sinceMs: at('13:00:00'),
    nowMs: at('13:59:59'),
  };

  it('waits for the end of the hour, and writes then what the hour has brought', () => {
    assert.deepEqual(decideCheckpoint(facts), { kind: 'wait' });
    assert.deepEqual(decideCheckpoint({ ...facts, nowMs: at('14:00:00') }), {
      kind: 'write',
      first: 10,
      through: 20,
      completeTo: '2026-08-21T14',
    });
  });

  it('writes nothing for hours that have brought no entry', () => {
    assert.deepEqual(decideCheckpoint({ ...facts, sealedTo: 9, nowMs: at('20:00:00') }), {
      kind: 'wait',
    });
  });

  it('does not wait for the hour when much has come', () => {
    const sealedTo = 9 + checkpointEntriesMax;
    assert.deepEqual(decideCheckpoint({ ...facts, sealedTo: sealedTo - 1 }), { kind: 'wait' });
    const decision = { kind: 'write', first: 10, through: sealedTo, completeTo: null };
    assert.deepEqual(decideCheckpoint({ ...facts, sealedTo }), decision);
    assert.deepEqual(
      decideCheckpoint({ ...facts, sealedTo: sealedTo + 5, nowMs: at('14:00:00') }),
      decision,
      'the rest of the hour comes with the next one',
    );
  });

  it('begins with the first entry of a log, an hour after the writer came', () => {
    const first = { ...facts, newest: null };
    assert.deepEqual(decideCheckpoint(first), { kind: 'wait' });
    assert.equal(decideCheckpoint({ ...first, nowMs: at('14:00:00') }).kind, 'write');
  });
});

describe('checkpointOf', () => {
  const [a, b, c] = [
    sealOf(1, '2026-08-21T13:10:00.000Z', { '2026-08-21T13': 5 }),
    sealOf(2, '2026-08-21T13:59:00.000Z', { '2026-08-21T12': 1, '2026-08-21T13': 7 }),
    sealOf(4, '2026-08-21T14:00:01.000Z', { '2026-08-21T14': 2 }),
  ];
  const first = checkpointOf({
    ...{ log, previous: null, through: 2, completeTo: '2026-08-21T14', seals: [a, b] },
    lastSealHash: 'hash of 2',
  });
  const second = checkpointOf({
    ...{ log, previous: { checkpoint: first, hash: 'hash of first' }, through: 4 },
    ...{ completeTo: null, seals: [c], lastSealHash: 'hash of 4' },
  });

  it('lists the batches of each event hour with their rows, positions and totals', () => {
    assert.deepEqual(first, {
      ...{ schema: 1, log, number: 0, previousHash: null, first: 0, through: 2 },
      completeTo: '2026-08-21T14',
      lastSeal: { number: 2, hash: 'hash of 2', offsetEnd: '200' },
      ingestHours: [{ hour: '2026-08-21T13', batches: [[1, 2]] }],
      eventHours: {
        '2026-08-21T12': { batches: [[2, 2]], rows: [1] },
        '2026-08-21T13': { batches: [[1, 2]], rows: [5, 7] },
      },
      covered: { batches: 2, records: 15, rows: 13, deadLetters: 2, bytes: 20 },
      totals: { batches: 2, records: 15, rows: 13, deadLetters: 2, bytes: 20 },
    });
  });

  it('chains to the one before, and adds up from the beginning of the log', () => {
    assert.deepEqual([second.number, second.previousHash, second.first], [1, 'hash of first', 3]);
    assert.equal(second.completeTo, '2026-08-21T14');
    assert.deepEqual(second.covered, {
      ...{ batches: 1, records: 3, rows: 2, deadLetters: 1, bytes: 10 },
    });
    assert.deepEqual(second.totals, {
      ...{ batches: 3, records: 18, rows: 15, deadLetters: 3, bytes: 30 },
    });
  });

  it('keeps the last seal where only takeovers have come', () => {
    const next = checkpointOf({
      ...{ log, previous: { checkpoint: first, hash: 'h' }, through: 3, completeTo: null },
      ...{ seals: [], lastSealHash: null },
    });
    assert.deepEqual(next.lastSeal, first.lastSeal);
    assert.deepEqual(next.totals, first.totals);
  });
});

describe('batchesOf', () => {
  const hours = ['2026-08-21T11', '2026-08-21T12', '2026-08-21T13'];
  const seals = fc
    .array(
      fc.record({
        skipped: fc.nat(2),
        hour: fc.constantFrom(...hours),
        rows: fc.dictionary(fc.constantFrom(...hours), fc.integer({ min: 1, max: 9 }), {
          noNullPrototype: true,
        }),
      }),
      { maxLength: 20 },
    )
    .map((list) => {
      let number = 0;
      return list.map(({ skipped, hour, rows }) => {
        number += 1 + skipped;
        return sealOf(number, `${hour}:30:00.000Z`, rows);
      });
    });
  const made = (list: readonly Seal[]): Checkpoint =>
    checkpointOf({
      ...{ log, previous: null, through: 99, completeTo: null, seals: list },
      lastSealHash: 'h',
    });

  it('property: gives back what the seals say', () => {
    fc.assert(
      fc.property(seals, fc.nat(30), fc.nat(30), (list, first, through) => {
        const found = batchesOf(made(list), { first, through, window: null });
        const wanted = list.filter(({ number }) => number >= first && number <= through);
        assert.deepEqual(found, wanted.map(factsOf));
      }),
    );
  });

  it('property: gives of a window its batches and their rows of it, and no others', () => {
    fc.assert(
      fc.property(seals, fc.constantFrom(...hours), (list, window) => {
        const found = batchesOf(made(list), { first: 0, through: 99, window });
        const wanted = list.filter(({ rowsPerEventHour }) => window in rowsPerEventHour);
        assert.deepEqual(
          found.map(({ number, rowsPerEventHour }) => [number, rowsPerEventHour]),
          wanted.map(({ number, rowsPerEventHour }) => [
            number,
            { [window]: rowsPerEventHour[window] },
          ]),
        );
      }),
    );
  });
});

describe('ingestHourBefore', () => {
  it('leaves room for event times ahead of their ingest and for clocks that differ', () => {
    assert.equal(ingestHourBefore(at('13:00:00'), 300_000), '2026-08-21T11');
  });
});
