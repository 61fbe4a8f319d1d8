import assert from 'node:assert/strict';
import { events } from '../../src/datasets/events.ts';
import { databaseName, duckdbType, glueType, visibleColumns } from '../../src/lake/table.ts';

describe('visibleColumns', () => {
  it('shows the folders of a table after the columns of its files', () => {
    const names = visibleColumns(events.silver).map(({ name }) => name);
    assert.deepEqual(names.slice(-3), ['event_date', 'hour', 'event_type']);
    assert.equal(names.length, events.silver.columns.length + 3);
  });

  it('names no column of events twice', () => {
    for (const table of [events.bronze, events.silver, events.quarantine, ...events.gold]) {
      const names = visibleColumns(table).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, table.name);
    }
  });
});

describe('duckdbType and glueType', () => {
  it('have a type for every column of events', () => {
    const tables = [events.bronze, events.silver, events.quarantine, ...events.gold];
    for (const { type } of tables.flatMap(visibleColumns)) {
      assert.match(duckdbType(type), /^[A-Z]+(\(\d+,\d+\))?$/);
      assert.equal(glueType(type), type);
    }
  });

  it('keeps the digits of a decimal', () => {
    assert.equal(duckdbType('decimal(18,2)'), 'DECIMAL(18,2)');
  });
});

describe('databaseName', () => {
  it('is the layer and the id', () => {
    assert.equal(databaseName('silver', 'dev'), 'silver_dev');
  });
});
