import { writeFile } from 'node:fs/promises';
/* eslint-disable no-restricted-imports -- a program that nobody imports, not part of a dataset */
import { deadLetterColumns } from '../activities/batch-records.ts';
import { loadSqlLibrary } from '../adapters/sql-library.ts';
/* eslint-enable no-restricted-imports */
import { dataContract } from './data-contract.ts';
import { events } from './events.ts';

/* `npm run docs`: writes docs/data-contract.md. */

const root = new URL('../../', import.meta.url);
const { checks, gold } = await loadSqlLibrary(new URL('sql/', root), events.name);
const text = dataContract({ checks: Object.values(checks), gold, deadLetterColumns });
await writeFile(new URL('docs/data-contract.md', root), text);
