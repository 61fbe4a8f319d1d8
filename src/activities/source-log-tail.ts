import { IngotError } from '../errors.ts';
import { afterLogEntry, logEntryKey, logPrefix, numberOfLogKey } from '../lake/paths.ts';
import type { LogEntry, LogTail } from '../lake/source-log.ts';
import type { ObjectStore } from '../ports.ts';
import { newestCheckpoint } from './checkpoints.ts';
import { readJson } from './json-objects.ts';
import { type LogRef, readSeal } from './source-log.ts';

/** Two objects for each entry, so that what follows the newest checkpoint is one page of a listing. */
const keysMax = 1_000;

/**
 * The end of a log: its last entry, and the seal of that one. The newest checkpoint says where to
 * look, and what follows it is listed: some five requests, however long the log is. Checkpoints are
 * nobody's truth, so a log that has none, or has run on far without, is searched instead.
 */
export async function readTail(objects: ObjectStore, ref: LogRef): Promise<LogTail> {
  const last = await lastNumber(objects, ref);
  if (last === null) return { entry: null, seal: null };
  const entry = await readJson<LogEntry>(objects, logEntryKey(ref.dataset, ref.log, last));
  if (entry === null) {
    throw new IngotError('LOG_CORRUPT', 'the last entry of a source log vanished', {
      retryable: true,
      facts: { log: ref.log, number: last },
    });
  }
  return { entry: entry.value, seal: await readSeal(objects, { ...ref, number: last }) };
}

async function lastNumber(objects: ObjectStore, ref: LogRef): Promise<number | null> {
  const { dataset, log } = ref;
  const known = (await newestCheckpoint(objects, ref))?.checkpoint.through ?? null;
  const prefix = logPrefix(dataset, log);
  const startAfter = known === null ? prefix : afterLogEntry(dataset, log, known);
  const listed = await objects.listObjects(prefix, { startAfter, limit: keysMax });
  const numbers = listed.map(({ key }) => numberOfLogKey(key)).filter((number) => number !== null);
  const last = numbers.at(-1) ?? known;
  if (last === null || listed.length < keysMax) return last;
  return searchFrom(last, async (number) => {
    return (await objects.headObject(logEntryKey(dataset, log, number))) !== null;
  });
}

/** Numbers have no holes, so the last one is found by doubling and halving from any that is there. */
export async function searchFrom(
  known: number,
  has: (number: number) => Promise<boolean>,
): Promise<number> {
  let low = known;
  let step = 1;
  while (await has(low + step)) {
    low += step;
    step *= 2;
  }
  let high = low + step;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await has(middle)) low = middle;
    else high = middle;
  }
  return low;
}
