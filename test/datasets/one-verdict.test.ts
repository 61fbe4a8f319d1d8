import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eventContract, events } from '../../src/datasets/events.ts';
import { type Placement, placeRecord } from '../../src/lake/placement.ts';
import { codePoint } from '../support/code-points.ts';
import { randomCases } from '../support/random-cases.ts';

/* The contract and ingest judge by different code, and must not differ in what they allow. */

const ingestTimeMs = Date.UTC(2026, 7, 21, 14);
const event = {
  event_id: 'e-1',
  event_type: 'purchase',
  timestamp: '2026-08-21T13:00:00Z',
  user_id: 'u-1',
  session_id: 's-1',
  device: 'mobile',
  product_id: 'p-1',
  category: 'Books',
  price: 1,
};

function placed(value: object): Placement {
  const { fields, placement: rule } = events;
  const bytes = Buffer.from(JSON.stringify(value));
  return placeRecord(bytes, { fields, rule, recordBytesMax: 1_000_000, ingestTimeMs });
}

/** Whether ingest keeps every field as it came. That a time is too old or new is no matter of type. */
function isKept(placement: Placement): boolean {
  if (placement.kind === 'deadLetter') return placement.reason === 'TIME_OUT_OF_RANGE';
  return placement.typeErrors.length === 0;
}

function isAllowed(value: object): boolean {
  return eventContract.safeParse(value).success;
}

describe('eventContract', () => {
  const cases = [
    ['a price of two decimals', { price: 1.25 }, true],
    ['a price of three decimals', { price: 1.005 }, false],
    ['a price that only nearly has two', { price: 0.1 + 0.2 }, false],
    ['a year before 100', { timestamp: '0050-01-01T00:00:00Z' }, false],
    ['a year before 1000', { timestamp: '0999-01-01T00:00:00Z' }, true],
    ['a day that does not exist', { timestamp: '2026-02-29T00:00:00Z' }, false],
    ['a time with an offset', { timestamp: '2026-08-21T13:00:00+02:00' }, true],
    ['half a surrogate pair in a text', { location: 'a\ud800' }, false],
    ['half a surrogate pair in an id', { event_id: '\udc00' }, false],
    ['half a surrogate pair in a category', { category: '\ud800' }, false],
    [
      'a text of 100 characters outside the basic plane',
      { location: '\u{1f600}'.repeat(100) },
      true,
    ],
  ] as const;
  for (const [name, patch, allowed] of cases) {
    it(`and ingest ${allowed ? 'allow' : 'refuse'} ${name}`, () => {
      const value = { ...event, ...patch };
      assert.deepEqual([isAllowed(value), isKept(placed(value))], [allowed, allowed]);
    });
  }

  it('counts characters as SQL does, not units of UTF-16', () => {
    assert.equal(isAllowed({ ...event, location: '\u{1f600}'.repeat(101) }), false);
  });

  it('property: what it allows, ingest keeps in every field', () => {
    const text = fc.string({ unit: codePoint, minLength: 1, maxLength: 20 });
    const lone = fc.constantFrom('\ud800', 'x\udfff', '\udc00\ud800');
    const anyText = fc.oneof(text, lone);
    const price = fc.oneof(fc.double({ min: 0, max: 200_000, noNaN: true }), fc.integer());
    const cents = fc.integer({ min: 0, max: 10_000_100 }).map((each) => each / 100);
    const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
    const time = fc
      .tuple(fc.integer({ min: 0, max: 9_999 }), two(13), two(32), two(25), two(61))
      .map(([y, mo, d, h, mi]) => `${String(y).padStart(4, '0')}-${mo}-${d}T${h}:${mi}:00Z`);
    const patches = fc.record(
      {
        ...{ event_id: anyText, user_id: anyText, category: anyText, search_query: anyText },
        ...{ price: fc.oneof(price, cents), timestamp: time, quantity: fc.double() },
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(patches, (patch) => {
        const value = JSON.parse(JSON.stringify({ ...event, ...patch })) as object;
        if (isAllowed(value)) assert.ok(isKept(placed(value)), JSON.stringify(placed(value)));
      }),
      { numRuns: randomCases(2_000) },
    );
  });
});
