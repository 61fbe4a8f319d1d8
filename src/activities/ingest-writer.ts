import { IngotError } from '../errors.ts';
import {
  type BatchFigures,
  type PlanSettings,
  compareOffsets,
  planEntry,
  sameOffsets,
  sealOf,
} from '../lake/batch.ts';
import type { Dataset } from '../lake/dataset.ts';
import { type LogName, bronzeKey, deadLettersKey, rawKey, sealKey } from '../lake/paths.ts';
import type { DroppedPart } from '../lake/dropped-object.ts';
import {
  type LogState,
  type PlanEntry,
  type Seal,
  isSameLane,
  stateAfterSeal,
  withObject,
} from '../lake/source-log.ts';
import { formatInstant, nearestInstant } from '../lake/time.ts';
import type { EncodedFile, FileFacts, Ports } from '../ports.ts';
import type { BatchContent } from './batch-content.ts';
import { deadLetterColumns } from './batch-records.ts';
import { sha256 } from './hash.ts';
import { jsonBytes } from './json-objects.ts';
import { appendEntry, readEntry, readSeal } from './source-log.ts';

/*
 * Plan, write, seal: the protocol of one source log. Every step may run twice and may be run by two
 * writers at once; the create-only objects of the log decide who goes on.
 */

export type WriterDeps = BatchDeps & {
  readonly ports: Pick<Ports, 'source'>;
  /** Aborted when the writer must stop: a redo does not wait for Kafka beyond it. */
  readonly signal: AbortSignal;
};

/** What it takes to write a batch, wherever its records come from. */
export type BatchDeps = {
  readonly ports: Pick<Ports, 'objects' | 'bronze' | 'rowFiles' | 'now'>;
  readonly dataset: Dataset;
  readonly settings: Omit<PlanSettings, 'contractHash' | 'encoder'>;
  /** Tells this writer from every other one, also from earlier attempts of the same activity. */
  readonly writer: string;
};

/** A log that this writer has taken over. A value: each step answers the next one. */
export type OpenLog = {
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  /** Number of the next entry. */
  readonly next: number;
  readonly state: LogState & { readonly offsetNext: string };
};

/**
 * Commits `[state.offsetNext, offsetEnd)` as one batch. Throws `WRITER_REPLACED` when another writer
 * has taken the log over: nothing was written then, and nothing may be.
 */
export async function commitBatch(
  deps: BatchDeps,
  open: OpenLog,
  batch: {
    readonly content: BatchContent;
    readonly offsetEnd: string;
    readonly object?: DroppedPart;
  },
): Promise<{ readonly open: OpenLog; readonly seal: Seal }> {
  const { dataset, ports } = deps;
  const plan = planEntry({
    log: open.log,
    number: open.next,
    writer: deps.writer,
    nowMs: ports.now(),
    before: open.state,
    topic: open.topic,
    partition: open.partition,
    offsetEnd: batch.offsetEnd,
    settings: { ...deps.settings, contractHash: dataset.contractHash, encoder: ports.bronze.name },
    ...(batch.object === undefined ? {} : { object: batch.object }),
  });
  if ((await appendEntry(ports.objects, dataset.name, plan)) === 'replaced') {
    const found = await readEntry(ports.objects, { ...plan, dataset: dataset.name });
    throw replaced(deps, open.log, found.writer);
  }
  const { seal, hash, foreign } = await writeAndSeal(deps, plan, batch.content);
  if (foreign) throw replaced(deps, open.log, seal.writer);
  const after = withObject(stateAfterSeal(open.state, seal, hash), plan.object);
  const state = { ...after, offsetNext: seal.offsetEnd };
  return { open: { ...open, next: open.next + 1, state }, seal };
}

/**
 * Of two attempts of one lane Temporal knows which is wanted, and starts that one again; the other may
 * have been asleep. To another lane the log is left, or both would take it back for ever.
 */
export function replaced(
  { writer }: Pick<BatchDeps, 'writer'>,
  log: LogName,
  by: string | null,
): IngotError {
  return new IngotError('WRITER_REPLACED', 'another writer has taken this source log over', {
    retryable: by !== null && isSameLane(writer, by),
    facts: { log, by },
  });
}

type Sealed = {
  readonly seal: Seal;
  readonly hash: string;
  /** Another writer sealed it first. */
  readonly foreign: boolean;
};

/** Writes raw copy, Parquet and dead letters of a plan, in this order, then its seal. */
export async function writeAndSeal(
  deps: BatchDeps,
  plan: PlanEntry,
  content: BatchContent,
): Promise<Sealed> {
  const { dataset, ports, writer } = deps;
  const figures = await writeBatch(deps, plan, content);
  const planHash = sha256(jsonBytes(plan));
  const seal = sealOf(plan, planHash, figures, { writer, nowMs: ports.now() });
  const bytes = jsonBytes(seal);
  const key = sealKey(dataset.name, plan.log, plan.number);
  const created = await ports.objects.createObject(key, bytes);
  if (created.kind === 'created') return { seal, hash: sha256(bytes), foreign: false };
  const found = await readSeal(ports.objects, { ...plan, dataset: dataset.name });
  if (found === null) throw new Error(`seal ${key} exists and cannot be read`);
  return { ...found, foreign: found.seal.writer !== writer };
}

async function writeBatch(
  deps: BatchDeps,
  plan: PlanEntry,
  content: BatchContent,
): Promise<BatchFigures> {
  const { dataset, ports } = deps;
  const place = {
    dataset: dataset.name,
    log: plan.log,
    number: plan.number,
    ingestTimeMs: Date.parse(plan.ingestTime),
  };
  const [raw, encoded] = await Promise.all([
    plan.rawCopy ? content.raw() : null,
    encodeBronze(deps, plan, content),
  ]);
  const rawBytes = raw === null ? 0 : await writeRaw(deps, rawKey(place), raw);
  const { facts, bytes } = await writeBronze(deps, plan, encoded, bronzeKey(place));
  const { lacking, foreign } = compareOffsets(content.offsets, facts.offsets);
  refuseOutsiders(plan, foreign);

  const letters = lacking.length === 0 ? [] : content.deadLetters(plan, lacking);
  if (letters.length > 0) {
    const file = { columns: deadLetterColumns, rows: letters, metadata: { log: plan.log } };
    await ports.objects.createObject(deadLettersKey(place), await ports.rowFiles.encode(file));
  }
  const { last } = content;
  return {
    // Counted from what was read, not from what was written, so that the seal's identity can fail.
    records: content.offsets.length + foreign.length,
    rows: facts.rows,
    deadLetters: letters.length,
    bytes,
    rawBytes,
    rowsPerEventHour: facts.rowsPerEventHour,
    eventTimeMin: facts.eventTimeMin,
    eventTimeMax: facts.eventTimeMax,
    lastRecord:
      last === null
        ? null
        : { offset: last.offset, digest: sha256(last.value ?? new Uint8Array()) },
    // The frontier is made of it: a producer whose clock is ahead must not end hours before their time.
    lastRecordTime:
      last === null
        ? null
        : formatInstant(nearestInstant(Math.min(last.timestampMs, place.ingestTimeMs))),
    bronzeKey: bronzeKey(place),
    rawKey: raw === null ? null : rawKey(place),
    deadLettersKey: letters.length === 0 ? null : deadLettersKey(place),
  };
}

/** Writes the raw copy, or adopts the one that lies there; answers the size of what lies there. */
async function writeRaw({ ports }: BatchDeps, key: string, raw: Uint8Array): Promise<number> {
  const created = await ports.objects.createObject(key, raw);
  if (created.kind === 'created') return raw.byteLength;
  const found = await ports.objects.headObject(key);
  if (found === null) throw new Error(`raw copy ${key} exists and cannot be read`);
  return found.bytes;
}

/** The file of a batch, proved to hold the rows that it was given. */
async function encodeBronze(
  { ports }: BatchDeps,
  plan: PlanEntry,
  content: BatchContent,
): Promise<EncodedFile> {
  const { file, accepted } = await content.encode(plan, {
    'ingot.plan': sha256(jsonBytes(plan)),
    'ingot.encoder': ports.bronze.name,
  });
  const { facts } = file;
  if (sameOffsets(accepted, facts.offsets) && facts.rows === accepted.length) return file;
  throw new IngotError('BATCH_MISMATCH', 'the encoded file does not hold the rows it was given', {
    retryable: true,
    facts: { log: plan.log, number: plan.number, rows: accepted.length, inFile: facts.rows },
  });
}

/** Writes the Parquet file, or adopts the one that lies there: its facts count, not ours. */
async function writeBronze(
  { ports }: BatchDeps,
  plan: PlanEntry,
  encoded: EncodedFile,
  key: string,
): Promise<{ readonly facts: FileFacts; readonly bytes: number }> {
  const created = await ports.objects.createObject(key, encoded.bytes);
  if (created.kind === 'created') return { facts: encoded.facts, bytes: encoded.bytes.byteLength };

  const found = await ports.objects.readObject(key);
  if (found === null) throw new Error(`bronze file ${key} exists and cannot be read`);
  const adopted = await ports.bronze.inspect(found.bytes);
  const planHash = sha256(jsonBytes(plan));
  if (adopted.metadata['ingot.plan'] !== planHash) {
    throw new IngotError('LOG_CORRUPT', 'a bronze file belongs to another plan', {
      retryable: false,
      facts: { key, plan: planHash, found: adopted.metadata['ingot.plan'] ?? null },
    });
  }
  return { facts: adopted, bytes: found.bytes.byteLength };
}

/** An adopted file may hold records that Kafka has compacted away since, but none out of range. */
function refuseOutsiders(plan: PlanEntry, offsets: readonly bigint[]): void {
  const first = BigInt(plan.offsetFirst);
  const end = BigInt(plan.offsetEnd);
  const outside = offsets.find((offset) => offset < first || offset >= end);
  if (outside === undefined) return;
  throw new IngotError('LOG_CORRUPT', 'a bronze file holds an offset outside its plan', {
    retryable: false,
    facts: { log: plan.log, number: plan.number, offset: String(outside) },
  });
}
