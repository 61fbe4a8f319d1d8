import { IngotError } from '../errors.ts';
import { gapEntry } from '../lake/batch.ts';
import type { AcceptGapInput, AcceptedGap } from '../lake/messages.ts';
import { parseLogName } from '../lake/paths.ts';
import {
  type GapEntry,
  type LogState,
  type PlanEntry,
  decideTakeover,
  topicOf,
} from '../lake/source-log.ts';
import type { TopicPartitionOffsets } from '../ports.ts';
import { contentOfRecords } from './batch-content.ts';
import { readWhatIsLeft } from './ingest-redo.ts';
import { type WriterDeps, writeAndSeal } from './ingest-writer.ts';
import { appendEntry } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/*
 * Going on after a hole. Ingest never skips what Kafka has lost; a person may decide to, and then
 * the log itself says so, who decided it and why.
 */

export type GapDeps = Omit<WriterDeps, 'writer' | 'signal'>;

export type GapActivities = {
  acceptGap(input: AcceptGapInput): Promise<AcceptedGap>;
};

export function createGapActivities(deps: GapDeps): GapActivities {
  return { acceptGap: (input) => acceptGap(deps, input) };
}

async function acceptGap(deps: GapDeps, input: AcceptGapInput): Promise<AcceptedGap> {
  const { objects, now } = deps.ports;
  const { log, code, author, reason, id } = input;
  const writer = `gap/${id}`;
  const tail = await readTail(objects, { dataset: deps.dataset.name, log });
  // The answer to this very request may have been lost.
  if (tail.entry?.kind === 'gap' && tail.entry.writer === writer) return answerOf(tail.entry);
  const offsets = await describe(deps, log);
  const decision = decideTakeover(tail);
  if (decision.kind === 'finishPlan') {
    await finishWithWhatIsLeft({ ...deps, writer }, decision.plan, { code, offsets });
    return acceptGap(deps, input);
  }
  const { state, number } = decision;
  // The range of a plan that this request has sealed with what was left is part of the hole.
  const sealed = tail.seal?.seal.writer === writer ? tail.seal.seal : null;
  if (sealed === null && code !== 'TOPIC_CHANGED' && !isLost(state, offsets)) {
    throw noGap(log, state, offsets);
  }
  const entry = gapEntry({
    log,
    number,
    writer,
    nowMs: now(),
    before: state,
    code,
    offsetFirst: sealed?.offsetFirst ?? state.offsetNext ?? offsets.offsetStart,
    offsetNext: goesOnAt(code, state, offsets),
    author,
    reason,
    // Whoever accepts that offsets are lost has not accepted another topic.
    ...(code === 'TOPIC_CHANGED' ? topicOf(offsets) : {}),
  });
  if ((await appendEntry(objects, deps.dataset.name, entry)) === 'appended') return answerOf(entry);
  throw new IngotError('WRITER_REPLACED', 'another writer has taken this source log over', {
    retryable: true,
    facts: { log, number },
  });
}

/**
 * An open plan is sealed with the records of its range that still are somewhere, if any. Of a topic
 * that is another one now, they are in the raw copy or nowhere.
 */
async function finishWithWhatIsLeft(
  deps: Omit<WriterDeps, 'signal'>,
  plan: PlanEntry,
  { code, offsets }: { readonly code: string; readonly offsets: TopicPartitionOffsets },
): Promise<void> {
  const { signal } = new AbortController();
  const inKafka = code === 'TOPIC_CHANGED' ? null : offsets;
  const records = await readWhatIsLeft({ ...deps, signal }, plan, inKafka);
  const content = contentOfRecords({ dataset: deps.dataset, bronze: deps.ports.bronze }, records);
  await writeAndSeal(deps, plan, content);
}

function isLost({ offsetNext }: LogState, { offsetStart }: TopicPartitionOffsets): boolean {
  return offsetNext !== null && BigInt(offsetStart) > BigInt(offsetNext);
}

function goesOnAt(code: string, state: LogState, offsets: TopicPartitionOffsets): string {
  const { offsetStart } = offsets;
  if (code === 'TOPIC_CHANGED' || state.offsetNext === null) return offsetStart;
  return isLost(state, offsets) ? offsetStart : state.offsetNext;
}

async function describe({ ports }: GapDeps, log: string): Promise<TopicPartitionOffsets> {
  const { topic, partition } = parseLogName(log);
  const all = await ports.source.describeTopic(topic);
  const found = all.find((each) => each.partition === partition);
  if (found !== undefined) return found;
  throw new IngotError('TOPIC_MISSING', 'the topic has no such topic partition', {
    retryable: false,
    facts: { topic, partition },
  });
}

function noGap(log: string, state: LogState, offsets: TopicPartitionOffsets): IngotError {
  const { offsetStart, offsetEnd } = offsets;
  return new IngotError('INPUT_INVALID', 'there is no hole: Kafka has what the log needs next', {
    retryable: false,
    facts: { log, wanted: state.offsetNext, offsetStart, offsetEnd },
  });
}

function answerOf({ log, number, offsetFirst, offsetEnd }: GapEntry): AcceptedGap {
  return { log, number, offsetFirst, offsetNext: offsetEnd };
}
