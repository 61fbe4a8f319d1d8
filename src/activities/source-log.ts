import { IngotError } from '../errors.ts';
import { type LogName, logEntryKey, sealKey } from '../lake/paths.ts';
import { type AppendDecision, type LogEntry, type Seal, decideAppend } from '../lake/source-log.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* Reading and appending source logs. What an entry means is decided in lake/source-log.ts. */

export type LogRef = { readonly dataset: string; readonly log: LogName };

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
  return decideAppend(entry, await readEntry(objects, { ...entry, dataset }));
}

/** An entry that is known to be there. */
export async function readEntry(
  objects: ObjectStore,
  { dataset, log, number }: LogRef & { readonly number: number },
): Promise<LogEntry> {
  const key = logEntryKey(dataset, log, number);
  const found = await readJson<LogEntry>(objects, key);
  if (found !== null) return found.value;
  throw new IngotError('LOG_CORRUPT', 'an entry of a source log is there and cannot be read', {
    retryable: true,
    facts: { key },
  });
}

/** Seals of the numbers `first` to `through`, ascending; numbers without a seal are left out. */
export async function readSeals(
  objects: ObjectStore,
  { first, through, ...ref }: LogRef & { readonly first: number; readonly through: number },
): Promise<readonly Seal[]> {
  const found = await readSealsOf(objects, ref, numbersBetween(first, through));
  return found.map(({ seal }) => seal);
}

/** The same with their hashes, for any numbers. */
export async function readSealsOf(
  objects: ObjectStore,
  ref: LogRef,
  numbers: readonly number[],
): Promise<readonly FoundSeal[]> {
  const seals: (FoundSeal | null)[] = [];
  for (let at = 0; at < numbers.length; at += sealsAtOnce) {
    const some = numbers.slice(at, at + sealsAtOnce);
    seals.push(...(await Promise.all(some.map((number) => readSeal(objects, { ...ref, number })))));
  }
  return seals.filter((found) => found !== null);
}

export function numbersBetween(first: number, through: number): readonly number[] {
  return Array.from({ length: Math.max(0, through - first + 1) }, (_, index) => first + index);
}

const sealsAtOnce = 16;
