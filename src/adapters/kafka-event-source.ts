import type { EventSource, Logger, TopicPartitionOffsets } from '../ports.ts';
import { type KafkaClient, withAdmin, withCluster } from './kafka-client.ts';
import { withKafkaFaults } from './kafka-faults.ts';
import { readWithConsumer } from './kafka-read.ts';

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
  const found = await withAdmin(kafka, (admin) =>
    withKafkaFaults({ brokers: kafka.brokers, facts: { topic } }, () =>
      admin.fetchTopicOffsets(topic),
    ),
  );
  return found
    .map(({ partition, low, high }) => ({ topic, partition, offsetStart: low, offsetEnd: high }))
    .sort((left, right) => left.partition - right.partition);
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
