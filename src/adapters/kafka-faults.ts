import { type ErrorFacts, IngotError } from '../errors.ts';

export type KafkaCall = {
  readonly brokers: readonly string[];
  /** What was asked for, such as the topic. */
  readonly facts?: ErrorFacts;
};

/**
 * Runs calls of kafkajs. A broker that cannot be reached or cannot answer now becomes
 * `PART_UNREACHABLE`, an unknown topic `TOPIC_MISSING`, a refused login `CONFIG_INVALID`; any other
 * error passes as it is.
 */
export async function withKafkaFaults<T>(call: KafkaCall, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toKafkaFault(call, error);
  }
}

export function toKafkaFault(call: KafkaCall, error: unknown): unknown {
  if (error instanceof IngotError || !(error instanceof Error)) return error;
  const facts = { address: call.brokers.join(','), ...call.facts };
  const chain = chainOf(error);
  const found = <T>(of: (each: KafkaError) => T | undefined): T | undefined =>
    chain.map(of).find((each) => each !== undefined);

  if (kafkaErrorTypes(error).has('UNKNOWN_TOPIC_OR_PARTITION')) {
    return new IngotError('TOPIC_MISSING', 'Kafka does not know the topic or topic partition', {
      retryable: true,
      facts,
      cause: error,
    });
  }
  const refused = found((each) => (loginNames.has(each.name) ? each.message : undefined));
  if (refused !== undefined) {
    return new IngotError('CONFIG_INVALID', 'Kafka refuses the login', {
      retryable: false,
      facts: { ...facts, reason: refused },
      cause: error,
    });
  }
  const network = found((each) =>
    networkNames.has(each.name) ? (each.code ?? each.name) : undefined,
  );
  const passing = found((each) =>
    each.type !== undefined && each.retriable ? each.type : undefined,
  );
  const reason = network ?? passing;
  if (reason === undefined) return error;
  const sentence = network === undefined ? 'Kafka cannot answer now' : 'Kafka cannot be reached';
  return new IngotError('PART_UNREACHABLE', sentence, {
    retryable: true,
    facts: { ...facts, reason: String(reason) },
    cause: error,
  });
}

/** The protocol's names of what went wrong, such as `UNKNOWN_TOPIC_OR_PARTITION`. */
export function kafkaErrorTypes(error: unknown): ReadonlySet<string> {
  return new Set(chainOf(error).flatMap(({ type }) => (type === undefined ? [] : [type])));
}

type KafkaError = Error & {
  readonly type?: string;
  readonly code?: string | number;
  readonly retriable?: boolean;
  readonly errors?: readonly unknown[];
};

const networkNames = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
]);

const loginNames = new Set(['KafkaJSSASLAuthenticationError']);

const causesMax = 10;

/** The error and what caused it, from the outside in: kafkajs wraps what it gave up retrying. */
function chainOf(error: unknown, depth = 0): readonly KafkaError[] {
  if (!(error instanceof Error) || depth === causesMax) return [];
  const { errors = [], cause } = error as KafkaError;
  return [error, ...[...errors, cause].flatMap((each) => chainOf(each, depth + 1))];
}

/** Whether nobody answers, so that there is no use in asking for more. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof IngotError && error.code === 'PART_UNREACHABLE';
}
