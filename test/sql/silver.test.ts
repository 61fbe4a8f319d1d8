import assert from 'node:assert/strict';
import fc from 'fast-check';
import { events } from '../../src/datasets/events.ts';
import type { Row, SqlSession, TableInput } from '../../src/ports.ts';
import { randomCases } from '../support/random-cases.ts';
import { defaultParameters, loadEventsSql } from './support/cases.ts';
import { createTestEngine } from './support/engine.ts';
import type { TestEngine } from './support/engine.ts';
import { caseTable } from './support/logical-tables.ts';
import { buildSilver, publishFold } from './support/silver-build.ts';
import type { SilverBuild } from './support/silver-build.ts';

const library = loadEventsSql();
const parameters = defaultParameters('silver', library.silver['events_cleaned']!);
/** Few runs, each with many rows of few ids; a failure is shrunk for as long as mocha waits. */
const runs = {
  numRuns: randomCases(3),
  interruptAfterTimeLimit: 50_000,
  markInterruptAsFailure: true,
};

/** A bronze row in few words; offsets are given by its place in the list. */
type Arrival = {
  readonly id: string;
  readonly partition: number;
  readonly ingestSecond: number;
  readonly minute: number;
  readonly isRejected: boolean;
  /** Which fold brings it: any, also one after a later row of the same id. */
  readonly fold: number;
};

const foldsMax = 3;
const arrival: fc.Arbitrary<Arrival> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  partition: fc.nat(1),
  ingestSecond: fc.nat(1),
  minute: fc.nat(2),
  isRejected: fc.boolean(),
  fold: fc.nat(foldsMax - 1),
});
const arrivals = fc.array(arrival, { maxLength: 40, size: 'max' });

function bronzeRows(list: readonly Arrival[]): readonly Row[] {
  return list.map(({ id, partition, ingestSecond, minute, fold }, offset) => ({
    event_id: id,
    event_ts: `2026-08-21 13:${String(minute).padStart(2, '0')}:00`,
    _partition: partition,
    _offset: offset,
    _ingest_ts: `2026-08-21 14:00:0${ingestSecond}`,
    _batch_id: String(fold),
  }));
}

let test: TestEngine;

/** A session with the rows under `all_rows`, what of them is rejected, and no current version. */
async function withRows<T>(
  list: readonly Arrival[],
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const rows = bronzeRows(list);
  const rejections = rows
    .filter((_, index) => list[index]?.isRejected)
    .map(({ _partition, _offset, _batch_id }) => ({
      _partition,
      _offset,
      _batch_id,
      rule: 'r',
      reason: 'x',
    }));
  const all: TableInput = { ...caseTable('bronze_rows', rows, ''), name: 'all_rows' };
  const session = await test.engine.open([
    all,
    caseTable('silver_version', [], ''),
    caseTable('rejections', rejections as readonly Row[], ''),
  ]);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

const columns = events.bronze.columns.map(({ name }) => name).join(', ');

async function rebuild(session: SqlSession, orderBy = '1'): Promise<SilverBuild> {
  const sql = `SELECT ${columns} FROM all_rows ORDER BY ${orderBy}`;
  await session.materialize('bronze_rows', sql);
  return buildSilver(session, library, parameters);
}

async function fold(session: SqlSession, number: number): Promise<SilverBuild> {
  const sql = `SELECT ${columns} FROM all_rows WHERE _batch_id = $fold`;
  await session.materialize('bronze_rows', sql, { fold: String(number) });
  const built = await buildSilver(session, library, parameters);
  await publishFold(session);
  return built;
}

const idsOf = (rows: readonly Row[]) => rows.map((row) => String(row['event_id'])).sort();
const sum = (builds: readonly SilverBuild[], name: string) =>
  builds.reduce((total, { accounting }) => total + Number(accounting[name]), 0);

/** The rule in plain words: of the accepted rows of an id, the first by ingest, then by place. */
function winners(list: readonly Arrival[]): readonly (readonly [string, number])[] {
  const accepted = list
    .map((row, offset) => ({ ...row, offset }))
    .filter((row) => !row.isRejected)
    .sort(
      (a, b) => a.ingestSecond - b.ingestSecond || a.partition - b.partition || a.offset - b.offset,
    );
  const first = new Map<string, number>();
  for (const { id, offset } of accepted) if (!first.has(id)) first.set(id, offset);
  return [...first].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('events_cleaned', () => {
  before(async () => {
    test = await createTestEngine();
  });
  after(() => test.remove());

  it('property: a rebuild has the first accepted row of each id, and every row is accounted for', () =>
    fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        const { rows, accounting } = await withRows(list, rebuild);
        const found = rows.map((row) => [row['event_id'], row['_offset']]);
        assert.deepEqual(found.sort(), winners(list));
        assert.deepEqual(accounting, {
          bronze_rows: list.length,
          rejected_rows: list.filter((row) => row.isRejected).length,
          duplicate_rows: list.filter((row) => !row.isRejected).length - rows.length,
          better_duplicates: 0,
        });
      }),
      runs,
    ));

  it('property: shuffled input gives the same rows', () =>
    fc.assert(
      fc.asyncProperty(arrivals, fc.nat(), async (list, salt) => {
        await withRows(list, async (session) => {
          const straight = await rebuild(session, '_offset');
          const shuffled = await rebuild(session, `hash(_offset + ${salt})`);
          assert.deepEqual(shuffled, straight);
        });
      }),
      runs,
    ));

  it('property: silver made twice is silver made once', () =>
    fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        await withRows(list, async (session) => {
          const once = await rebuild(session);
          await publishFold(session);
          const again = await rebuild(session);
          assert.deepEqual(again.rows, []);
          const duplicates = Number(once.accounting['duplicate_rows']) + once.rows.length;
          assert.equal(again.accounting['duplicate_rows'], duplicates);
          assert.equal(again.accounting['better_duplicates'], 0);
        });
      }),
      runs,
    ));

  it('property: any sequence of folds has the ids and counts of one rebuild', () =>
    fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        await withRows(list, async (session) => {
          const whole = await rebuild(session);
          const folds: SilverBuild[] = [];
          for (let number = 0; number < foldsMax; number += 1) {
            folds.push(await fold(session, number));
          }
          assert.deepEqual(idsOf(folds.flatMap(({ rows }) => rows)), idsOf(whole.rows));
          for (const name of ['bronze_rows', 'rejected_rows', 'duplicate_rows']) {
            assert.equal(sum(folds, name), whole.accounting[name], name);
          }
        });
      }),
      runs,
    ));
});
