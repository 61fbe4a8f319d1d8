import {
  DeleteDatabaseCommand,
  DeleteTableCommand,
  GetDatabasesCommand,
  GetTablesCommand,
  type GlueClient,
} from '@aws-sdk/client-glue';
import { DeleteBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { formatFacts } from '../errors.ts';
import { awsErrorName, withAwsFaults } from './aws-faults.ts';
import { catalogMarker } from './glue-table-input.ts';
import { createS3ObjectStore } from './s3-object-store.ts';

export type NamespaceCleanup = {
  readonly glue: GlueClient;
  readonly s3: S3Client;
  /** `INGOT_ID` of the run. */
  readonly id: string;
};

export type CleanedNamespace = {
  readonly databases: readonly string[];
  readonly bucket: string;
};

const pagesMax = 1_000;

/**
 * Removes everything that the run `id` left in S3 and Glue: its databases and the bucket
 * `ingot-lake-<id>`. What is already gone is no error, so it can be repeated.
 */
export async function cleanNamespace({
  glue,
  s3,
  id,
}: NamespaceCleanup): Promise<CleanedNamespace> {
  const databases = await listNamespaceDatabases(glue, id);
  for (const name of databases) await dropDatabase(glue, name);
  const bucket = `ingot-lake-${id}`;
  await emptyAndDeleteBucket(s3, bucket);
  return { databases, bucket };
}

/**
 * Databases that end with `_<id>` and carry Ingot's mark. The name alone does not do: an account
 * may well have an `analytics_dev` of someone else.
 */
async function listNamespaceDatabases(glue: GlueClient, id: string): Promise<string[]> {
  const found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const command = new GetDatabasesCommand({ NextToken: token });
    const answer = await withAwsFaults({ part: 'Glue', client: glue, facts: { id } }, () =>
      glue.send(command),
    );
    for (const { Name = '', Parameters = {} } of answer.DatabaseList ?? []) {
      if (Name.endsWith(`_${id}`) && Parameters[catalogMarker] !== undefined) found.push(Name);
    }
    token = answer.NextToken;
    if (token === undefined) return found.sort();
  }
  throw new Error(`too many databases to list${formatFacts({ id, pages: pagesMax })}`);
}

/** Deletes the database and its tables. One that is already gone is no error. */
export async function dropDatabase(glue: GlueClient, name: string): Promise<void> {
  await withAwsFaults({ part: 'Glue', client: glue, facts: { database: name } }, async () => {
    for (const table of await listTables(glue, name)) {
      // Glue would delete the tables with the database, but only some time later.
      await unlessGone(() =>
        glue.send(new DeleteTableCommand({ DatabaseName: name, Name: table })),
      );
    }
    await unlessGone(() => glue.send(new DeleteDatabaseCommand({ Name: name })));
  });
}

/** Deletes all objects, then the bucket. One that is already gone is no error. */
export async function emptyAndDeleteBucket(client: S3Client, bucket: string): Promise<void> {
  const objects = createS3ObjectStore({ client, bucket });
  await withAwsFaults({ part: 'S3', client, facts: { bucket } }, () =>
    unlessGone(async () => {
      for (let page = 0; page < pagesMax; page += 1) {
        const found = await objects.listObjects('', { limit: 1_000 });
        if (found.length === 0) break;
        await objects.deleteObjects(found.map(({ key }) => key));
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    }),
  );
}

async function listTables(glue: GlueClient, database: string): Promise<string[]> {
  const found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const command = new GetTablesCommand({ DatabaseName: database, NextToken: token });
    const answer = await unlessGone(() => glue.send(command));
    found.push(
      ...(answer?.TableList ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])),
    );
    token = answer?.NextToken;
    if (token === undefined) return found;
  }
  throw new Error(`too many tables to list${formatFacts({ database, pages: pagesMax })}`);
}

async function unlessGone<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    const name = awsErrorName(error);
    if (name === 'EntityNotFoundException' || name === 'NoSuchBucket') return undefined;
    throw error;
  }
}
