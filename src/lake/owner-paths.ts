import { entryName } from './paths.ts';

/* Where the owner of the windows keeps in the lake what it does not keep itself. */

/** Windows that its state has no room for, in objects that are numbered. */
export function queueKey(dataset: string, number: number): string {
  return `_queue/${dataset}/${String(number).padStart(12, '0')}.json`;
}

/** What became of the bookmark: numbered, create-only, each with the hash of the one before. */
export function ledgerKey(dataset: string, number: number): string {
  return `_ledger/${dataset}/${entryName(number)}.json`;
}
