import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rejectChecks, rejectionsSql, sqlOf } from '../../src/activities/silver-sql.ts';
import { listOf } from '../../src/adapters/sql-library.ts';
import { devices, eventContract, events, eventTypes } from '../../src/datasets/events.ts';
import { placeRecord } from '../../src/lake/placement.ts';
import type { Row } from '../../src/ports.ts';
import { randomCases } from '../support/random-cases.ts';
import { defaultParameters, loadCases, loadEventsSql } from './support/cases.ts';
import { createTestEngine } from './support/engine.ts';
import type { TestEngine } from './support/engine.ts';
import { caseTable, contractValues } from './support/logical-tables.ts';

/*
 * The contract is written twice, in zod for producers and docs, and in SQL for all engines. This
 * keeps the two equal. Three things are left out, on which they differ: prices with more than two
 * decimals, which only ingest refuses; lone surrogates, likewise; and characters outside the basic
 * plane at the very limit of a length, which zod counts twice.
 */

type WireRecord = Readonly<Record<string, unknown>>;

const library = loadEventsSql();
const parameters = defaultParameters('silver', library.silver['events_cleaned']!);

const text = fc.string({ minLength: 1, maxLength: 12 });
const validEvent: fc.Arbitrary<WireRecord> = fc.record({
  event_id: text,
  event_type: fc.constantFrom(...eventTypes, 'view', 'cart'),
  timestamp: fc.nat(3_599_999).map((ms) => new Date(Date.UTC(2026, 7, 21, 13) + ms).toISOString()),
  user_id: text,
  session_id: text,
  device: fc.constantFrom(...devices),
  location: fc.option(text),
  product_id: text,
  product_name: fc.option(text),
  category: text,
  price: fc.integer({ min: 1, max: 10_000_000 }).map((cents) => cents / 100),
  quantity: fc.option(fc.integer({ min: 1, max: 10_000 })),
  search_query: text,
  page_url: fc.option(text),
});

const limits = [100, 200, 500, 1_000, 2_000];
const longText = fc
  .constantFrom(...limits, ...limits.map((limit) => limit + 1))
  .map((length) => 'å'.repeat(length));
const odd = fc.constantFrom<unknown>(true, 7, 1.5, 1e11, -0, [], {}, ['x'], 'x', ' ', '\u0000');

/** Values about which the contract of a field has something to say. */
function edgeOf(field: string): fc.Arbitrary<unknown> {
  switch (field) {
    case 'price':
      return fc.constantFrom(0, 0.01, 100_000, 100_000.01, -1);
    case 'quantity':
      return fc.constantFrom(0, 1, 10_000, 10_001, -1, 3e9);
    case 'event_type':
    case 'device':
      return fc.constantFrom('refund', 'Mobile', 'view', 'page_view ', 'null');
    default:
      return longText;
  }
}

const fields = Object.keys(eventContract.shape).filter((name) => name !== 'timestamp');
const change = fc
  .constantFrom(...fields)
  .chain((field) =>
    fc.tuple(
      fc.constant(field),
      fc.oneof(fc.constantFrom(null, undefined), fc.constant(''), edgeOf(field), odd),
    ),
  );

const mutatedEvent: fc.Arbitrary<WireRecord> = fc
  .tuple(validEvent, fc.array(change, { maxLength: 2, size: 'max' }))
  .map(([event, changes]) => ({ ...event, ...Object.fromEntries(changes) }));

/** The row that ingest makes of a record; `null` when it goes to the dead letters. */
function bronzeRow(record: WireRecord): Row | null {
  const placement = placeRecord(new TextEncoder().encode(JSON.stringify(record)), {
    fields: events.fields,
    rule: events.placement,
    recordBytesMax: 1 << 20,
    ingestTimeMs: Date.UTC(2026, 7, 21, 14),
  });
  if (placement.kind === 'deadLetter') return null;
  const { values, typeErrors, raw } = placement;
  return { ...values, _raw: raw, _type_errors: typeErrors.join(',') || null };
}

function isAccepted(record: WireRecord): boolean {
  const aliases = events.fields.find(({ column }) => column === 'event_type')?.valueAliases ?? {};
  const type = record['event_type'];
  const meant = typeof type === 'string' && Object.hasOwn(aliases, type) ? aliases[type] : type;
  return eventContract.safeParse({ ...record, event_type: meant }).success;
}

describe('reject checks', () => {
  let test: TestEngine;
  before(async () => {
    test = await createTestEngine();
  });
  after(() => test.remove());

  /** Offsets, which are places in the list, of the rows that some check hits. */
  async function rejectedOf(rows: readonly Row[]): Promise<ReadonlySet<number>> {
    const session = await test.engine.open([
      caseTable('bronze_rows', rows, ''),
      caseTable('contract_values', contractValues, ''),
    ]);
    try {
      const suspects = sqlOf(library.silver, 'suspect_rows');
      await session.materialize('suspect_rows', suspects, parameters);
      const result = await session.query(rejectionsSql(library.checks), parameters);
      return new Set(result.rows.map((row) => Number(row['_offset'])));
    } finally {
      await session.close();
    }
  }

  it('property: hit exactly the rows that the contract refuses', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(mutatedEvent, { minLength: 100, maxLength: 250 }),
        async (records) => {
          const placed = records.flatMap((record) => {
            const row = bronzeRow(record);
            return row === null ? [] : [{ record, row }];
          });
          const rejected = await rejectedOf(placed.map(({ row }) => row));
          for (const [offset, { record }] of placed.entries()) {
            assert.equal(!rejected.has(offset), isAccepted(record), JSON.stringify(record));
          }
        },
      ),
      // The message names the record, so that shrinking the list, which takes long, adds nothing.
      { numRuns: randomCases(5), endOnFailure: true },
    ));

  it('read what the net has caught, which is all that the quarantine has', () => {
    for (const { name, header } of rejectChecks(library.checks)) {
      assert.ok(listOf(header['reads']).includes('suspect_rows'), name);
      assert.ok(!listOf(header['reads']).includes('bronze_rows'), name);
    }
  });

  it('lose no row of their own cases in the net', async () => {
    const session = await test.engine.open([caseTable('contract_values', contractValues, '')]);
    for (const check of rejectChecks(library.checks)) {
      for (const { claim, tables, parameters: given } of loadCases('checks', check)) {
        const rows = tables.find(({ name }) => name === 'suspect_rows')!;
        await session.declare([rows, { ...rows, name: 'bronze_rows' }]);
        const all = await session.query(check.sql, given);
        await session.materialize('suspect_rows', sqlOf(library.silver, 'suspect_rows'), given);
        const caught = await session.query(check.sql, given);
        assert.deepEqual(caught.rows, all.rows, `${check.name} ${claim}`);
        await session.forget(['suspect_rows']);
      }
    }
    await session.close();
  });

  it('are fewer than the reasons that the quarantine has room for', () => {
    assert.ok(rejectChecks(library.checks).length <= 8);
  });
});
