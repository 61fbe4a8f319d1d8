import { randomUUID } from 'node:crypto';
import { createS3Client } from '../adapters/aws-clients.ts';
import { createKafka } from '../adapters/kafka-client.ts';
import { createKafkaEventSource } from '../adapters/kafka-event-source.ts';
import { createParquetjsCodec } from '../adapters/parquetjs-codec.ts';
import { createS3ObjectStore } from '../adapters/s3-object-store.ts';
import type { DropGroupDeps } from '../activities/drop-group.ts';
import type { GroupDeps } from '../activities/ingest-group.ts';
import type { Config } from '../config.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { BronzeEncoder, Logger } from '../ports.ts';
import { cacheFolder } from './cache-folder.ts';

/** What a group of topic partitions needs of the world. Made anew in each thread. */
export async function createGroupPorts(
  config: Config,
  logger: Logger,
): Promise<GroupDeps['ports']> {
  const objects = createS3ObjectStore({
    client: createS3Client(config),
    bucket: config.lakeBucket,
  });
  return {
    objects,
    source: createKafkaEventSource({
      kafka: createKafka(config, logger),
      logger,
      uniqueId: randomUUID,
    }),
    bronze: await createBronzeEncoder(config),
    rowFiles: createParquetjsCodec(),
    logger,
    now: Date.now,
  };
}

/** Loads the encoder that is chosen, and not the other: the engine may have no build for a machine. */
async function createBronzeEncoder(config: Config): Promise<BronzeEncoder> {
  switch (config.BRONZE_ENCODER) {
    case 'duckdb': {
      const { createDuckdbBronzeEncoder } = await import('../adapters/duckdb-bronze-encoder.ts');
      return createDuckdbBronzeEncoder({
        threads: 1,
        memoryMb: config.INGEST_ENGINE_MEMORY_MB,
        cacheDirectory: cacheFolder(config),
      });
    }
    case 'parquetjs': {
      const { createParquetjsBronzeEncoder } =
        await import('../adapters/parquetjs-bronze-encoder.ts');
      return createParquetjsBronzeEncoder();
    }
  }
}

/** Topics of the dataset, as the settings name them. */
export function topicsOf(config: Config): readonly string[] {
  return config.KAFKA_TOPICS.split(',');
}

/** The settings of groups, of which so many run at once in this process. */
export function groupSettings(
  config: Config,
  dataset: Dataset,
  groups: number,
): Omit<GroupDeps, 'ports'> {
  return {
    dataset,
    limits: {
      rowsMax: config.INGEST_BATCH_ROWS_MAX,
      bytesMax: config.INGEST_BATCH_BYTES_MAX,
      ageMs: config.INGEST_FLUSH_MS,
      ageIdleMs: config.INGEST_FLUSH_IDLE_MS,
    },
    plan: { rawCopy: config.INGEST_RAW_COPY, recordBytesMax: config.INGEST_RECORD_BYTES_MAX },
    bufferBytesMax: Math.floor((config.INGEST_BUFFER_MB * 1_048_576) / groups),
  };
}

/** The settings of the drop folder. */
export function dropSettings(config: Config, dataset: Dataset): Omit<DropGroupDeps, 'ports'> {
  return {
    dataset,
    limits: {
      rowsMax: config.INGEST_BATCH_ROWS_MAX,
      bytesMax: config.INGEST_BATCH_BYTES_MAX,
    },
    plan: { recordBytesMax: config.INGEST_RECORD_BYTES_MAX },
    folder: {
      enabled: config.DROP_ENABLED,
      prefix: config.DROP_PREFIX,
      pollMs: config.DROP_POLL_SECONDS * 1_000,
      delayMs: config.DROP_DELAY_SECONDS * 1_000,
    },
  };
}
