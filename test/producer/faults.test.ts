import assert from 'node:assert/strict';
import { eventContract, events } from '../../src/datasets/events.ts';
import { placeRecord } from '../../src/lake/placement.ts';
import { faultNames } from '../../src/producer/faults.ts';
import { generateEvents, profiles, type StreamRecord } from '../../src/producer/events.ts';

const context = {
  fields: events.fields,
  rule: events.placement,
  recordBytesMax: 1_048_576,
  ingestTimeMs: Date.parse('2026-08-21T00:00:00.000Z'),
};

for (const profile of profiles) {
  describe(`the malformed records of ${profile}`, () => {
    let malformed: StreamRecord[];
    before(() => {
      const stream = generateEvents({
        profile,
        seed: 5,
        start: '2026-08-20T00:00:00.000Z',
        end: '2026-08-21T00:00:00.000Z',
        count: 3_000,
        rates: { malformed: 0.5 },
      });
      malformed = [...stream].filter(({ kind }) => kind === 'malformed');
    });

    it('are of both kinds, and of every name', () => {
      const found = (fault: string) => malformed.filter((record) => record.fault === fault);
      for (const fault of ['unplaceable', 'contract'] as const) {
        const share = found(fault).length / malformed.length;
        assert.ok(share > 0.45 && share < 0.55, `${fault} ${share}`);
        const names = new Set(found(fault).map(({ faultName }) => faultName));
        assert.deepEqual([...names].sort(), [...faultNames(profile)[fault]].sort());
      }
    });

    it('have no place in bronze exactly when they are called unplaceable', () => {
      for (const { value, fault, faultName } of malformed) {
        const bytes = typeof value === 'string' ? Buffer.from(value) : value;
        const expected = fault === 'unplaceable' ? 'deadLetter' : 'placed';
        assert.equal(placeRecord(bytes, context).kind, expected, `${faultName}: ${String(value)}`);
      }
    });

    it('are refused by the contract', () => {
      for (const { value, fault, faultName } of malformed) {
        if (fault !== 'contract') continue;
        const parsed = eventContract.safeParse(JSON.parse(value.toString()));
        assert.equal(parsed.success, false, `${faultName}: ${value.toString()}`);
      }
    });

    it('never share an id with a good event', () => {
      const ids = malformed.flatMap(
        ({ value }) => /"event_id":"([^"]+)"/.exec(value.toString()) ?? [],
      );
      assert.equal(new Set(ids).size, ids.length);
    });
  });
}
