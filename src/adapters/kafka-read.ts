import assert from 'node:assert';
import type { Cluster, Consumer, EachBatchPayload } from 'kafkajs';
import { IngotError, messageOf } from '../errors.ts';
import type { Logger, ReadOptions, TopicPartition, TopicPartitionOffsets } from '../ports.ts';
import { positionLost, topicMissing } from './event-source-faults.ts';
import { type KafkaClient, withAdmin } from './kafka-client.ts';
import { awaitCoordinator, type OpenConsumer, openConsumer } from './kafka-consumer.ts';
import { createCursor, type Cursor } from './kafka-cursor.ts';
import { type FetchFault, recordsBehind } from './kafka-fetch-check.ts';
import { isUnreachable, toKafkaFault } from './kafka-faults.ts';
import { topicIdOver } from './kafka-topic-id.ts';

/*
 * One read of topic partitions from exact offsets. kafkajs has no manual assignment, so each read
 * is the only member of a consumer group of its own, which commits nothing and is deleted at the
 * end.
 */

export type ReadSetting = {
  readonly kafka: KafkaClient;
  readonly logger: Logger;
  readonly uniqueId: () => string;
  readonly describeTopic: (topic: string) => Promise<readonly TopicPartitionOffsets[]>;
};

/** Why a read ends. The first reason counts. */
type End =
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'outOfRange'; readonly where: TopicPartition };

/** What a read knows of itself while it runs. */
type Reading = {
  readonly brokers: readonly string[];
  readonly cursors: ReadonlyMap<string, Cursor>;
  readonly end: (end: End) => void;
  readonly ended: Promise<End>;
  readonly isOver: () => boolean;
  /** An error of onFetched; it is told even when an abort came first. */
  failure: { readonly error: unknown } | null;
  handingOn: number;
  silentTicks: number;
  beat: () => Promise<void>;
  /** Topic partitions that are read no more; kafkajs is told so. */
  readonly resting: Set<string>;
  pause: (where: TopicPartition) => void;
  /** `null` before it is connected, and afterwards. */
  cluster: Cluster | null;
  readonly isWanted: (where: TopicPartition) => boolean;
  readonly onLost: ReadOptions['onLost'];
};

const tickMs = 1_000;
/** A reader that neither fetches nor hands on for so many ticks is given up. */
const silentTicksMax = 30;

export async function readWithConsumer(setting: ReadSetting, options: ReadOptions): Promise<void> {
  const { positions, signal } = options;
  if (signal.aborted) return;
  const reading = createReading(setting.kafka, options);
  const abort = (): void => reading.end({ kind: 'aborted' });
  signal.addEventListener('abort', abort, { once: true });
  const end =
    positions.length === 0 ? await reading.ended : await consume(setting, positions, reading);
  signal.removeEventListener('abort', abort);
  if (reading.failure !== null) throw reading.failure.error;
  if (end.kind === 'failed') throw end.error;
  if (end.kind === 'outOfRange') throw await describeLoss(setting, reading, end.where);
}

function createReading({ brokers }: KafkaClient, options: ReadOptions): Reading {
  const { positions, onFetched, onLost, isWanted = () => true } = options;
  let over = false;
  let settle: (end: End) => void = () => undefined;
  const ended = new Promise<End>((resolve) => {
    settle = resolve;
  });
  const isOver = (): boolean => over;
  const topicId = (where: TopicPartition) => topicIdOver(reading.cluster, where);
  const cursors = new Map(
    positions.map((position) => [
      keyOf(position),
      createCursor({ ...position, onFetched, isOver, topicId }),
    ]),
  );
  assert(cursors.size === positions.length, 'a topic partition is read from one position only');
  const end = (reason: End): void => {
    over = true;
    settle(reason);
  };
  const beat = async (): Promise<void> => undefined;
  const counters = { failure: null, handingOn: 0, silentTicks: 0, beat };
  const rests = { resting: new Set<string>(), pause: () => undefined, isWanted, onLost };
  const known = { brokers, cursors, ended, isOver, end, cluster: null };
  const reading: Reading = { ...known, ...counters, ...rests };
  return reading;
}

/** Reads until there is a reason to end. Afterwards nothing of it runs or is connected. */
async function consume(
  setting: ReadSetting,
  topicPartitions: readonly TopicPartition[],
  reading: Reading,
): Promise<End> {
  const { kafka, logger, uniqueId } = setting;
  const open = openConsumer({
    kafka,
    group: `ingot-read-${uniqueId()}`,
    topicPartitions,
    onOutOfRange: (where) => reading.end({ kind: 'outOfRange', where }),
    onFault: (fault) => lose(setting, reading, fault),
  });
  reading.pause = ({ topic, partition }) =>
    open.consumer.pause([{ topic, partitions: [partition] }]);
  reading.cluster = open.cluster;
  listen(open.consumer, reading, logger);
  const ticking = setInterval(() => tick(reading), tickMs);
  try {
    await start(setting, open, topicPartitions, reading);
  } catch (error) {
    reading.end({ kind: 'failed', error: toKafkaFault({ brokers: kafka.brokers }, error) });
  }
  const end = await reading.ended;
  reading.cluster = null;
  clearInterval(ticking);
  // Neither may hide why the read has ended, and Kafka itself forgets a group without offsets.
  try {
    await open.consumer.disconnect();
    if (end.kind !== 'failed' || !isUnreachable(end.error))
      await withAdmin(kafka, (admin) => admin.deleteGroups([open.group]));
  } catch (error) {
    logger.debug({ group: open.group, error: messageOf(error) }, 'a consumer group is left behind');
  }
  // kafkajs has waited for eachBatch, but knows nothing of the calls without records.
  await Promise.all([...reading.cursors.values()].map((cursor) => cursor.idle()));
  return end;
}

function listen(consumer: Consumer, reading: Reading, logger: Logger): void {
  const { GROUP_JOIN, FETCH_START, FETCH, END_BATCH_PROCESS, CRASH } = consumer.events;
  const forget = consumer.on(FETCH_START, () => {
    forget();
    logger.debug({ topicPartitions: [...reading.cursors.keys()] }, 'the first fetch begins');
  });
  // kafkajs forgets its positions whenever it joins. The event comes before the next fetch.
  consumer.on(GROUP_JOIN, () => {
    for (const [key, cursor] of reading.cursors) {
      consumer.seek({ ...topicPartitionOf(key), offset: cursor.position() });
    }
  });
  consumer.on(FETCH, () => {
    reading.silentTicks = 0;
  });
  // A batch whose records are all invisible (aborted, markers, compacted) never gets to eachBatch.
  consumer.on(END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize > 0) return;
    const offsetNext = BigInt(payload.lastOffset) + 1n;
    void handOn(reading, payload, (cursor) => cursor.passOver(offsetNext, payload.highWatermark));
  });
  consumer.on(CRASH, ({ payload }) => {
    const error = toKafkaFault({ brokers: reading.brokers }, payload.error);
    reading.end({ kind: 'failed', error });
  });
}

async function start(
  setting: ReadSetting,
  { consumer, cluster }: OpenConsumer,
  topicPartitions: readonly TopicPartition[],
  reading: Reading,
): Promise<void> {
  await consumer.connect();
  if (reading.isOver()) return;
  const topics = [...new Set(topicPartitions.map(({ topic }) => topic))];
  await consumer.subscribe({ topics, fromBeginning: true });
  for (const { topic, partition } of topicPartitions) {
    // kafkajs would wait for one that does not exist, without a word.
    const known = cluster.findTopicPartitionMetadata(topic);
    if (!known.some(({ partitionId }) => partitionId === partition)) {
      throw topicMissing({ topic, partition });
    }
  }
  await awaitCoordinator(consumer);
  if (reading.isOver()) return;
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: topicPartitions.length,
    eachBatch: (payload) => eachBatch(setting, reading, payload),
  });
}

/** Never throws: kafkajs would fetch the same again and call once more. */
async function eachBatch(
  setting: ReadSetting,
  reading: Reading,
  payload: EachBatchPayload,
): Promise<void> {
  const { batch } = payload;
  const last = batch.messages.at(-1);
  if (last === undefined) return;
  reading.beat = () => payload.heartbeat();
  try {
    await handOnParts(reading, batch);
  } catch (error) {
    if (!(error instanceof IngotError)) reading.end({ kind: 'failed', error });
    else lose(setting, reading, { kind: 'unreadable', where: batch, error });
  }
  // Resolving the last visible record also resolves what is invisible behind it.
  payload.resolveOffset(last.offset);
}

/** Throws what the records cannot be decoded by; those before it have been handed on. */
async function handOnParts(reading: Reading, batch: EachBatchPayload['batch']): Promise<void> {
  const { highWatermark } = batch;
  for await (const part of recordsBehind(batch)) {
    if (reading.isOver() || reading.resting.has(keyOf(batch))) return;
    await handOn(reading, batch, (cursor) => cursor.deliver({ ...part, highWatermark }));
  }
}

async function handOn(
  reading: Reading,
  where: TopicPartition,
  step: (cursor: Cursor) => Promise<void>,
): Promise<void> {
  const cursor = reading.cursors.get(keyOf(where));
  assert(cursor !== undefined, 'kafkajs fetches what was assigned');
  if (reading.isOver() || reading.resting.has(keyOf(where))) return;
  reading.handingOn += 1;
  try {
    await step(cursor);
  } catch (error) {
    reading.failure ??= { error };
    reading.end({ kind: 'failed', error });
  } finally {
    reading.handingOn -= 1;
  }
}

function tick(reading: Reading): void {
  if (reading.isOver()) return;
  for (const key of reading.cursors.keys()) {
    if (!reading.isWanted(topicPartitionOf(key))) rest(reading, key);
  }
  // kafkajs sends heartbeats only between batches. One that fails here fails there again.
  reading.beat().catch(() => undefined);
  // Ticks are counted, not the clock, so that a process that was stopped for a while may go on.
  const isQuiet = reading.handingOn > 0 || reading.resting.size === reading.cursors.size;
  reading.silentTicks = isQuiet ? 0 : reading.silentTicks + 1;
  if (reading.silentTicks < silentTicksMax) return;
  const fault = new IngotError('PART_UNREACHABLE', 'Kafka has not answered a fetch for too long', {
    retryable: true,
    facts: { address: reading.brokers.join(','), waitedMs: silentTicksMax * tickMs },
  });
  reading.end({ kind: 'failed', error: fault });
}

/** Reads a topic partition no more, while the others go on. */
function rest(reading: Reading, key: string): boolean {
  if (reading.resting.has(key)) return false;
  reading.resting.add(key);
  reading.pause(topicPartitionOf(key));
  return true;
}

/** Without anybody to tell, the read ends with what one topic partition is lost by. */
function lose(setting: ReadSetting, reading: Reading, fault: FetchFault): void {
  const { where } = fault;
  const { onLost } = reading;
  if (reading.isOver() || !rest(reading, keyOf(where))) return;
  if (onLost === undefined) {
    const isUnreadable = fault.kind === 'unreadable';
    return reading.end(isUnreadable ? { kind: 'failed', error: fault.error } : fault);
  }
  if (fault.kind === 'unreadable') return onLost(where, fault.error);
  describeLoss(setting, reading, where).then(
    (error) => onLost(where, error),
    (error: unknown) => reading.end({ kind: 'failed', error }),
  );
}

async function describeLoss(setting: ReadSetting, reading: Reading, where: TopicPartition) {
  const wanted = reading.cursors.get(keyOf(where))?.position() ?? '';
  const found = await setting.describeTopic(where.topic);
  return positionLost(
    wanted,
    found.find(({ partition }) => partition === where.partition) ?? where,
  );
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** A topic name has no slash. */
function topicPartitionOf(key: string): TopicPartition {
  const [topic = '', partition] = key.split('/');
  return { topic, partition: Number(partition) };
}
