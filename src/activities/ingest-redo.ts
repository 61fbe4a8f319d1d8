import { IngotError } from '../errors.ts';
import { rawKey } from '../lake/paths.ts';
import { type PlanEntry, decideRedo, isAnotherTopic } from '../lake/source-log.ts';
import type { Ports, SourceRecord, TopicPartitionOffsets } from '../ports.ts';
import { decodeRaw } from './batch-records.ts';
import { assertSameTopic } from './ingest-continuity.ts';

/* Reading the records of a plan again, to finish what another writer began. */

export type RedoDeps = {
  readonly ports: Pick<Ports, 'objects' | 'source'>;
  readonly dataset: { readonly name: string };
  readonly signal: AbortSignal;
};

/**
 * The records of the range of a plan: from the raw copy where it was written, for then it is what the
 * first writer saw, whatever Kafka has compacted or dropped since; else from Kafka. `OFFSETS_LOST` or
 * `TOPIC_CHANGED` when neither has them.
 */
export async function readPlannedRecords(
  deps: RedoDeps,
  plan: PlanEntry,
  offsets: TopicPartitionOffsets,
): Promise<readonly SourceRecord[]> {
  const raw = await readRawCopy(deps, plan);
  if (raw !== null) return raw;
  const redo = decideRedo(plan, offsets);
  if (redo === 'read') {
    const records = await readRange(deps, plan);
    await assertSameTopic(deps.ports, { ...plan, state: plan.before });
    return records;
  }
  throw new IngotError(
    redo === 'offsetsLost' ? 'OFFSETS_LOST' : 'TOPIC_CHANGED',
    'an open plan names records that Kafka no longer has',
    {
      retryable: false,
      facts: {
        topic: plan.topic,
        partition: plan.partition,
        wanted: `${plan.offsetFirst}..${plan.offsetEnd}`,
        offsetStart: offsets.offsetStart,
        offsetEnd: offsets.offsetEnd,
      },
    },
  );
}

/**
 * The records of the range of a plan that still are somewhere: for a person who has decided to go on
 * without the others. `offsets` null: Kafka has another topic now.
 */
export async function readWhatIsLeft(
  deps: RedoDeps,
  plan: PlanEntry,
  offsets: TopicPartitionOffsets | null,
): Promise<readonly SourceRecord[]> {
  const raw = await readRawCopy(deps, plan);
  if (raw !== null) return raw;
  if (offsets === null || isAnotherTopic(plan.before, offsets)) return [];
  const { offsetStart, offsetEnd } = offsets;
  const first = BigInt(offsetStart) > BigInt(plan.offsetFirst) ? offsetStart : plan.offsetFirst;
  const isThere = BigInt(offsetEnd) >= BigInt(plan.offsetEnd);
  return isThere ? readRange(deps, { ...plan, offsetFirst: first }) : [];
}

/** Ends when the position reaches the end, also through ranges without visible records. */
async function readRange(deps: RedoDeps, plan: PlanEntry): Promise<readonly SourceRecord[]> {
  const { topic, partition, offsetFirst, offsetEnd } = plan;
  const end = BigInt(offsetEnd);
  if (BigInt(offsetFirst) >= end) return [];
  const done = new AbortController();
  const records: SourceRecord[] = [];
  await deps.ports.source.read({
    positions: [{ topic, partition, offset: offsetFirst }],
    signal: AbortSignal.any([done.signal, deps.signal]),
    onFetched: async (fetched) => {
      records.push(...fetched.records.filter(({ offset }) => BigInt(offset) < end));
      if (BigInt(fetched.offsetNext) >= end) done.abort();
    },
  });
  if (!done.signal.aborted) deps.signal.throwIfAborted();
  return records;
}

/** `null` where there is none. */
async function readRawCopy(
  { ports, dataset }: RedoDeps,
  plan: PlanEntry,
): Promise<readonly SourceRecord[] | null> {
  if (!plan.rawCopy) return null;
  const place = {
    dataset: dataset.name,
    log: plan.log,
    number: plan.number,
    ingestTimeMs: Date.parse(plan.ingestTime),
  };
  const raw = await ports.objects.readObject(rawKey(place));
  return raw === null ? null : decodeRaw(raw.bytes);
}
