import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { CreateDatabaseCommand, GetDatabaseCommand } from '@aws-sdk/client-glue';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { createGlueClient, createS3Client, ensureBucket } from '../../src/adapters/aws-clients.ts';
import { createGlueCatalog } from '../../src/adapters/glue-catalog.ts';
import { cleanNamespace, dropDatabase } from '../../src/adapters/namespace-cleanup.ts';
import { createS3ObjectStore } from '../../src/adapters/s3-object-store.ts';
import { loadConfig } from '../../src/config.ts';
import { databaseName } from '../../src/lake/table.ts';

const config = loadConfig(process.env);

describe('cleanNamespace', () => {
  const id = `test${randomBytes(6).toString('hex')}`;
  const foreign = `analytics_${id}`;
  const glue = createGlueClient(config);
  const s3 = createS3Client(config);
  const bucket = `ingot-lake-${id}`;

  after(async () => {
    await dropDatabase(glue, foreign);
    glue.destroy();
    s3.destroy();
  });

  it('removes databases and bucket of the run, and nothing of anybody else', async () => {
    const table = { name: 't', comment: 'A table.', columns: [], partitionColumns: [] };
    for (const layer of ['bronze', 'silver'] as const) {
      const location = `s3://${bucket}/${layer}/t/`;
      const database = databaseName(layer, id);
      await createGlueCatalog(glue).ensureTable({ database, table: { ...table, layer }, location });
    }
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: foreign } }));
    await ensureBucket(s3, bucket, config.AWS_REGION);
    const objects = createS3ObjectStore({ client: s3, bucket });
    await objects.createObject('a/b=1/c', Buffer.from('x'));
    await objects.createObject('d', Buffer.from('x'));

    const cleaned = await cleanNamespace({ glue, s3, id });

    assert.deepEqual(cleaned, { databases: [`bronze_${id}`, `silver_${id}`], bucket });
    const bronze = new GetDatabaseCommand({ Name: `bronze_${id}` });
    await assert.rejects(glue.send(bronze), { name: 'EntityNotFoundException' });
    await assert.rejects(s3.send(new HeadBucketCommand({ Bucket: bucket })));
    const kept = await glue.send(new GetDatabaseCommand({ Name: foreign }));
    assert.equal(kept.Database?.Name, foreign);
  });

  it('finds nothing to do the second time', async () => {
    assert.deepEqual(await cleanNamespace({ glue, s3, id }), { databases: [], bucket });
  });
});
