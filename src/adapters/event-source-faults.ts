import { IngotError } from '../errors.ts';
import type { TopicPartition, TopicPartitionOffsets } from '../ports.ts';

/** The fault of a position that Kafka no longer has, or does not have yet. */
export function offsetsLost(
  wanted: string,
  where: TopicPartition & Partial<TopicPartitionOffsets>,
): IngotError {
  const { topic, partition, offsetStart = null, offsetEnd = null } = where;
  return new IngotError('OFFSETS_LOST', 'the wanted offset is not in the topic partition', {
    retryable: false,
    facts: { topic, partition, wanted, offsetStart, offsetEnd },
  });
}

/** Retryable, since a topic may be created later. */
export function topicMissing(where: {
  readonly topic: string;
  readonly partition?: number;
}): IngotError {
  return new IngotError('TOPIC_MISSING', 'Kafka does not know the topic or topic partition', {
    retryable: true,
    facts: where,
  });
}
