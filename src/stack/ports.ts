import { connect, createServer } from 'node:net';
import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { Part } from './parts.ts';
import { waitUntil } from './wait-until.ts';

/** A process that has just been killed is gone for the system a moment before its ports are. */
const letGoMs = 2_000;

/** Throws `PORT_IN_USE` naming every port that these parts need and something else holds. */
export async function requireFreePorts(parts: readonly Part[], config: Config): Promise<void> {
  const needed = parts.flatMap((part) => part.ports(config).map((port) => ({ part, ...port })));
  const free = await Promise.all(
    needed.map(({ port }) => waitUntil(() => isPortFree(port), { limitMs: letGoMs, everyMs: 50 })),
  );
  const taken = needed.filter((_, index) => !free[index]);
  if (taken.length === 0) {
    return;
  }
  const lines = taken.map(
    ({ part, port, variable }) =>
      `  ${port}, wanted by ${part.title}: choose another with ${variable}` +
      `, or use what is there with ${part.addressVariable}`,
  );
  throw new IngotError(
    'PORT_IN_USE',
    `these ports are held by another program:\n${lines.join('\n')}`,
    {
      retryable: false,
    },
  );
}

/** Whether a server could listen on the port of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  // macOS lets one bind 127.0.0.1 beside a program that holds all addresses; a connection tells.
  return !(await canConnect('127.0.0.1', port)) && (await canListen(port));
}

/** Whether something accepts a TCP connection there within the limit. */
export function canConnect(host: string, port: number, limitMs = 3_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(limitMs, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
