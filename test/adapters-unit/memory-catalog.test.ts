import { createMemoryCatalog } from '../../src/adapters/memory-catalog.ts';
import { describeCatalog } from '../support/contracts/catalog.ts';

describeCatalog('memory', async () => {
  const catalog = createMemoryCatalog();
  return {
    catalog,
    database: 'silver_test',
    columnsOf: async ({ database, table }) => catalog.columnsOf(database, table.name),
    dropTable: async ({ database, table }) => catalog.dropTable(database, table.name),
    close: async () => {},
  };
});
