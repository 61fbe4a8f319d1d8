import {
  DeleteDatabaseCommand,
  DeleteTableCommand,
  type GlueClient,
  GetTablesCommand,
} from '@aws-sdk/client-glue';
import type { LakeView } from '../support/lake-view.ts';
import type { TransformCase } from '../support/transform-case.ts';
import { silverStops } from './transform-steps.ts';

/* The catalog is wiped, which takes nothing from the truth. */

export const transformCatalogCases: readonly TransformCase[] = [
  {
    name: 'transform-catalog-wiped-and-repaired',
    about:
      'SIGKILL between publish and register, the catalog wiped, and nobody but `ingot catalog repair`.',
    withGold: true,
    run: async (world) => {
      await world.pour(2);
      const first = await world.worker('first', [silverStops['between-publish-and-register']]);
      await world.registered();
      await world.pour(2, { early: true });
      await first.reached();
      await first.kill();
      await wipe(world.view);
      const told = await world.ingot('catalog', 'repair', '--format', 'json');
      world.expect(told.includes('"isMissing": true') || told.includes('"isMissing":true'), told);
      await world.registered();
      await world.worker('second');
      await world.close();
      await world.registered();
      await world.rest();
      await wipe(world.view);
      await world.ingot('catalog', 'repair');
    },
  },
  {
    name: 'transform-catalog-wiped-under-load',
    about: 'The catalog is wiped while builds run; the next registration puts all of it back.',
    run: async (world) => {
      await world.pour(2);
      await world.worker('only');
      await world.registered();
      await wipe(world.view);
      await world.pour(2, { early: true });
      await world.registered();
      await wipe(world.view);
      await world.close();
      await world.registered();
    },
  },
];

/** Databases and tables of this lake, and all that is in them. */
async function wipe({ glue, id }: LakeView): Promise<void> {
  const names = ['bronze', 'silver', 'gold'].map((layer) => `${layer}_${id}`);
  for (const name of names) {
    await dropTables(glue, name);
    await glue.send(new DeleteDatabaseCommand({ Name: name })).catch(unlessGone);
  }
}

async function dropTables(glue: GlueClient, database: string): Promise<void> {
  const answer = await glue
    .send(new GetTablesCommand({ DatabaseName: database }))
    .catch(unlessGone);
  for (const { Name } of answer?.TableList ?? []) {
    await glue.send(new DeleteTableCommand({ DatabaseName: database, Name })).catch(unlessGone);
  }
}

function unlessGone(error: unknown): undefined {
  if ((error as Error).name !== 'EntityNotFoundException') throw error;
}
