import { randomUUID } from 'node:crypto';
import { createLogAlerts, createWebhookAlerts, joinAlerts } from '../adapters/alerts.ts';
import { createGlueClient, createS3Client } from '../adapters/aws-clients.ts';
import { createDuckdbBronzeEncoder } from '../adapters/duckdb-bronze-encoder.ts';
import { createDuckdbEngine } from '../adapters/duckdb-engine.ts';
import { createGlueCatalog } from '../adapters/glue-catalog.ts';
import { createKafka } from '../adapters/kafka-client.ts';
import { createKafkaEventSource } from '../adapters/kafka-event-source.ts';
import { createParquetjsCodec } from '../adapters/parquetjs-codec.ts';
import { createS3ObjectStore } from '../adapters/s3-object-store.ts';
import { loadSqlLibrary } from '../adapters/sql-library.ts';
import type { Config } from '../config.ts';
import type { LakehouseDescription } from '../lake/messages.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { JanitorDeps } from '../activities/janitor-page.ts';
import type { Alerts, Catalog, Logger, ObjectStore, Ports } from '../ports.ts';
import { cacheFolder } from './cache-folder.ts';

/* The one place where the configuration becomes the ports of the pipeline. */

export function createObjects(config: Config): ObjectStore {
  return createS3ObjectStore({ client: createS3Client(config), bucket: config.lakeBucket });
}

export function createCatalog(config: Config): Catalog {
  return createGlueCatalog(createGlueClient(config));
}

/** How an engine is used: by how many sessions at once, and after each other. */
export type EngineUse = {
  /** Of each database. */
  readonly threads: number;
  /** Databases of closed sessions that the engine keeps. */
  readonly sessionsKept: number;
};

/**
 * The engine of a transform worker. Its slots share the threads: a statement that waits for its other
 * threads spins, so builds beside each other with a thread each cost the machine less than builds with
 * several. It keeps more databases than run at once, because those of another window keep the tables
 * that its next build reads.
 */
export function transformEngine({
  DUCKDB_THREADS: threads,
  TRANSFORM_SLOTS: slots,
  BACKFILL_SLOTS: backfillSlots,
}: Pick<Config, 'DUCKDB_THREADS' | 'TRANSFORM_SLOTS' | 'BACKFILL_SLOTS'>): EngineUse {
  const threadsEach = Math.max(1, Math.floor(threads / (slots + backfillSlots)));
  return { threads: threadsEach, sessionsKept: 2 * slots };
}

/**
 * `given` are ports that take the place of the real ones, also beneath those that are built on them, and
 * how the engine is used where it is not by one session at a time.
 */
export async function createPorts(
  config: Config,
  dataset: Dataset,
  logger: Logger,
  given: Partial<Pick<Ports, 'objects' | 'catalog'> & EngineUse> = {},
): Promise<Ports> {
  const objects = given.objects ?? createObjects(config);
  const kafka = createKafka(config, logger);
  const cacheDirectory = cacheFolder(config);
  const threads = given.threads ?? config.DUCKDB_THREADS;
  const limits = { threads, memoryMb: config.DUCKDB_MEMORY_MB };
  return {
    objects,
    source: createKafkaEventSource({ kafka, logger, uniqueId: randomUUID }),
    bronze: createDuckdbBronzeEncoder({ ...limits, cacheDirectory }),
    rowFiles: createParquetjsCodec(),
    engine: createDuckdbEngine({
      objects,
      ...limits,
      cacheDirectory,
      cacheBytesMax: config.OBJECT_CACHE_MB * 1_048_576,
      sessionsKept: given.sessionsKept ?? 0,
    }),
    catalog: given.catalog ?? createCatalog(config),
    sql: await loadSqlLibrary(new URL('../../sql/', import.meta.url), dataset.name),
    logger,
    alerts: createAlerts(config, logger),
    now: Date.now,
  };
}

function createAlerts(config: Config, logger: Logger): Alerts {
  const url = config.ALERT_WEBHOOK_URL;
  const timeoutMs = config.ALERT_WEBHOOK_TIMEOUT_MS;
  const hook = url === undefined ? [] : [createWebhookAlerts({ url, timeoutMs, logger })];
  return joinAlerts([createLogAlerts(logger), ...hook]);
}

export function describeLakehouse(config: Config, dataset: Dataset): LakehouseDescription {
  return {
    silverTable: dataset.silver.name,
    settings: {
      allowedLatenessMs: config.ALLOWED_LATENESS_SECONDS * 1_000,
      foldMs: config.FOLD_SECONDS * 1_000,
      foldHorizonMs: config.FOLD_HORIZON_HOURS * 3_600_000,
      maxWaitMs: config.MAX_WAIT_SECONDS * 1_000,
      goldRefresh: config.GOLD_REFRESH,
      buildsMax: config.BUILDS_MAX,
      backfillBuildsMax: config.BACKFILL_BUILDS_MAX,
      usualFolds: true,
      gold: dataset.gold.map(({ name, grain }) => ({ name, grain })),
    },
  };
}

export function janitorSettings(
  config: Config,
): Pick<JanitorDeps, 'id' | 'bucket' | 'graceMs' | 'days' | 'checkResultsDays' | 'landing'> {
  return {
    id: config.INGOT_ID,
    bucket: config.lakeBucket,
    graceMs: config.JANITOR_GRACE_HOURS * 3_600_000,
    days: {
      silver: config.RETENTION_SILVER_DAYS,
      gold: config.RETENTION_GOLD_DAYS,
      bronze: config.RETENTION_BRONZE_DAYS,
      raw: config.RETENTION_RAW_DAYS,
      deadLetters: config.RETENTION_DEAD_LETTERS_DAYS,
    },
    checkResultsDays: config.RETENTION_DQ_RESULTS_DAYS,
    landing: { prefix: config.DROP_PREFIX, days: config.RETENTION_LANDING_DAYS },
  };
}
