import type { Broker, Cluster } from 'kafkajs';
import { IngotError } from '../errors.ts';
import { checkFetchResponse, explainDecodeError } from './kafka-batches.ts';

/* What kafkajs has inside: a broker looks up how to ask for something, and how to read the answer. */
type Protocol = {
  readonly request: { readonly apiVersion: number };
  readonly response: { readonly decode: (raw: Buffer) => Promise<unknown> };
};
type Lookup = (apiKey: number, definition: unknown) => (...args: unknown[]) => Protocol;
type BrokerInside = Broker & { lookupRequest: Lookup };

const fetchKey = 1;

/**
 * Makes every fetch of the cluster look at the record batches before kafkajs decodes them. One that
 * nobody can read is told to `onUnreadable`, and the consumer crashes without trying again.
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
      const decode = async (raw: Buffer): Promise<unknown> => {
        try {
          return await checkedDecode(response, raw, request.apiVersion);
        } catch (error) {
          if (error instanceof IngotError) onUnreadable(error);
          throw Object.assign(error as Error, { retriable: false });
        }
      };
      return { ...others, request, response: { ...response, decode } };
    };
  };
}

async function checkedDecode(
  { decode }: Protocol['response'],
  raw: Buffer,
  apiVersion: number,
): Promise<unknown> {
  checkFetchResponse(raw, apiVersion);
  try {
    return await decode(raw);
  } catch (error) {
    throw await explainDecodeError(raw, apiVersion, error);
  }
}
