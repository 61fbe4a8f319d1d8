import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { deadLetterColumns } from '../../src/activities/batch-records.ts';
import { loadSqlLibrary } from '../../src/adapters/sql-library.ts';
import { dataContract, type DataContractSource } from '../../src/datasets/data-contract.ts';
import { events } from '../../src/datasets/events.ts';

const root = new URL('../../', import.meta.url);

describe('dataContract', () => {
  let source: DataContractSource;
  before(async () => {
    const { checks, gold } = await loadSqlLibrary(new URL('sql/', root), events.name);
    source = { checks: Object.values(checks), gold, deadLetterColumns };
  });

  it('is what docs/data-contract.md says; `npm run docs` writes it', async () => {
    const committed = await readFile(new URL('docs/data-contract.md', root), 'utf8');
    assert.equal(dataContract(source), committed);
  });

  it('names every table, field and quarantine rule', () => {
    const text = dataContract(source);
    const tables = [events.bronze, events.silver, events.quarantine, ...events.gold];
    const rules = source.checks.filter(({ header }) => header['severity'] === 'reject');
    for (const name of [
      ...tables.map((described) => `### ${described.layer}: \`${described.name}\``),
      ...events.fields.map(({ wireName }) => `| \`${wireName}\``),
      ...rules.map((rule) => `| \`${rule.name}\``),
    ]) {
      assert.ok(text.includes(name), name);
    }
  });

  it('leaves the marks of requirements to the SQL', () => {
    assert.doesNotMatch(dataContract(source), /\b(C|DQ|S\d{3})-\d+/);
  });
});
