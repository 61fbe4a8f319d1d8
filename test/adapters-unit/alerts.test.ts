import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogAlerts, createWebhookAlerts, joinAlerts } from '../../src/adapters/alerts.ts';
import type { Alert } from '../../src/lake/owner-events.ts';

const alert: Alert = {
  kind: 'gateParked',
  dataset: 'events',
  at: '2026-08-21T13:30:00.000Z',
  text: 'silver 2026-08-21T12 is parked',
};

function logbook() {
  const lines: string[] = [];
  const keep = (level: string) => (facts: object, message: string) =>
    void lines.push(`${level} ${JSON.stringify(facts)} ${message}`);
  const logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
  return { lines, logger };
}

/** A web hook that answers with these states, then with 200. */
async function hook(states: readonly number[]) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      response.statusCode = states[bodies.length] ?? 200;
      bodies.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, bodies, close };
}

describe('alerts', () => {
  it('are a line of the log each', async () => {
    const { lines, logger } = logbook();
    await createLogAlerts(logger).send(alert);
    assert.deepEqual(lines, [
      'warn {"alert":"gateParked","dataset":"events","at":"2026-08-21T13:30:00.000Z"} ' +
        alert.text,
    ]);
  });

  it('are posted again to a web hook that stumbles, and then no more', async () => {
    const { lines, logger } = logbook();
    const { url, bodies, close } = await hook([500]);
    await createWebhookAlerts({ url, timeoutMs: 20_000, betweenMs: 1, logger }).send(alert);
    close();
    assert.deepEqual(
      bodies.map((body) => JSON.parse(body) as unknown),
      [alert, alert],
    );
    assert.deepEqual(lines, []);
  });

  it('hold nothing up where nobody answers, and the log has no address in it', async () => {
    const { lines, logger } = logbook();
    const { url, close } = await hook([]);
    close();
    const all = joinAlerts([
      createWebhookAlerts({ url, timeoutMs: 20_000, betweenMs: 1, logger }),
      createLogAlerts(logger),
    ]);
    await all.send(alert);
    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /^error .*the alert web hook was not reached$/);
    assert.doesNotMatch(lines[0]!, /secret/);
  });
});
