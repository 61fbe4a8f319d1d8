import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { loadConfig } from '../../src/config.ts';
import { freePorts } from '../../src/stack/free-ports.ts';
import { isPortFree, requireFreePorts } from '../../src/stack/ports.ts';
import { fakePart } from '../support/fake-part.ts';

async function holdPort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe('requireFreePorts', () => {
  it('names every port that is taken, the part, and the variables that help', async () => {
    const held = [await holdPort(), await holdPort()];
    const [first, second] = held.map(({ port }) => port);
    const [free] = await freePorts(1);
    const config = loadConfig({
      STACK_TEMPORAL_PORT: String(first),
      STACK_KAFKA_PORT: String(free),
      STACK_AWS_PORT: String(second),
    });
    const parts = [fakePart('temporal'), fakePart('kafka'), fakePart('aws')];
    await assert.rejects(requireFreePorts(parts, config), {
      code: 'PORT_IN_USE',
      message:
        'these ports are held by another program:\n' +
        `  ${first}, wanted by Fake temporal: choose another with STACK_TEMPORAL_PORT, or use what is there with TEMPORAL_ADDRESS\n` +
        `  ${second}, wanted by Fake aws: choose another with STACK_AWS_PORT, or use what is there with AWS_ADDRESS`,
    });
    held.forEach(({ server }) => server.close());
  });
});

describe('freePorts', () => {
  it('answers different ports that can be listened on', async () => {
    const ports = await freePorts(5);
    assert.equal(new Set(ports).size, 5);
    assert.deepEqual(await Promise.all(ports.map(isPortFree)), [true, true, true, true, true]);
  });
});
