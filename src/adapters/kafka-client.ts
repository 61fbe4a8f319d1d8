import { setTimeout as pause } from 'node:timers/promises';
import {
  type Admin,
  type Cluster,
  type ITopicMetadata,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from 'kafkajs';
import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { Logger } from '../ports.ts';
import { topicMissing } from './event-source-faults.ts';
// Registers the codecs before there is any client.
import './kafka-codecs.ts';
import { kafkaErrorTypes, withKafkaFaults } from './kafka-faults.ts';

export type KafkaSettings = Pick<
  Config,
  | 'kafkaBrokers'
  | 'KAFKA_TLS'
  | 'KAFKA_SASL_MECHANISM'
  | 'KAFKA_SASL_USERNAME'
  | 'KAFKA_SASL_PASSWORD'
>;

/** A kafkajs client that knows the addresses which a fault of it names. */
export type KafkaClient = Kafka & { readonly brokers: readonly string[] };

export type EnsuredTopic = { readonly created: boolean; readonly partitions: number };

/**
 * Small, because Temporal owns the long retry: four attempts in under a second. kafkajs nests its
 * retries, so that a broker that refuses connections is given up after a few seconds.
 */
export const kafkaRetry = {
  retries: 3,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  factor: 0.2,
  multiplier: 2,
} as const;

const leaderAttemptsMax = 100;
const leaderPauseMs = 50;

/**
 * A kafkajs client with every timeout explicit. It connects to nothing yet. kafkajs calls an error
 * what it is going to retry; what it gives up is thrown, so its errors are logged as warnings.
 */
export function createKafka(settings: KafkaSettings, logger: Logger): KafkaClient {
  const kafka = new Kafka({
    clientId: 'ingot',
    brokers: [...settings.kafkaBrokers],
    ssl: settings.KAFKA_TLS,
    ...saslOf(settings),
    connectionTimeout: 3_000,
    authenticationTimeout: 10_000,
    requestTimeout: 10_000,
    enforceRequestTimeout: true,
    retry: kafkaRetry,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => logTo(logger, entry),
  });
  return Object.assign(kafka, { brokers: settings.kafkaBrokers });
}

/** Runs `work` with a connected admin client, which is disconnected afterwards. */
export async function withAdmin<T>(
  kafka: KafkaClient,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin({ retry: kafkaRetry });
  try {
    return await withKafkaFaults({ brokers: kafka.brokers }, async () => {
      await admin.connect();
      return work(admin);
    });
  } finally {
    await admin.disconnect();
  }
}

/**
 * Runs `work` with a connected cluster: kafkajs hands it out only to assigners of a consumer, and
 * does so when the consumer is made. This one never joins its group.
 */
export async function withCluster<T>(
  kafka: KafkaClient,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const clusters: Cluster[] = [];
  const consumer = kafka.consumer({
    groupId: 'ingot-never-joined',
    allowAutoTopicCreation: false,
    retry: kafkaRetry,
    partitionAssigners: [
      ({ cluster }) => {
        clusters.push(cluster);
        return { name: 'none', version: 0, assign: async () => [], protocol: neverJoined };
      },
    ],
  });
  try {
    return await withKafkaFaults({ brokers: kafka.brokers }, async () => {
      await consumer.connect();
      const [cluster] = clusters;
      if (cluster === undefined) throw new Error('kafkajs gave no cluster to the assigner');
      return work(cluster);
    });
  } finally {
    await consumer.disconnect();
  }
}

/**
 * Asks leaders of topic partitions, and once more where they have just changed: a broker that was slow
 * to be heard of loses its leaderships for a moment. kafkajs retries requests over a cluster, but not
 * these faults, which say that its metadata is old.
 */
export async function withLeaders<T>(
  cluster: Pick<Cluster, 'refreshMetadata'>,
  ask: () => Promise<T>,
  pauseMs: number = kafkaRetry.initialRetryTime,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const types = kafkaErrorTypes(error);
      if (attempt > kafkaRetry.retries || !leaderFaults.some((type) => types.has(type)))
        throw error;
      await pause(pauseMs * kafkaRetry.multiplier ** attempt);
      await cluster.refreshMetadata();
    }
  }
}

const leaderFaults = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'];

function neverJoined(): never {
  throw new Error('this consumer has no group');
}

/**
 * Creates the topic where it is missing, also when others do so at the same time, and waits until
 * all its topic partitions have a leader. A topic that exists stays as it is.
 */
export async function ensureTopic(
  admin: Admin,
  topic: string,
  partitions: number,
): Promise<EnsuredTopic> {
  const existing = await metadataOf(admin, topic);
  const created = existing === null && (await createTopic(admin, topic, partitions));
  for (let attempt = 1; attempt <= leaderAttemptsMax; attempt += 1) {
    const found = (await metadataOf(admin, topic))?.partitions ?? [];
    if (found.length > 0 && found.every(({ leader }) => leader >= 0)) {
      return { created, partitions: found.length };
    }
    await pause(leaderPauseMs);
  }
  throw new IngotError('TOPIC_MISSING', 'the topic has no leaders yet', {
    retryable: true,
    facts: { topic, waitedMs: leaderAttemptsMax * leaderPauseMs },
  });
}

/** How many topic partitions the topic has; `TOPIC_MISSING` when there is no such topic. */
export async function partitionsOf(admin: Admin, topic: string): Promise<number> {
  const found = await metadataOf(admin, topic);
  if (found === null) throw topicMissing({ topic });
  return found.partitions.length;
}

/** `false` when someone else was faster. */
async function createTopic(admin: Admin, topic: string, partitions: number): Promise<boolean> {
  try {
    return await admin.createTopics({
      // Replication is what the broker has as its default.
      topics: [{ topic, numPartitions: partitions, replicationFactor: -1 }],
      timeout: 10_000,
      waitForLeaders: false,
    });
  } catch (error) {
    const reasons = ((error as { errors?: readonly Error[] }).errors ?? []).map((e) => e.message);
    if (reasons.length === 0) throw error;
    throw new IngotError('TOPIC_MISSING', 'Kafka refuses to create the topic', {
      retryable: false,
      facts: { topic, partitions, reason: reasons.join('; ') },
      cause: error,
    });
  }
}

async function metadataOf(admin: Admin, topic: string): Promise<ITopicMetadata | null> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.find(({ name }) => name === topic) ?? null;
  } catch (error) {
    const types = kafkaErrorTypes(error);
    if (types.has('UNKNOWN_TOPIC_OR_PARTITION') || types.has('LEADER_NOT_AVAILABLE')) return null;
    throw error;
  }
}

function saslOf(settings: KafkaSettings): Pick<KafkaConfig, 'sasl'> {
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  if (mechanism === undefined) return {};
  const username = settings.KAFKA_SASL_USERNAME ?? '';
  const password = settings.KAFKA_SASL_PASSWORD ?? '';
  // The three mechanisms take the same fields; the type is a union of one object for each.
  return { sasl: { mechanism, username, password } as SASLOptions };
}

function logTo(logger: Logger, { namespace, level, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _name, ...facts } = log;
  if (level === logLevel.ERROR) logger.warn({ kafka: namespace, ...facts }, message);
  else logger.debug({ kafka: namespace, ...facts }, message);
}
