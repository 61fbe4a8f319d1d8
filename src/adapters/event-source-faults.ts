import { IngotError } from '../errors.ts';
import type { TopicPartition, TopicPartitionOffsets } from '../ports.ts';

/**
 * The fault of a position that Kafka does not have. Where its records do not begin behind it they end
 * before it, or did so when Kafka was asked for it: nothing but another topic, or a log that has lost
 * its end, is ever shorter than what was read of it.
 */
export function positionLost(
  wanted: string,
  where: TopicPartition & Partial<TopicPartitionOffsets>,
): IngotError {
  const { topic, partition, offsetStart = null, offsetEnd = null } = where;
  const facts = { topic, partition, wanted, offsetStart, offsetEnd };
  const isBehind = offsetStart !== null && BigInt(offsetStart) > BigInt(wanted);
  return isBehind
    ? new IngotError('OFFSETS_LOST', 'Kafka has dropped the wanted offset', {
        retryable: false,
        facts,
      })
    : new IngotError('TOPIC_CHANGED', 'the topic ends before the wanted offset', {
        retryable: false,
        facts,
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
