import { randomUUID } from 'node:crypto';
import { createGlueClient, createS3Client, ensureBucket } from '../adapters/aws-clients.ts';
import { probeConditionalWrites } from '../adapters/conditional-write-probe.ts';
import { probeGlue } from '../adapters/glue-catalog.ts';
import { createKafka, withAdmin } from '../adapters/kafka-client.ts';
import { createS3ObjectStore } from '../adapters/s3-object-store.ts';
import type { Config } from '../config.ts';
import { events } from '../datasets/events.ts';
import { IngotError, messageOf } from '../errors.ts';
import { databaseName } from '../lake/table.ts';
import type { Logger } from '../ports.ts';
import { connectTemporal } from '../stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../stack/temporal-namespace.ts';

/* What the design leans on, checked before anything runs, and by `ingot doctor`. */

export type Preflight = {
  readonly name: string;
  readonly check: () => Promise<string>;
};

export type PreflightResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
};

const clockSkewMsMax = 30_000;

/**
 * The checks in the order in which they are worth looking at. Each answers what it found. Ingest
 * does without a catalog, and without the right to look at one.
 */
export function preflights(
  config: Config,
  logger: Logger,
  { catalog = false } = {},
): readonly Preflight[] {
  return [
    { name: 'Temporal', check: () => checkTemporal(config) },
    { name: 'Kafka', check: () => checkKafka(config, logger) },
    { name: 'object store', check: () => checkObjectStore(config) },
    ...(catalog ? [{ name: 'catalog', check: () => checkCatalog(config) }] : []),
    { name: 'clock', check: () => checkClock(config) },
  ];
}

export async function runPreflights(
  checks: readonly Preflight[],
): Promise<readonly PreflightResult[]> {
  return Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        return { name, ok: true, detail: await check() };
      } catch (error) {
        return { name, ok: false, detail: messageOf(error) };
      }
    }),
  );
}

/** Throws the first failure as it is: a worker must not run on ground that does not hold. */
export async function requirePreflights(checks: readonly Preflight[]): Promise<void> {
  await Promise.all(checks.map(({ check }) => check()));
}

async function checkTemporal(config: Config): Promise<string> {
  const connection = await connectTemporal(config, 10_000).catch((cause: unknown) => {
    throw new IngotError('PART_UNREACHABLE', 'Temporal does not answer', {
      retryable: true,
      facts: { address: config.temporalAddress },
      cause,
    });
  });
  try {
    const namespace = config.temporalNamespace;
    const { created } = await ensureTemporalNamespace({ connection, namespace });
    return `namespace ${namespace} ${created ? 'made' : 'there'}, search attributes registered`;
  } finally {
    await connection.close();
  }
}

async function checkKafka(config: Config, logger: Logger): Promise<string> {
  return withAdmin(createKafka(config, logger), async (admin) => {
    const { brokers } = await admin.describeCluster();
    return `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'}`;
  });
}

async function checkObjectStore(config: Config): Promise<string> {
  const client = createS3Client(config);
  await ensureBucket(client, config.lakeBucket, config.AWS_REGION);
  const store = createS3ObjectStore({ client, bucket: config.lakeBucket });
  await probeConditionalWrites(store, randomUUID());
  return `bucket ${config.lakeBucket}, conditional writes refuse as they should`;
}

async function checkCatalog(config: Config): Promise<string> {
  const glue = createGlueClient(config);
  try {
    const { silver } = events;
    const table = { database: databaseName(silver.layer, config.INGOT_ID), table: silver };
    const exists = await probeGlue(glue, { config, table });
    return `Glue answers, table ${table.database}.${silver.name} ${exists ? 'there' : 'not made yet'}`;
  } finally {
    glue.destroy();
  }
}

/** Frontiers, ingest times and flush ages hang on the clock; the store's own is the reference. */
async function checkClock(config: Config): Promise<string> {
  const url = config.awsEndpoint ?? `https://s3.${config.AWS_REGION}.amazonaws.com`;
  const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return 'the object store tells no time; not compared';
  const skewMs = Math.abs(Date.now() - date);
  if (skewMs <= clockSkewMsMax)
    return `within ${Math.ceil(skewMs / 1_000)} s of the object store's`;
  throw new IngotError('CONFIG_INVALID', 'the clock of this machine is off: set it by NTP', {
    retryable: false,
    facts: { skewSeconds: Math.round(skewMs / 1_000) },
  });
}
