import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createKafka, withAdmin, withCluster } from '../../src/adapters/kafka-client.ts';
import { createKafkaEventSource } from '../../src/adapters/kafka-event-source.ts';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import type { Fetched } from '../../src/ports.ts';
import { silentLogger } from '../../src/workers/logger.ts';
import { describeEventSource } from '../support/contracts/event-source.ts';
import { collect, offsetsOf, positionsFrom, readUntil } from '../support/event-source-reading.ts';
import { openTestKafka, type TestKafka } from '../support/kafka.ts';

const config = loadConfig(process.env);
const options = { logger: silentLogger, uniqueId: randomUUID };

describeEventSource('Kafka', async () => {
  const opened = await openTestKafka(config);
  const groups: string[] = [];
  return {
    source: createKafkaEventSource({ ...options, kafka: opened.kafka }),
    createTopic: opened.createTopic,
    append: opened.append,
    appendInvisible: opened.appendAborted,
    deleteBefore: opened.deleteBefore,
    recreateTopic: (topic) => opened.recreateTopic(topic, 1),
    committedOffsets: async (group) => {
      groups.push(group);
      const found = await opened.admin.fetchOffsets({ groupId: group });
      return found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => ({ topic, partition, offset })),
      );
    },
    close: async () => {
      await opened.admin.deleteGroups(groups);
      await opened.close();
    },
  };
});

describe('createKafkaEventSource', function () {
  this.timeout(90_000);
  let opened: TestKafka;
  const source = () => createKafkaEventSource({ ...options, kafka: opened.kafka });
  before(async () => {
    opened = await openTestKafka(config);
  });
  after(() => opened.close());

  it('leaves no consumer group, connection or timer behind', async () => {
    const topic = await opened.createTopic(1);
    await opened.append(topic, 0, [{ value: 'a' }]);
    const own = createKafkaEventSource({
      ...options,
      kafka: opened.kafka,
      uniqueId: () => `behind-${topic}`,
    });
    const counted = () => {
      const names = process.getActiveResourcesInfo();
      return ['TCPSocketWrap', 'Timeout'].map((name) => names.filter((n) => n === name).length);
    };
    const before = counted();
    await collect(own, positionsFrom(topic, 1, '0'));
    const boom = new Error('boom');
    await assert.rejects(
      collect(own, positionsFrom(topic, 1, '0'), undefined, async () => Promise.reject(boom)),
      (error) => error === boom,
    );
    // A socket that was ended is gone when its peer has answered; the limits of the test helper
    // are not counted, because they do not keep a process alive.
    for (let turn = 0; turn < 500; turn += 1) {
      if (counted().every((count, i) => count <= (before[i] ?? 0))) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(counted(), before);
    const { groups } = await opened.admin.listGroups();
    assert.deepEqual(
      groups.filter(({ groupId }) => groupId.includes(topic)),
      [],
    );
  });

  it('keeps its place when Kafka has put it out of its group', async () => {
    const topic = await opened.createTopic(2);
    await opened.append(topic, 0, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    const own = createKafkaEventSource({
      ...options,
      kafka: opened.kafka,
      uniqueId: () => `evicted-${topic}`,
    });
    const seen: Fetched[] = [];
    await readUntil(own, {
      positions: [
        { topic, partition: 0, offset: '1' },
        { topic, partition: 1, offset: '0' },
      ],
      until: (fetched) => offsetsOf(fetched, topic, 0).length >= 3,
      onFetched: async (fetched) => {
        seen.push(fetched);
        if (seen.length > 1) return;
        await evict(`ingot-read-evicted-${topic}`);
        await opened.append(topic, 0, [{ value: 'd' }]);
      },
    });
    assert.deepEqual(offsetsOf(seen, topic, 0), ['1', '2', '3']);
  });

  async function evict(group: string): Promise<void> {
    const { groups } = await opened.admin.describeGroups([group]);
    const memberId = groups[0]?.members[0]?.memberId ?? '';
    type Leaving = { leaveGroup(request: { groupId: string; memberId: string }): Promise<void> };
    await withCluster(opened.kafka, async (cluster) => {
      await cluster.refreshMetadata();
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      await (coordinator as unknown as Leaving).leaveGroup({ groupId: group, memberId });
    });
  }

  it('says PART_UNREACHABLE with the address within seconds when nothing listens', async () => {
    const nowhere = createKafkaEventSource({
      ...options,
      kafka: createKafka({ ...config, kafkaBrokers: ['127.0.0.1:1'] }, silentLogger),
    });
    const unreachable = (error: unknown): boolean => {
      assert.ok(error instanceof IngotError && error.retryable, String(error));
      assert.equal(
        error.message,
        'Kafka cannot be reached [address=127.0.0.1:1, reason=ECONNREFUSED]',
      );
      return true;
    };
    const position = { topic: 't', partition: 0, offset: '0' };
    await assert.rejects(nowhere.describeTopic('t'), unreachable);
    await assert.rejects(nowhere.publishPositions('g', [position]), unreachable);
    await assert.rejects(collect(nowhere, [position], []), unreachable);
  });

  it('reads what was written before and after a topic partition was added', async () => {
    const topic = await opened.createTopic(1);
    await opened.append(topic, 0, [{ value: 'a' }]);
    await withAdmin(opened.kafka, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
    );
    await opened.append(topic, 0, [{ value: 'b' }]);
    const fetched = await collect(source(), positionsFrom(topic, 2, '0'));
    assert.deepEqual(offsetsOf(fetched, topic, 0), ['0', '1']);
  });
});
