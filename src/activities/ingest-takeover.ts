import { IngotError } from '../errors.ts';
import { takeoverEntry } from '../lake/batch.ts';
import { logName } from '../lake/paths.ts';
import {
  type LogState,
  type StartDecision,
  type TakeoverDecision,
  decideStart,
  decideTakeover,
  isAnotherTopic,
  topicOf,
} from '../lake/source-log.ts';
import type { TopicPartitionOffsets } from '../ports.ts';
import { contentOfRecords } from './batch-content.ts';
import { topicChanged } from './ingest-continuity.ts';
import { readPlannedRecords } from './ingest-redo.ts';
import { type OpenLog, type WriterDeps, replaced, writeAndSeal } from './ingest-writer.ts';
import { appendEntry } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/* Taking a source log over: what a writer does before anything else. */

export type Takeover = {
  readonly open: OpenLog;
  readonly start: StartDecision & { kind: 'start' };
};

/** Whoever writes the log now may go on meanwhile; more rounds than this is a fault. */
const takeoverRoundsMax = 20;

/**
 * Takes a log over: finishes an open plan, then appends a takeover entry. Throws `OFFSETS_LOST` or
 * `TOPIC_CHANGED` when Kafka no longer has what the log needs next, and `WRITER_REPLACED` when another
 * newcomer was faster: this one may have been asleep since, and be wanted no more.
 */
export async function takeOver(
  deps: WriterDeps,
  offsets: TopicPartitionOffsets,
): Promise<Takeover> {
  const { objects, now } = deps.ports;
  const { topic, partition } = offsets;
  const log = logName(topic, partition);
  const first = await readTail(objects, { dataset: deps.dataset.name, log });
  for (let round = 0; round < takeoverRoundsMax; round += 1) {
    const tail = round === 0 ? first : await readTail(objects, { dataset: deps.dataset.name, log });
    const by = tail.entry?.writer ?? null;
    if (by !== (first.entry?.writer ?? null)) throw replaced(deps, log, by);
    const decision = decideTakeover(tail);
    const known = await offsetsBehind(deps, decision, offsets);
    if (decision.kind === 'finishPlan') {
      const { plan } = decision;
      const records = await readPlannedRecords(deps, plan, known);
      const content = contentOfRecords({ ...deps, bronze: deps.ports.bronze }, records);
      await writeAndSeal(deps, plan, content);
      continue;
    }
    const start = startOrThrow(decision.state, known);
    const entry = takeoverEntry({
      log,
      number: decision.number,
      writer: deps.writer,
      nowMs: now(),
      before: decision.state,
      offsetNext: start.offsetNext,
      ...topicOf(known),
    });
    if ((await appendEntry(objects, deps.dataset.name, entry)) === 'appended') {
      const state = { ...decision.state, offsetNext: start.offsetNext, ...topicOf(known) };
      return { open: { log, topic, partition, next: decision.number + 1, state }, start };
    }
  }
  throw new IngotError('WRITER_REPLACED', 'a source log is wanted by many writers at once', {
    retryable: true,
    facts: { log, rounds: takeoverRoundsMax },
  });
}

function startOrThrow(
  state: LogState,
  offsets: TopicPartitionOffsets,
): StartDecision & { kind: 'start' } {
  const { topic, partition, offsetStart, offsetEnd } = offsets;
  const start = decideStart({ state, ...offsets });
  if (start.kind === 'start') return start;
  const facts = { topic, partition, wanted: start.wanted, offsetStart, offsetEnd };
  throw start.kind === 'offsetsLost'
    ? new IngotError('OFFSETS_LOST', 'Kafka dropped records before they were read', {
        retryable: false,
        facts,
      })
    : topicChanged(state, offsets, start.wanted);
}

/**
 * What Kafka has, asked after the log was read if need be: a log that lies ahead of the answer at
 * hand was written by someone who read on since.
 */
async function offsetsBehind(
  { ports }: WriterDeps,
  decision: TakeoverDecision,
  known: TopicPartitionOffsets,
): Promise<TopicPartitionOffsets> {
  const position =
    decision.kind === 'finishPlan' ? decision.plan.offsetEnd : decision.state.offsetNext;
  const before = decision.kind === 'finishPlan' ? decision.plan.before : decision.state;
  const isStale = position !== null && BigInt(known.offsetEnd) < BigInt(position);
  if (!isStale && !isAnotherTopic(before, known)) return known;
  const described = await ports.source.describeTopic(known.topic);
  return described.find(({ partition }) => partition === known.partition) ?? known;
}
