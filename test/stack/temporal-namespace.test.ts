import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { loadConfig } from '../../src/config.ts';
import { searchAttributeNames } from '../../src/lake/messages.ts';
import { connectTemporal } from '../../src/stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../../src/stack/temporal-namespace.ts';

describe('ensureTemporalNamespace', function () {
  this.timeout(180_000);
  let connection: Connection;
  let namespace: string;
  before(async () => (connection = await connectTemporal(loadConfig(process.env), 60_000)));
  after(() => connection.close());
  beforeEach(() => (namespace = `test-${randomUUID()}`));

  const start = (workflowId: string): Promise<unknown> =>
    new Client({ connection, namespace }).workflow.start('anything', {
      workflowId,
      taskQueue: 'nobody',
      searchAttributes: { IngotWindow: ['2026-08-21T13'], IngotGate: ['open'] },
    });

  it('makes a namespace in which a workflow with search attributes starts at once', async () => {
    const first = await ensureTemporalNamespace({ connection, namespace });
    assert.deepEqual(first, { created: true, attributesAdded: searchAttributeNames });
    await start('silver/events/2026-08-21T13');
  });

  it('waits for a server that remembers that the namespace was not there', async () => {
    await assert.rejects(start('too-early'));
    await ensureTemporalNamespace({ connection, namespace });
    await start('in-time');
  });

  it('leaves a namespace as it is, but for the attributes that are missing', async () => {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'of someone else',
      workflowExecutionRetentionPeriod: msToTs('3 days'),
    });
    await ensureTemporalNamespace({ connection, namespace, retentionDays: 9 });
    const again = await ensureTemporalNamespace({ connection, namespace, retentionDays: 9 });
    assert.deepEqual(again, { created: false, attributesAdded: [] });
    const { namespaceInfo, config } = await connection.workflowService.describeNamespace({
      namespace,
    });
    assert.equal(namespaceInfo?.description, 'of someone else');
    assert.equal(Number(config?.workflowExecutionRetentionTtl?.seconds), 3 * 86_400);
  });

  it('refuses a namespace in which an attribute is not a keyword', async () => {
    await ensureTemporalNamespace({ connection, namespace });
    await connection.operatorService.removeSearchAttributes({
      namespace,
      searchAttributes: ['IngotGate'],
    });
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { IngotGate: 3 },
    });
    await assert.rejects(ensureTemporalNamespace({ connection, namespace }), {
      code: 'PART_UNREACHABLE',
      message: /not of type Keyword: IngotGate/,
    });
  });
});
