import assert from 'node:assert/strict';
import { listOf } from '../../src/adapters/sql-library.ts';
import { events } from '../../src/datasets/events.ts';
import type { SqlSession, TableInput } from '../../src/ports.ts';
import type { Column } from '../../src/lake/table.ts';
import { caseFileNames, comparable } from './support/cases.ts';
import { expected, kinds, loadCases, loadEventsSql } from './support/cases.ts';
import type { SqlCase } from './support/cases.ts';
import { createTestEngine } from './support/engine.ts';
import type { TestEngine } from './support/engine.ts';
import { columnsOf, logicalTables } from './support/logical-tables.ts';

const library = loadEventsSql();
const files = kinds.flatMap((kind) =>
  Object.values(library[kind]).map((file) => ({ kind, file }) as const),
);
const cases = files.flatMap(({ kind, file }) => loadCases(kind, file));

let test: TestEngine;
let session: SqlSession;

describe('sql/events', () => {
  before(async () => {
    test = await createTestEngine();
    session = await test.engine.open(
      Object.keys(logicalTables).map((name) => rowsOfAllCases(name)),
    );
  });

  after(async () => {
    await session.close();
    await test.remove();
  });

  for (const kind of kinds) {
    describe(kind, () => {
      for (const [index, sqlCase] of cases.entries()) {
        if (sqlCase.kind !== kind) continue;
        it(`${sqlCase.file.name} ${sqlCase.claim}`, async () => {
          const { columns, rows } = await run(sqlCase, index);
          assert.deepEqual(comparable(sqlCase, rows), expected(sqlCase));
          assert.deepEqual(columns, wantedColumns(sqlCase) ?? [...columns.slice(0, -1), 'reason']);
        });
      }

      it('has cases for every file and for no other', () => {
        assert.deepEqual(caseFileNames(kind), Object.keys(library[kind]).sort());
      });
    });
  }

  for (const { kind, file } of files) {
    it(`${kind}/${file.name} reads the tables that its header says`, async () => {
      const reads = listOf(file.header['reads']);
      assert.deepEqual(await test.engine.tablesOf(file.sql), [...reads].sort());
    });

    it(`${kind}/${file.name} names exactly the thresholds that it takes`, () => {
      const names = [...file.sql.matchAll(/\$(\w+)/g)].map((match) => match[1] ?? '');
      const taken = new Set(names.filter((name) => !/^window_(start|end)$/.test(name)));
      const known = new Set([...Object.keys(events.thresholds), 'date_from', 'date_to']);
      assert.deepEqual([...taken].sort(), [...listOf(file.header['params'])].sort());
      assert.deepEqual(
        [...taken].filter((name) => !known.has(name)),
        [],
      );
    });

    it(`${kind}/${file.name} stays in the SQL that all engines read alike`, () => {
      const code = file.sql.replace(/--.*$/gm, '').replace(/'[^']*'/g, "''");
      const forbidden =
        /::|\/\/|\bQUALIFY\b|GROUP BY ALL|SELECT \*|\bstrftime\b|\bnow\(|\brandom\(|\bcurrent_(date|time|timestamp)/i;
      assert.doesNotMatch(code, forbidden);
    });
  }

  it('has a model for every gold table, and no other', () => {
    assert.deepEqual(Object.keys(library.gold).sort(), events.gold.map(({ name }) => name).sort());
  });

  it('has one gate for each scored check that is SQL', () => {
    const scored = Object.values(library.checks).flatMap(({ header }) => header['scored'] ?? []);
    assert.deepEqual(scored.sort(), [
      'data_types',
      'date_range',
      'duplicates',
      'null_detection',
      'price_range',
      'schema_conformity',
    ]);
  });
});

const likeOf = (table: TableInput, { file }: SqlCase) =>
  table.name === 'staged' ? (file.header['table'] ?? '') : table.name;

/** Opening a session and making tables takes longer than the cases, so all share one of each. */
function rowsOfAllCases(name: string): TableInput {
  const rows = cases.flatMap((sqlCase, index) =>
    sqlCase.tables
      .filter((table) => likeOf(table, sqlCase) === name)
      .flatMap((table) =>
        (table.kind === 'rows' ? table.rows : []).map((row) => ({
          ...row,
          case_number: index,
          case_table: table.name,
        })),
      ),
  );
  const columns: Column[] = [
    ...columnsOf(name, ''),
    { name: 'case_number', type: 'int', comment: '' },
    { name: 'case_table', type: 'string', comment: '' },
  ];
  return { name: `all_${name}`, columns, kind: 'rows', rows };
}

/** Names the tables as the statement does, with the columns that it knows, and runs it. */
async function run(sqlCase: SqlCase, index: number) {
  const words = new Set(sqlCase.file.sql.match(/\w+/g));
  for (const table of sqlCase.tables) {
    const names = table.columns.map((column) => column.name);
    const columns = names.filter((name) => words.has(name)).join(', ');
    await session.materialize(
      table.name,
      `SELECT ${columns} FROM all_${likeOf(table, sqlCase)}
       WHERE case_number = $case_number AND case_table = $case_table`,
      { case_number: index, case_table: table.name },
    );
  }
  return session.query(sqlCase.file.sql, sqlCase.parameters);
}

/** Columns of a model, a query or a reject check; `null` for other checks, which end in `reason`. */
function wantedColumns({ kind, file: { header } }: SqlCase): readonly string[] | null {
  if (kind === 'queries') return queryColumns[header['question'] ?? ''] ?? [];
  if (header['severity'] === 'reject')
    return ['_topic', '_partition', '_offset', '_batch_id', 'reason'];
  if (kind === 'checks') return null;
  if (header['table'] === 'accounting') {
    return ['bronze_rows', 'rejected_rows', 'duplicate_rows', 'better_duplicates'];
  }
  return columnsOf(header['table'] ?? '', '').map(({ name }) => name);
}

/** As required, section 3.2. */
const queryColumns: Readonly<Record<string, readonly string[]>> = {
  'Q-01': [
    'product_id',
    'views',
    'carts',
    'purchases',
    'view_to_cart_rate',
    'cart_to_purchase_rate',
    'view_to_purchase_rate',
  ],
  'Q-02': ['hour', 'total_revenue'],
  'Q-03': ['rank', 'product_id', 'view_count'],
  'Q-04': ['event_date', 'category', 'event_count'],
  'Q-05': ['event_date', 'unique_users', 'unique_sessions'],
  'Q-09': [
    'event_date',
    'event_type',
    'device',
    'location',
    'event_count',
    'unique_users',
    'unique_sessions',
  ],
  'Q-11': ['event_type', 'event_count'],
  'Q-12': ['product_id', 'total_revenue'],
  'Q-13': ['device', 'event_count', 'unique_users'],
};
