import type { Broker, Cluster } from 'kafkajs';
import type { TopicPartition } from '../ports.ts';

/*
 * The id that Kafka gives a topic when it is made (KIP-516): one that was deleted and made again under
 * its old name has another. kafkajs asks for metadata in layouts that know no ids, so the request is
 * made here and sent by its broker (Kafka protocol guide, "Metadata API", version 10).
 */

/* What kafkajs has inside: a broker looks up how to ask for something, and knows what Kafka offers. */
type BrokerInside = {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  readonly metadata: (topics: readonly string[]) => Promise<string | null>;
};

const metadataKey = 3;
const metadataVersion = 10;
const noId = '00000000-0000-0000-0000-000000000000';

/** As this broker knows it; `null` where it knows no such topic, or is too old for ids. */
export async function topicIdOf(broker: Broker, topic: string): Promise<string | null> {
  const { versions } = broker as unknown as BrokerInside;
  if ((versions?.[metadataKey]?.maxVersion ?? 0) < metadataVersion) return null;
  const protocol = { request: requestFor(topic), response: { decode, parse } };
  const asking = Object.create(broker, {
    lookupRequest: { value: () => () => protocol },
  }) as BrokerInside;
  return asking.metadata([topic]);
}

/**
 * As the leader of a topic partition knows it now, over a cluster that is connected for something else;
 * whoever needs to know why there is no answer asks otherwise.
 */
export async function topicIdOver(
  cluster: Cluster | null,
  { topic, partition }: TopicPartition,
): Promise<string | null> {
  if (cluster === null) return null;
  try {
    const [nodeId = ''] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    return await topicIdOf(await cluster.findBroker({ nodeId }), topic);
  } catch {
    // What else the cluster is for finds out by itself what has become of its connection.
    return null;
  }
}

function requestFor(topic: string): object {
  const body = encodeRequest(topic);
  return {
    apiKey: metadataKey,
    apiVersion: metadataVersion,
    apiName: 'Metadata',
    // kafkajs takes an encoder, of which it reads no more than this.
    encode: async () => ({ buf: body, buffer: body }),
  };
}

/** Lengths of a compact layout count one more, in one byte up to 127. Names have up to 249 bytes. */
function encodeRequest(topic: string): Buffer {
  const name = Buffer.from(topic);
  const oneTopic = 2;
  const noTags = 0;
  return Buffer.concat([
    Buffer.from([noTags, oneTopic]),
    Buffer.alloc(16),
    unsignedVarint(name.byteLength + 1),
    name,
    // Tags of the topic, then: make no topic, tell no operations, and tags of the request.
    Buffer.from([noTags, 0, 0, 0, noTags]),
  ]);
}

function unsignedVarint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >> 7]);
}

type Answer = { readonly clientSideThrottleTime: number; readonly topicId: string | null };

/** Of one topic; what follows its id is not read. */
async function decode(raw: Buffer): Promise<Answer> {
  let at = 1; // Tags of the header, of which there are none.
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = raw.readUInt8(at);
      at += 1;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const skip = (bytes: number): void => void (at += bytes);
  const skipText = (): void => skip(Math.max(0, varint() - 1));
  const skipTags = (): void => {
    for (let left = varint(); left > 0; left -= 1) {
      varint();
      skip(varint());
    }
  };
  const clientSideThrottleTime = raw.readInt32BE(at);
  skip(4);
  for (let brokers = varint() - 1; brokers > 0; brokers -= 1) {
    skip(4); // Its number.
    skipText();
    skip(4); // Its port.
    skipText();
    skipTags();
  }
  skipText(); // The id of the cluster.
  skip(4); // The controller.
  if (varint() < 2) return { clientSideThrottleTime, topicId: null };
  const errorCode = raw.readInt16BE(at);
  skip(2);
  skipText();
  const hex = raw.toString('hex', at, at + 16);
  const topicId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { clientSideThrottleTime, topicId: errorCode !== 0 || topicId === noId ? null : topicId };
}

async function parse({ topicId }: Answer): Promise<string | null> {
  return topicId;
}
