import assert from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster, Consumer } from 'kafkajs';
import type { TopicPartition } from '../ports.ts';
import { assignExactly, forbidResets } from './kafka-assignment.ts';
import { type KafkaClient, kafkaRetry } from './kafka-client.ts';
import { kafkaErrorTypes } from './kafka-faults.ts';
import { type FetchFault, checkFetches } from './kafka-fetch-check.ts';

/** A consumer of exactly these topic partitions, and the cluster that it knows them from. */
export type OpenConsumer = {
  readonly consumer: Consumer;
  readonly cluster: Cluster;
  readonly group: string;
};

export type ConsumerOptions = {
  readonly kafka: KafkaClient;
  /** Nobody else may ever use it. */
  readonly group: string;
  readonly topicPartitions: readonly TopicPartition[];
  /** Told instead of a reset when an offset is out of range; the consumer then crashes. */
  readonly onOutOfRange: (where: TopicPartition) => void;
  /** Told of a topic partition that cannot be read on, at each fetch; the others go on. */
  readonly onFault: (fault: FetchFault) => void;
};

/**
 * Of one fetch, however many topic partitions it asks for: all of it is held until its last record is
 * handed on. A batch of Kafka that is larger comes all the same, and kafkajs asks for the topic
 * partitions in another order each time, so that none waits for ever.
 */
const fetchBytesMax = 1_048_576;
/**
 * Of one fetch, unless it has waited for long enough. A fetch for each record set that a producer sends
 * took twice as much of a core, at 1,000 records a second, and a third more of the broker's.
 */
const fetchBytesMin = 65_536;
/** How long a fetch waits for records; an abort waits for a fetch. */
const fetchWaitMs = 250;
const sessionMs = 30_000;
const heartbeatMs = 3_000;
const coordinatorAttemptsMax = 20;
const coordinatorPauseMs = 200;

/** Connects to nothing yet. It never commits, and it does not start again after a crash. */
export function openConsumer(options: ConsumerOptions): OpenConsumer {
  const { kafka, group, topicPartitions } = options;
  const clusters: Cluster[] = [];
  const consumer = kafka.consumer({
    groupId: group,
    partitionAssigners: [assignExactly(topicPartitions, (cluster) => clusters.push(cluster))],
    allowAutoTopicCreation: false,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs,
    heartbeatInterval: heartbeatMs,
    minBytes: fetchBytesMin,
    maxBytes: fetchBytesMax,
    maxBytesPerPartition: fetchBytesMax,
    maxWaitTimeInMs: fetchWaitMs,
    readUncommitted: false,
    // Whoever called decides whether to begin again, and from where.
    retry: { ...kafkaRetry, restartOnFailure: async () => false },
  });
  const [cluster] = clusters;
  assert(cluster !== undefined, 'kafkajs makes the assigners when it makes the consumer');
  forbidResets(cluster, options.onOutOfRange);
  checkFetches(cluster, options.onFault);
  return { consumer, cluster, group };
}

/**
 * Resolves when the coordinator of the group answers. A broker that has just started first makes
 * and loads its topic of groups, and kafkajs takes that for a reason to crash when it joins.
 */
export async function awaitCoordinator(consumer: Consumer): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await consumer.describeGroup();
      return;
    } catch (error) {
      const isLoading = [...kafkaErrorTypes(error)].some((type) => loadingTypes.has(type));
      if (!isLoading || attempt === coordinatorAttemptsMax) throw error;
      await pause(coordinatorPauseMs);
    }
  }
}

const loadingTypes = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);
