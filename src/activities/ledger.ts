import { IngotError } from '../errors.ts';
import { type LedgerEntry, type LedgerNote, entryAt } from '../lake/ledger.ts';
import { ledgerKey } from '../lake/owner-paths.ts';
import type { LedgerHead } from '../lake/owner-parts.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';
import { searchFrom } from './source-log-tail.ts';

/* Reading and appending the ledger. What an entry says is decided in lake/ledger.ts. */

export type FoundEntry = { readonly entry: LedgerEntry; readonly hash: string };

/** Owners that write at the same time are two at most, and one of them is about to end. */
const triesMax = 10;

/**
 * Appends a note, and answers where the ledger goes on. Writing it twice is writing it once; where
 * another owner has been at work since, it comes behind what that one has written.
 */
export async function appendToLedger(objects: ObjectStore, note: LedgerNote): Promise<LedgerHead> {
  let head = note.head;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const bytes = jsonBytes(entryAt(note, head));
    const key = ledgerKey(note.dataset, head.next);
    const { kind } = await objects.createObject(key, bytes);
    const hash = sha256(bytes);
    if (kind === 'created') return { next: head.next + 1, hash };
    const found = await readEntry(objects, note.dataset, head.next);
    if (found?.hash === hash) return { next: head.next + 1, hash };
    head = (await ledgerHead(objects, note.dataset, head.next)) ?? head;
  }
  throw new IngotError('LOG_CORRUPT', 'the ledger grows faster than it can be written', {
    retryable: true,
    facts: { dataset: note.dataset, number: head.next },
  });
}

/** Where the ledger goes on; null when there is none. `known` is an entry that is there. */
export async function ledgerHead(
  objects: ObjectStore,
  dataset: string,
  known = 0,
): Promise<(LedgerHead & { readonly newest: LedgerEntry }) | null> {
  const has = async (number: number): Promise<boolean> =>
    (await objects.headObject(ledgerKey(dataset, number))) !== null;
  if (!(await has(known))) return null;
  const number = await searchFrom(known, has);
  const found = await entryThere(objects, dataset, number);
  return { next: number + 1, hash: found.hash, newest: found.entry };
}

async function readEntry(
  objects: ObjectStore,
  dataset: string,
  number: number,
): Promise<FoundEntry | null> {
  const found = await readJson<LedgerEntry>(objects, ledgerKey(dataset, number));
  return found === null ? null : { entry: found.value, hash: sha256(found.bytes) };
}

async function entryThere(
  objects: ObjectStore,
  dataset: string,
  number: number,
): Promise<FoundEntry> {
  const found = await readEntry(objects, dataset, number);
  if (found?.entry.number === number) return found;
  throw broken(dataset, number, found === null ? 'is missing' : 'is not what its number says');
}

/** From an entry back to the first, newest first. Every link of the chain is looked at. */
export async function* walkLedger(
  objects: ObjectStore,
  dataset: string,
  from: number,
): AsyncGenerator<FoundEntry> {
  let expected: string | null = null;
  for (let number = from; number >= 0; number -= 1) {
    const found = await entryThere(objects, dataset, number);
    if (expected !== null && found.hash !== expected) {
      throw broken(dataset, number, `was changed: entry ${number + 1} knows it by another hash`);
    }
    const { previousHash } = found.entry;
    if ((previousHash === null) !== (number === 0)) {
      throw broken(dataset, number, 'does not know the entry before it');
    }
    yield found;
    expected = previousHash;
  }
}

/** The newest entry that was written by then, checked against its neighbours; null when none was. */
export async function entryAtTime(
  objects: ObjectStore,
  dataset: string,
  ms: number,
): Promise<LedgerEntry | null> {
  const head = await ledgerHead(objects, dataset);
  if (head === null) return null;
  let [low, high] = [-1, head.next];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const { entry } = await entryThere(objects, dataset, middle);
    if (Date.parse(entry.at) <= ms) low = middle;
    else high = middle;
  }
  if (low < 0) return null;
  const last = Math.min(low + 1, head.next - 1);
  let answer: LedgerEntry | null = null;
  for await (const { entry } of walkLedger(objects, dataset, last)) {
    if (entry.number === low) answer = entry;
    if (entry.number < low) break;
  }
  return answer;
}

function broken(dataset: string, number: number, why: string): IngotError {
  return new IngotError('LOG_CORRUPT', `the ledger is broken: entry ${number} ${why}`, {
    retryable: false,
    facts: { key: ledgerKey(dataset, number) },
  });
}
