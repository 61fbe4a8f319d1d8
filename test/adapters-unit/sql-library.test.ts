import assert from 'node:assert/strict';
import { listOf, loadSqlLibrary, parseSqlFile } from '../../src/adapters/sql-library.ts';
import { loadEventsSql } from '../sql/support/cases.ts';

const header = [
  '-- table: t',
  '-- grain: one row',
  '-- reads: a, b',
  '-- layer: silver',
  '-- severity: gate',
  '-- runs: row',
];
const purpose = ['-- Says why: because of this.', '-- table: is no header here but t is.'];

const parse = (lines: readonly string[], kind: 'checks' | 'gold' = 'checks') =>
  parseSqlFile({ path: 'x.sql', name: 'x', kind, text: `${lines.join('\n')}\n` });
const fails = (lines: readonly string[], line: number, message: RegExp) =>
  assert.throws(() => parse(lines), {
    code: 'CONFIG_INVALID',
    facts: { file: 'x.sql', line },
    message,
  });

describe('parseSqlFile', () => {
  it('parts the header, the purpose and the statement', () => {
    const file = parse([...header, '-- Says why', '-- and once: more.', 'SELECT 1 -- one', '']);
    assert.deepEqual(file, {
      name: 'x',
      sql: 'SELECT 1 -- one',
      header: {
        table: 't',
        grain: 'one row',
        reads: 'a, b',
        layer: 'silver',
        severity: 'gate',
        runs: 'row',
        purpose: 'Says why and once: more.',
      },
    });
  });

  it('names the file, the line after the header, and what it lacks', () => {
    fails([...header.slice(0, 4), '-- Why.', 'SELECT 1'], 6, /"-- severity:", "-- runs:"/);
    fails(['SELECT 1'], 1, /"-- table:", "-- grain:", "-- reads:"/);
  });

  it('wants a purpose and a statement', () => {
    fails([...header, 'SELECT 1'], 7, /what the statement is for/);
    fails([...header, '-- Why.'], 8, /there is no statement/);
  });

  it('refuses a key that it does not know, knows twice or finds too late', () => {
    fails([...header, '-- severty: gate', '-- Why.', 'SELECT 1'], 7, /"severty" is no header/);
    fails([...header, '-- table: u', '-- Why.', 'SELECT 1'], 7, /"table" is there twice/);
    fails([...header, ...purpose, 'SELECT 1'], 8, /"table:" stands after the purpose/);
    fails([...header, '-- params:', '-- Why.', 'SELECT 1'], 7, /"params" has no value/);
  });

  it('refuses a value that is none of those there are', () => {
    const wrong = header.map((line) => line.replace('gate', 'block'));
    fails([...wrong, '-- Why.', 'SELECT 1'], 5, /"severity" is "block", wanted one of warn/);
    fails([...header, '-- scored: luck', '-- Why.', 'SELECT 1'], 7, /"scored" is "luck"/);
  });

  it('wants of a model no severity, and refuses one', () => {
    const model = header.slice(0, 3);
    assert.equal(parse([...model, '-- Why.', 'SELECT 1'], 'gold').sql, 'SELECT 1');
    assert.throws(() => parse([...header, '-- Why.', 'SELECT 1'], 'gold'), /"layer" is no header/);
  });
});

describe('loadSqlLibrary', () => {
  it('reads all files of a dataset, by kind and name', async () => {
    for (const folder of ['../../sql/', '../../sql']) {
      const library = await loadSqlLibrary(new URL(folder, import.meta.url), 'events');
      assert.deepEqual(library, loadEventsSql());
    }
  });
});

describe('listOf', () => {
  it('parts a list and takes nothing for an empty one', () => {
    assert.deepEqual(listOf('a, b,c'), ['a', 'b', 'c']);
    assert.deepEqual(listOf(undefined), []);
  });
});
