import type { Broker, Cluster, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { IngotError } from '../errors.ts';
import type { TopicPartition } from '../ports.ts';
import { hasBatches } from './kafka-batches.ts';
import { recordOf } from './kafka-messages.ts';
import {
  type RecordSet,
  offsetOutOfRange,
  recordSetsOf,
  withoutRecords,
} from './kafka-record-sets.ts';
import { type RecordsPart, type VisibleSet, partsOf, visibleSetOf } from './kafka-records.ts';

/* What kafkajs has inside: a broker looks up how to ask for something, and how to read the answer. */
type Protocol = {
  readonly request: { readonly apiVersion: number };
  readonly response: { readonly decode: (raw: Buffer) => Promise<FetchResponse> };
};
type FetchResponse = {
  readonly responses: readonly { readonly partitions: readonly { messages: unknown[] }[] }[];
};
type Lookup = (apiKey: number, definition: unknown) => (...args: unknown[]) => Protocol;
type BrokerInside = Broker & { lookupRequest: Lookup };

const fetchKey = 1;

/** Stands in a batch of kafkajs for all records that a fetch brought of a topic partition. */
type StandIn = KafkaMessage & { readonly visible: VisibleSet };

/** The records of a batch: those that its message stands for, or those that kafkajs has decoded. */
export function recordsBehind(batch: Batch): AsyncIterable<RecordsPart> | readonly RecordsPart[] {
  const { visible } = (batch.messages.at(-1) ?? {}) as Partial<StandIn>;
  if (visible !== undefined) return partsOf(visible);
  return [{ records: batch.messages.map(recordOf), offsetNext: BigInt(batch.lastOffset()) + 1n }];
}

type Batch = Pick<EachBatchPayload['batch'], 'messages' | 'lastOffset'>;

/** What Kafka or its bytes say of one topic partition, while there may be nothing wrong with others. */
export type FetchFault =
  | { readonly kind: 'outOfRange'; readonly where: TopicPartition }
  | { readonly kind: 'unreadable'; readonly where: TopicPartition; readonly error: IngotError };

type OnFault = (fault: FetchFault) => void;

/**
 * Makes every fetch of the cluster decode its records here, and not in kafkajs. A topic partition that
 * cannot be read on is told to `onFault`, and kafkajs sees the others alone: it would reset the
 * offset, or fail the fetch of all of them.
 */
export function checkFetches(cluster: Cluster, onFault: OnFault): void {
  const findBroker = cluster.findBroker.bind(cluster);
  const checked = new WeakSet<Lookup>();
  cluster.findBroker = async (node) => {
    const broker = await findBroker(node);
    // A broker has a new lookup after each time that it has connected.
    const { lookupRequest } = broker as unknown as BrokerInside;
    if (checked.has(lookupRequest)) return broker;
    const lookup = checkedLookup(lookupRequest, onFault);
    checked.add(lookup);
    return Object.assign(broker, { lookupRequest: lookup });
  };
}

function checkedLookup(lookup: Lookup, onFault: OnFault): Lookup {
  return (apiKey, definition) => {
    const protocol = lookup(apiKey, definition);
    if (apiKey !== fetchKey) return protocol;
    return (...args) => {
      const { request, response, ...others } = protocol(...args);
      const decode = (raw: Buffer): Promise<FetchResponse> =>
        decodeFetch({ decode: response.decode, apiVersion: request.apiVersion, onFault }, raw);
      return { ...others, request, response: { ...response, decode } };
    };
  };
}

type FetchDecoder = {
  readonly decode: Protocol['response']['decode'];
  readonly apiVersion: number;
  readonly onFault: OnFault;
};

/** kafkajs decodes the response without its records, and gets stand-ins for them. */
export async function decodeFetch(
  { decode, apiVersion, onFault }: FetchDecoder,
  raw: Buffer,
): Promise<FetchResponse> {
  const sets = recordSetsOf(raw, apiVersion);
  const lost = sets.filter(({ errorCode }) => errorCode === offsetOutOfRange);
  for (const where of lost) onFault({ kind: 'outOfRange', where: placeOf(where) });
  if (!sets.every(hasBatches)) return decode(withoutRecords(raw, lost));
  const response = await decode(withoutRecords(raw, sets));
  const partitions = response.responses.flatMap((topic) => topic.partitions);
  for (const [index, set] of sets.entries()) {
    partitions[index]!.messages = [...(await standInsFor(set, onFault))];
  }
  return response;
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

async function standInsFor(set: RecordSet, onFault: OnFault): Promise<readonly object[]> {
  try {
    return standIns(await visibleSetOf(set));
  } catch (error) {
    if (!(error instanceof IngotError)) throw error;
    onFault({ kind: 'unreadable', where: placeOf(set), error });
    return [];
  }
}

/**
 * One message at the offset of the last record, visible or not: from there kafkajs fetches on. A
 * fetch without a visible record looks to it like one of control records alone, which it skips.
 */
function standIns(visible: VisibleSet): readonly object[] {
  const { batches, lastOffset } = visible;
  if (lastOffset === null) return [];
  return [
    {
      key: null,
      value: null,
      timestamp: '0',
      attributes: 0,
      offset: lastOffset.toString(),
      isControlRecord: batches.length === 0,
      batchContext: { producerId: '-1', inTransaction: false },
      visible,
    },
  ];
}
