import assert from 'node:assert/strict';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGlueClient } from '../../src/adapters/aws-clients.ts';
import { probeGlue } from '../../src/adapters/glue-catalog.ts';

const table = { database: 'silver_test', table: { name: 'events_cleaned' } };

async function probe(awsEndpoint: string): Promise<boolean> {
  const config = { awsEndpoint, AWS_REGION: 'eu-central-1' };
  const glue = createGlueClient(config);
  try {
    return await probeGlue(glue, { config, table });
  } finally {
    glue.destroy();
  }
}

describe('probeGlue', () => {
  let server: Server;
  let answer: { readonly status: number; readonly body: object };
  let address: string;
  before(async () => {
    server = createServer((_request, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('answers whether the table is there, which it need not be', async () => {
    answer = { status: 200, body: { Table: { Name: 'events_cleaned' } } };
    assert.equal(await probe(address), true);
    answer = { status: 400, body: { __type: 'EntityNotFoundException', Message: 'no database' } };
    assert.equal(await probe(address), false);
  });

  it('names the address and its setting when nobody answers there', async () => {
    await assert.rejects(probe('http://127.0.0.1:1'), {
      code: 'PART_UNREACHABLE',
      message:
        'Glue cannot be reached [address=http://127.0.0.1:1, setting=AWS_ENDPOINT_URL, ' +
        'database=silver_test, table=events_cleaned, reason=ECONNREFUSED]',
    });
  });

  it('names them also when it may not look', async () => {
    answer = { status: 400, body: { __type: 'AccessDeniedException', Message: 'not for you' } };
    await assert.rejects(probe(address), {
      name: 'AccessDeniedException',
      message: new RegExp(`not for you.*address=${address}, setting=AWS_ENDPOINT_URL`),
    });
  });
});
