import { randomBytes } from 'node:crypto';
import { GetTableCommand, type GlueClient, type Table as GlueTable } from '@aws-sdk/client-glue';
import { createGlueClient } from '../../src/adapters/aws-clients.ts';
import { createGlueCatalog } from '../../src/adapters/glue-catalog.ts';
import { dropDatabase } from '../../src/adapters/namespace-cleanup.ts';
import { loadConfig } from '../../src/config.ts';
import type { Catalog, CatalogTable } from '../../src/ports.ts';

const config = loadConfig(process.env);

export const databaseOfThisRun = (): string => `silver_test${randomBytes(6).toString('hex')}`;

export type Sent = { readonly name: string; readonly input: Record<string, unknown> };
/** What the server is made to say; an empty one passes the request on to the real one. */
export type Answer = { readonly answer?: object; readonly error?: Error };

/** A catalog whose requests are noted. */
export type SpiedCatalog = {
  readonly catalog: Catalog;
  readonly glue: GlueClient;
  readonly inputsOf: (name: string) => Record<string, unknown>[];
};

export type SpiedGlue = {
  /** A table in a database of its own, which is there. */
  readonly table: CatalogTable;
  /** `times` counts the requests of this name, this one included. */
  readonly spiedCatalog: (
    answers?: (sent: Sent, times: number) => Answer | undefined,
  ) => SpiedCatalog;
  readonly close: () => Promise<void>;
};

export async function openSpiedGlue(): Promise<SpiedGlue> {
  const clients: GlueClient[] = [];
  const table = spiedTable(databaseOfThisRun());
  const spiedCatalog: SpiedGlue['spiedCatalog'] = (answers = () => undefined) => {
    const glue = createGlueClient(config);
    clients.push(glue);
    return spyOn(glue, answers);
  };
  const { catalog, glue } = spiedCatalog();
  await catalog.ensureTable(table);
  const close = async () => {
    await dropDatabase(glue, table.database);
    for (const client of clients) client.destroy();
  };
  return { table, spiedCatalog, close };
}

function spyOn(
  glue: GlueClient,
  answers: (sent: Sent, times: number) => Answer | undefined,
): SpiedCatalog {
  const sent: Sent[] = [];
  const inputsOf = (name: string) => sent.filter((each) => each.name === name).map((s) => s.input);
  glue.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName).replace(/Command$/, '');
      const request = { name, input: args.input as Record<string, unknown> };
      sent.push(request);
      const given = answers(request, inputsOf(name).length);
      if (given?.error !== undefined) throw given.error;
      if (given?.answer === undefined) return next(args);
      return { output: { $metadata: {}, ...given.answer } as never, response: {} };
    },
    { step: 'initialize', name: 'spy' },
  );
  return { catalog: createGlueCatalog(glue), glue, inputsOf };
}

function spiedTable(database: string): CatalogTable {
  return {
    database,
    table: {
      layer: 'silver',
      name: 'spied',
      comment: 'A table.',
      columns: [{ name: 'event_id', type: 'string', comment: 'Identity.' }],
      partitionColumns: [
        { name: 'event_date', type: 'date', comment: 'Date.' },
        { name: 'hour', type: 'string', comment: 'Hour.' },
      ],
    },
    location: 's3://lake/silver/spied/',
  };
}

/** The table as the server has it. */
export async function readTable(
  glue: GlueClient,
  { database, table }: CatalogTable,
): Promise<GlueTable | null> {
  const command = new GetTableCommand({ DatabaseName: database, Name: table.name });
  return glue.send(command).then(
    (answer) => answer.Table ?? null,
    (error: Error) => {
      if (error.name === 'EntityNotFoundException') return null;
      throw error;
    },
  );
}
