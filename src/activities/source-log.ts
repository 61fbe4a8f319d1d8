import { IngotError } from '../errors.ts';
import { type LogName, logEntryKey, sealKey } from '../lake/paths.ts';
import {
  type AppendDecision,
  type LogEntry,
  type LogTail,
  type Seal,
  decideAppend,
} from '../lake/source-log.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* Reading and appending source logs. What an entry means is decided in lake/source-log.ts. */

export type LogRef = { readonly dataset: string; readonly log: LogName };

/**
 * The end of a log. Numbers have no holes, so the last one is found by doubling and halving: some
 * twenty requests for a log of a million entries.
 */
export async function readTail(objects: ObjectStore, { dataset, log }: LogRef): Promise<LogTail> {
  const last = await lastNumber((number) => exists(objects, logEntryKey(dataset, log, number)));
  if (last === null) return { entry: null, seal: null };
  const entry = await readJson<LogEntry>(objects, logEntryKey(dataset, log, last));
  if (entry === null) {
    throw new IngotError('LOG_CORRUPT', 'the last entry of a source log vanished', {
      retryable: true,
      facts: { log, number: last },
    });
  }
  return { entry: entry.value, seal: await readSeal(objects, { dataset, log, number: last }) };
}

async function exists(objects: ObjectStore, key: string): Promise<boolean> {
  return (await objects.headObject(key)) !== null;
}

/** The greatest n for which `has(n)` holds, given that it holds for all smaller ones. */
async function lastNumber(has: (number: number) => Promise<boolean>): Promise<number | null> {
  if (!(await has(0))) return null;
  let low = 0;
  let high = 1;
  while (await has(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await has(middle)) low = middle;
    else high = middle;
  }
  return low;
}

export type FoundSeal = { readonly seal: Seal; readonly hash: string };

/** `null` when the number is not sealed, or needs no seal. */
export async function readSeal(
  objects: ObjectStore,
  { dataset, log, number }: LogRef & { readonly number: number },
): Promise<FoundSeal | null> {
  const found = await readJson<Seal>(objects, sealKey(dataset, log, number));
  return found === null ? null : { seal: found.value, hash: sha256(found.bytes) };
}

/** Appends create-only; `replaced` means that another writer has the number, and the log. */
export async function appendEntry(
  objects: ObjectStore,
  dataset: string,
  entry: LogEntry,
): Promise<AppendDecision> {
  const key = logEntryKey(dataset, entry.log, entry.number);
  const result = await objects.createObject(key, jsonBytes(entry));
  if (result.kind === 'created') return decideAppend(entry, null);
  const found = await readJson<LogEntry>(objects, key);
  if (found !== null) return decideAppend(entry, found.value);
  throw new IngotError('LOG_CORRUPT', 'an entry of a source log is there and cannot be read', {
    retryable: true,
    facts: { key },
  });
}

/** Seals of the numbers `first` to `through`, ascending; numbers without a seal are left out. */
export async function readSeals(
  objects: ObjectStore,
  range: LogRef & { readonly first: number; readonly through: number },
): Promise<readonly Seal[]> {
  const numbers = Array.from(
    { length: Math.max(0, range.through - range.first + 1) },
    (_, index) => range.first + index,
  );
  const seals: (FoundSeal | null)[] = [];
  for (let at = 0; at < numbers.length; at += sealsAtOnce) {
    const some = numbers.slice(at, at + sealsAtOnce);
    seals.push(
      ...(await Promise.all(some.map((number) => readSeal(objects, { ...range, number })))),
    );
  }
  return seals.flatMap((found) => (found === null ? [] : [found.seal]));
}

const sealsAtOnce = 16;
