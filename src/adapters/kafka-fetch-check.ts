import type { Broker, Cluster, KafkaMessage } from 'kafkajs';
import { IngotError } from '../errors.ts';
import type { SourceRecord } from '../ports.ts';
import { hasBatches } from './kafka-batches.ts';
import { type RecordSet, recordSetsOf, withoutRecords } from './kafka-record-sets.ts';
import { decodeRecordSet } from './kafka-records.ts';

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
type StandIn = KafkaMessage & { readonly records: readonly SourceRecord[] };

/** The records for which the messages of a batch stand; `null` when kafkajs has decoded them. */
export function recordsBehind(messages: readonly KafkaMessage[]): readonly SourceRecord[] | null {
  const last = messages.at(-1) as Partial<StandIn> | undefined;
  return last?.records ?? null;
}

/**
 * Makes every fetch of the cluster decode its records here, and not in kafkajs. What nobody can read
 * is told to `onUnreadable`, and the consumer crashes without trying again.
 */
export function checkFetches(cluster: Cluster, onUnreadable: (error: IngotError) => void): void {
  const findBroker = cluster.findBroker.bind(cluster);
  const checked = new WeakSet<Lookup>();
  cluster.findBroker = async (node) => {
    const broker = await findBroker(node);
    // A broker has a new lookup after each time that it has connected.
    const { lookupRequest } = broker as unknown as BrokerInside;
    if (checked.has(lookupRequest)) return broker;
    const lookup = checkedLookup(lookupRequest, onUnreadable);
    checked.add(lookup);
    return Object.assign(broker, { lookupRequest: lookup });
  };
}

function checkedLookup(lookup: Lookup, onUnreadable: (error: IngotError) => void): Lookup {
  return (apiKey, definition) => {
    const protocol = lookup(apiKey, definition);
    if (apiKey !== fetchKey) return protocol;
    return (...args) => {
      const { request, response, ...others } = protocol(...args);
      const decode = async (raw: Buffer): Promise<FetchResponse> => {
        try {
          return await decodeFetch(response, raw, request.apiVersion);
        } catch (error) {
          if (error instanceof IngotError) onUnreadable(error);
          throw Object.assign(error as Error, { retriable: false });
        }
      };
      return { ...others, request, response: { ...response, decode } };
    };
  };
}

/** kafkajs decodes the response without its records, and gets stand-ins for them. */
export async function decodeFetch(
  { decode }: Protocol['response'],
  raw: Buffer,
  apiVersion: number,
): Promise<FetchResponse> {
  const sets = recordSetsOf(raw, apiVersion);
  if (!sets.every(hasBatches)) return decode(raw);
  const response = await decode(withoutRecords(raw, sets));
  const partitions = response.responses.flatMap((topic) => topic.partitions);
  for (const [index, set] of sets.entries()) {
    partitions[index]!.messages = [...(await standInsFor(set))];
  }
  return response;
}

/**
 * One message at the offset of the last record, visible or not: from there kafkajs fetches on. A
 * fetch without a visible record looks to it like one of control records alone, which it skips.
 */
async function standInsFor(set: RecordSet): Promise<readonly object[]> {
  const { records, lastOffset } = await decodeRecordSet(set);
  if (lastOffset === null) return [];
  return [
    {
      key: null,
      value: null,
      timestamp: '0',
      attributes: 0,
      offset: lastOffset.toString(),
      isControlRecord: records.length === 0,
      batchContext: { producerId: '-1', inTransaction: false },
      records,
    },
  ];
}
