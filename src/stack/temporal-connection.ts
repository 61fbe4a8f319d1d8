import { readFile } from 'node:fs/promises';
import type { Connection, ConnectionOptions } from '@temporalio/client';
import type { Config } from '../config.ts';
import { IngotError, messageOf } from '../errors.ts';

/**
 * Opens a connection to the Temporal of the configuration; throws `PART_UNREACHABLE` when there is none
 * within the limit. The client is loaded on first use: it takes longer to load than the rest of a command.
 */
export async function connectTemporal(config: Config, limitMs: number): Promise<Connection> {
  const client = await import('@temporalio/client');
  const options = await temporalConnectionOptions(config);
  try {
    return await client.Connection.connect({ ...options, connectTimeout: limitMs });
  } catch (cause) {
    throw new IngotError('PART_UNREACHABLE', 'Temporal cannot be reached', {
      retryable: true,
      facts: { address: config.temporalAddress, reason: messageOf(cause) },
      cause,
    });
  }
}

/** Address, TLS and key of the configured Temporal. */
export async function temporalConnectionOptions(config: Config): Promise<ConnectionOptions> {
  const { TEMPORAL_TLS_CERT_FILE: certificate, TEMPORAL_TLS_KEY_FILE: key } = config;
  const pair =
    certificate !== undefined && key !== undefined
      ? { clientCertPair: { crt: await readFile(certificate), key: await readFile(key) } }
      : undefined;
  return {
    address: config.temporalAddress,
    ...(config.TEMPORAL_TLS || pair !== undefined ? { tls: pair ?? true } : { tls: false }),
    ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
  };
}
