import { IngotError } from '../errors.ts';
import { gapEntry } from '../lake/batch.ts';
import { dropLog, isUnderWay } from '../lake/drop.ts';
import type { DroppedPart } from '../lake/dropped-object.ts';
import type { AcceptGapInput, AcceptedGap } from '../lake/messages.ts';
import { type GapEntry, type PlanEntry, decideTakeover } from '../lake/source-log.ts';
import { contentOfRecords } from './batch-content.ts';
import { type DropGroupDeps, writerDepsOf } from './drop-group.ts';
import type { GapActivities } from './ingest-gap.ts';
import { writeAndSeal } from './ingest-writer.ts';
import { appendEntry } from './source-log.ts';
import { readTail } from './source-log-tail.ts';

/*
 * Going on without the rest of an object that was deleted or replaced while it was taken. The log
 * keeps who decided it and why, as it does for what Kafka has lost.
 */

export function createDropGapActivities(deps: DropGroupDeps): GapActivities {
  return { acceptGap: (input) => acceptGap(deps, input) };
}

async function acceptGap(deps: DropGroupDeps, input: AcceptGapInput): Promise<AcceptedGap> {
  const { ports, dataset } = deps;
  const writer = `gap/${input.id}`;
  const tail = await readTail(ports.objects, { dataset: dataset.name, log: dropLog });
  // The answer to this very request may have been lost.
  if (tail.entry?.kind === 'gap' && tail.entry.writer === writer) return answerOf(tail.entry);
  const decision = decideTakeover(tail);
  const last = decision.kind === 'append' ? decision.state.object : decision.plan.object;
  if (decision.kind === 'finishPlan') {
    await requireLost(deps, last, true);
    await sealWithNothing(deps, writer, decision.plan);
    return acceptGap(deps, input);
  }
  const { state, number } = decision;
  // A plan that this request has sealed with nothing is part of what is missing.
  const sealed = tail.seal?.seal.writer === writer ? tail.seal.seal : null;
  if (sealed === null) await requireLost(deps, last, false);
  const offsetNext = state.offsetNext ?? '0';
  const entry = gapEntry({
    log: dropLog,
    number,
    writer,
    nowMs: ports.now(),
    before: state,
    code: input.code,
    offsetFirst: sealed?.offsetFirst ?? offsetNext,
    offsetNext,
    author: input.author,
    reason: input.reason,
    ...(last === undefined ? {} : { object: { ...last, ends: true } }),
  });
  if ((await appendEntry(ports.objects, dataset.name, entry)) === 'appended') {
    return answerOf(entry);
  }
  throw new IngotError('WRITER_REPLACED', 'another writer has taken this source log over', {
    retryable: true,
    facts: { log: dropLog, number },
  });
}

/** A plan whose lines are nowhere any more; a file of it that was written before counts as it is. */
async function sealWithNothing(
  deps: DropGroupDeps,
  writer: string,
  plan: PlanEntry,
): Promise<void> {
  const content = contentOfRecords({ dataset: deps.dataset, bronze: deps.ports.bronze }, []);
  await writeAndSeal(writerDepsOf(deps, writer), plan, content);
}

async function requireLost(
  { ports }: DropGroupDeps,
  last: DroppedPart | undefined,
  isPlanOpen: boolean,
): Promise<void> {
  if (last !== undefined && (isPlanOpen || isUnderWay(last))) {
    const found = await ports.objects.headObject(last.key);
    if (found?.etag !== last.etag) return;
  }
  throw new IngotError('INPUT_INVALID', 'nothing is missing: the object is there as it was', {
    retryable: false,
    facts: { log: dropLog, key: last?.key ?? null },
  });
}

function answerOf({ log, number, offsetFirst, offsetEnd }: GapEntry): AcceptedGap {
  return { log, number, offsetFirst, offsetNext: offsetEnd };
}
