import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { Part } from './parts.ts';
import { canConnect } from './ports.ts';

/** Throws `PART_UNREACHABLE` when nothing listens at the address that the configuration gives. */
export async function checkExternal(part: Part, config: Config): Promise<void> {
  if (await isExternalReachable(part, config)) {
    return;
  }
  throw new IngotError(
    'PART_UNREACHABLE',
    `nothing answers for ${part.title}: ${part.addressVariable} points there`,
    {
      retryable: true,
      facts: { address: part.externalAddress(config) ?? '' },
    },
  );
}

/** Whether any of the addresses takes a connection. The real AWS is not asked: that needs credentials. */
export async function isExternalReachable(part: Part, config: Config): Promise<boolean> {
  if (part.name === 'aws' && config.AWS_USE_REAL) {
    return true;
  }
  const endpoints = (part.externalAddress(config) ?? '').split(',').map(hostAndPort);
  const answers = await Promise.all(endpoints.map(({ host, port }) => canConnect(host, port)));
  return answers.some((answer) => answer);
}

function hostAndPort(address: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(
    address.includes('://') ? address : `tcp://${address}`,
  );
  return { host: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}
