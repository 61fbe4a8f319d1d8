import type { Cluster } from 'kafkajs';
import type { EventSource, Logger, TopicPartitionOffsets } from '../ports.ts';
import { type KafkaClient, withCluster, withLeaders } from './kafka-client.ts';
import { withKafkaFaults } from './kafka-faults.ts';
import { readWithConsumer } from './kafka-read.ts';
import { topicIdOf } from './kafka-topic-id.ts';

export type KafkaEventSourceOptions = {
  readonly kafka: KafkaClient;
  readonly logger: Logger;
  /** A new text for each call; the consumer group of a read is named by it. */
  readonly uniqueId: () => string;
};

/** An EventSource on kafkajs. Each call connects for itself, so there is nothing to close. */
export function createKafkaEventSource(options: KafkaEventSourceOptions): EventSource {
  const { kafka } = options;
  const describeTopic = (topic: string) => describe(kafka, topic);
  return {
    describeTopic,
    read: (read) => readWithConsumer({ ...options, describeTopic }, read),
    publishPositions: (group, positions) => publish(kafka, group, positions),
  };
}

/** `offsetEnd` is the end of what is committed: records of an open transaction lie behind it. */
async function describe(
  kafka: KafkaClient,
  topic: string,
): Promise<readonly TopicPartitionOffsets[]> {
  return withCluster(kafka, (cluster) =>
    withKafkaFaults({ brokers: kafka.brokers, facts: { topic } }, async () => {
      await cluster.addTargetTopic(topic);
      return withLeaders(cluster, () => describeOver(cluster, topic));
    }),
  );
}

async function describeOver(
  cluster: Cluster,
  topic: string,
): Promise<readonly TopicPartitionOffsets[]> {
  const partitions = cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId: partition }) => ({ partition }));
  const offsets = async (fromBeginning: boolean): Promise<ReadonlyMap<number, string>> => {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }]);
    const told = found?.partitions ?? [];
    return new Map(told.map(({ partition, offset }) => [partition, offset]));
  };
  // The start is asked for after the end, or it could lie behind it.
  const ends = await offsets(false);
  const starts = await offsets(true);
  const ids = await topicIds(cluster, topic);
  return [...ends]
    .map(([partition, offsetEnd]) => {
      const topicId = ids.get(partition);
      const offsetStart = starts.get(partition) ?? offsetEnd;
      const described = { topic, partition, offsetStart, offsetEnd };
      return topicId === undefined ? described : { ...described, topicId };
    })
    .sort((left, right) => left.partition - right.partition);
}

/**
 * By topic partition, from its leader: whoever has records of a new topic to give knows its id, while
 * others may not have heard of it.
 */
async function topicIds(cluster: Cluster, topic: string): Promise<ReadonlyMap<number, string>> {
  const all = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  const leaders = Object.entries(cluster.findLeaderForPartitions(topic, all));
  const found = await Promise.all(
    leaders.map(async ([nodeId, partitions]) => {
      const id = await topicIdOf(await cluster.findBroker({ nodeId }), topic);
      return id === null ? [] : partitions.map((partition) => [partition, id] as const);
    }),
  );
  return new Map(found.flat());
}

/**
 * One OffsetCommit without a member, which Kafka takes only while the group has none. `setOffsets`
 * of the kafkajs admin would join the group for it, and never settle when that crashes.
 */
async function publish(
  kafka: KafkaClient,
  group: string,
  positions: Parameters<EventSource['publishPositions']>[1],
): Promise<void> {
  if (positions.length === 0) return;
  const names = [...new Set(positions.map(({ topic }) => topic))];
  const topics = names.map((topic) => ({
    topic,
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, offset }) => ({ partition, offset })),
  }));
  const call = { brokers: kafka.brokers, facts: { group, topics: names.join(',') } };
  await withCluster(kafka, (cluster) =>
    withKafkaFaults(call, async () => {
      await cluster.addMultipleTargetTopics(names);
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      await coordinator.offsetCommit({
        groupId: group,
        groupGenerationId: -1,
        memberId: '',
        topics,
      });
    }),
  );
}
