import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { withLeaders } from '../../src/adapters/kafka-client.ts';

/** Leaders that answer a fault so many times, and how often the metadata was asked for anew. */
function leaders(fault: string, times: number) {
  let asked = 0;
  let refreshed = 0;
  const cluster = { refreshMetadata: async () => void (refreshed += 1) };
  const ask = async (): Promise<string> => {
    asked += 1;
    if (asked > times) return 'the offsets';
    throw new kafkajs.KafkaJSProtocolError(Object.assign(new Error(fault), { type: fault }));
  };
  return { cluster, ask, counts: () => ({ asked, refreshed }) };
}

describe('withLeaders', () => {
  it('asks again with new metadata while leaders change', async () => {
    const { cluster, ask, counts } = leaders('NOT_LEADER_FOR_PARTITION', 2);

    assert.equal(await withLeaders(cluster, ask, 1), 'the offsets');
    assert.deepEqual(counts(), { asked: 3, refreshed: 2 });
  });

  it('gives up after a few times', async () => {
    const { cluster, ask, counts } = leaders('LEADER_NOT_AVAILABLE', Infinity);

    await assert.rejects(withLeaders(cluster, ask, 1), { type: 'LEADER_NOT_AVAILABLE' });
    assert.deepEqual(counts(), { asked: 4, refreshed: 3 });
  });

  it('does not ask again for any other fault', async () => {
    const { cluster, ask, counts } = leaders('TOPIC_AUTHORIZATION_FAILED', 1);

    await assert.rejects(withLeaders(cluster, ask, 1), { type: 'TOPIC_AUTHORIZATION_FAILED' });
    assert.deepEqual(counts(), { asked: 1, refreshed: 0 });
  });
});
