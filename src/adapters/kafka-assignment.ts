import { AssignerProtocol, type Broker, type Cluster, type PartitionAssigner } from 'kafkajs';
import type { TopicPartition } from '../ports.ts';

const name = 'IngotFixed';
const version = 1;

/**
 * kafkajs reads only what a group assigns. This assigner gives exactly these topic partitions to the
 * first member, which is the only one, because no other consumer knows the group.
 */
export function assignExactly(
  topicPartitions: readonly TopicPartition[],
  onCluster: (cluster: Cluster) => void,
): PartitionAssigner {
  const assignment = byTopic(topicPartitions);
  const noData = Buffer.alloc(0);
  return ({ cluster }) => {
    onCluster(cluster);
    return {
      name,
      version,
      assign: async ({ members }) =>
        members.map(({ memberId }, index) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version,
            assignment: index === 0 ? assignment : {},
            userData: noData,
          }),
        })),
      protocol: ({ topics }) => ({
        name,
        metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: noData }),
      }),
    };
  };
}

function byTopic(topicPartitions: readonly TopicPartition[]): Record<string, number[]> {
  const topics = [...new Set(topicPartitions.map(({ topic }) => topic))];
  return Object.fromEntries(
    topics.map((topic) => [
      topic,
      topicPartitions.filter((each) => each.topic === topic).map(({ partition }) => partition),
    ]),
  );
}

/**
 * Makes a consumer unable to commit. With auto-commit off kafkajs commits in one case only: an
 * offset is out of range, and it is about to go on from the earliest or latest one without a word
 * (`ConsumerGroup.recoverFromOffsetOutOfRange`). Here that attempt is told to `onReset`, and fails
 * with an error that kafkajs does not retry.
 */
export function forbidResets(cluster: Cluster, onReset: (where: TopicPartition) => void): void {
  const findBroker = cluster.findBroker.bind(cluster);
  const offsetCommit: Broker['offsetCommit'] = async ({ topics }) => {
    for (const { topic, partitions } of topics) {
      for (const { partition } of partitions) onReset({ topic, partition });
    }
    throw Object.assign(new Error('an offset is out of range'), { retriable: false });
  };
  // Every broker that a consumer talks to, its group coordinator included, comes from here.
  cluster.findBroker = async (node) => Object.assign(await findBroker(node), { offsetCommit });
}
