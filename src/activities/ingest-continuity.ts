import { IngotError, messageOf } from '../errors.ts';
import type { LogStop } from '../lake/messages.ts';
import { type LastRecord, type LogState, decideGap, isAnotherTopic } from '../lake/source-log.ts';
import type {
  Fetched,
  Ports,
  SourceRecord,
  TopicPartition,
  TopicPartitionOffsets,
} from '../ports.ts';
import { sha256 } from './hash.ts';

/* Whether what Kafka gives goes on where the log ended: holes stop, records don't. */

export type Continuity =
  | { readonly kind: 'go'; readonly records: readonly SourceRecord[] }
  | { readonly kind: 'stop'; readonly stop: LogStop };

type SourcePorts = Pick<Ports, 'source'>;
type Place = TopicPartition & { readonly state: LogState };

export type Expectation = {
  readonly open: Place;
  /** The last sealed record, until Kafka has shown that it still has it. */
  readonly compare: LastRecord | null;
  readonly expected: string;
};

export async function checkContinuity(
  ports: SourcePorts,
  { open, compare, expected }: Expectation,
  fetched: Fetched,
): Promise<Continuity> {
  const first = fetched.records[0];
  if (first === undefined) return { kind: 'go', records: [] };
  if (compare !== null && first.offset === compare.offset) {
    if (sha256(first.value ?? new Uint8Array()) !== compare.digest) {
      return stop('TOPIC_CHANGED', 'the record at a sealed offset is another one now', open, {
        offset: compare.offset,
      });
    }
    return { kind: 'go', records: fetched.records.slice(1) };
  }
  if (first.offset === expected) return { kind: 'go', records: fetched.records };
  // Asked after the fetch, as decideGap wants it.
  const found = await describe(ports, open);
  if (found === null) {
    return stop('TOPIC_CHANGED', 'the topic has lost a topic partition', open, {
      wanted: expected,
    });
  }
  const { offsetStart } = found;
  const gap = decideGap({ expected, first: first.offset, offsetStart });
  const seen = { wanted: expected, found: first.offset, offsetStart };
  switch (gap) {
    case 'contiguous':
    case 'lawfulGap':
      return { kind: 'go', records: fetched.records };
    case 'offsetsLost':
      return stop('OFFSETS_LOST', 'Kafka dropped records before they were read', open, seen);
    case 'topicChanged':
      return stop('TOPIC_CHANGED', 'Kafka gave an offset that was already read', open, seen);
  }
}

/**
 * Throws `TOPIC_CHANGED` when the topic is not the one any more that the log was taken over for. Asked
 * behind a fetch: ids never come back, so what was fetched in between is of that one topic. A topic
 * that is gone, with none in its place, has given nothing wrong. The quick answer of that fetch counts
 * when it says that all is well.
 */
export async function assertSameTopic(
  ports: SourcePorts,
  place: Place,
  topicIdNow?: Fetched['topicIdNow'],
): Promise<void> {
  const { state } = place;
  if (state.topicId === undefined) return;
  if (topicIdNow !== undefined && (await topicIdNow()) === state.topicId) return;
  const found = await describe(ports, place);
  if (found === null || !isAnotherTopic(state, found)) return;
  throw topicChanged(state, found, state.offsetNext ?? '0');
}

export function topicChanged(
  state: LogState,
  found: TopicPartitionOffsets,
  wanted: string,
): IngotError {
  const { topic, partition, offsetStart, offsetEnd } = found;
  const sentence = isAnotherTopic(state, found)
    ? 'the topic was deleted and made again'
    : 'the topic ends before what was already read of it';
  return new IngotError('TOPIC_CHANGED', sentence, {
    retryable: false,
    facts: { topic, partition, wanted, offsetStart, offsetEnd },
  });
}

/** `null` when there is no such topic or topic partition. */
async function describe(
  { source }: SourcePorts,
  { topic, partition }: TopicPartition,
): Promise<TopicPartitionOffsets | null> {
  try {
    const all = await source.describeTopic(topic);
    return all.find((each) => each.partition === partition) ?? null;
  } catch (error) {
    if (error instanceof IngotError && error.code === 'TOPIC_MISSING') return null;
    throw error;
  }
}

function stop(
  code: 'OFFSETS_LOST' | 'TOPIC_CHANGED',
  sentence: string,
  { topic, partition }: TopicPartition,
  facts: Readonly<Record<string, string>>,
): Continuity {
  const error = new IngotError(code, sentence, {
    retryable: false,
    facts: { topic, partition, ...facts },
  });
  return { kind: 'stop', stop: { code, message: messageOf(error) } };
}
