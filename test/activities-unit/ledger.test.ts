import assert from 'node:assert/strict';
import { jsonBytes, readJson } from '../../src/activities/json-objects.ts';
import {
  appendToLedger,
  entryAtTime,
  ledgerHead,
  walkLedger,
} from '../../src/activities/ledger.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { type LedgerEntry, noteOf } from '../../src/lake/ledger.ts';
import { ledgerKey } from '../../src/lake/owner-paths.ts';
import { type OwnerState, newOwner } from '../../src/lake/owner-state.ts';
import { minuteMs } from '../../src/lake/time.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { log, nowMs } from '../lake/support/owner-states.ts';

const minute = (count: number): number => nowMs + count * minuteMs;

function routedTo(number: number): OwnerState {
  const advance = { sinceMs: nowMs, from: { 'a-0': number - 1 }, touched: 2, rows: 30 };
  return { ...newOwner('events'), logs: { 'a-0': { ...log, routedTo: number } }, advance };
}

/** A ledger with an entry for each minute. */
async function ledgerOf(entries: number): Promise<ObjectStore> {
  const objects = createMemoryObjectStore();
  let head = newOwner('events').ledger;
  for (let count = 0; count < entries; count += 1) {
    head = await appendToLedger(
      objects,
      noteOf({ ...routedTo(count), ledger: head }, minute(count)),
    );
  }
  return objects;
}

async function numbersOf(objects: ObjectStore, from: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { entry } of walkLedger(objects, 'events', from)) numbers.push(entry.number);
  return numbers;
}

describe('appendToLedger', () => {
  it('knows an entry of its own when it is written once more', async () => {
    const objects = await ledgerOf(3);
    const head = await ledgerHead(objects, 'events');
    const note = noteOf({ ...routedTo(7), ledger: head! }, minute(9));
    const first = await appendToLedger(objects, note);
    assert.deepEqual(await appendToLedger(objects, note), first);
    assert.equal((await ledgerHead(objects, 'events'))?.next, 4);
  });

  it('comes behind what another owner has written, and says how far the bookmark went', async () => {
    const objects = await ledgerOf(5);
    const head = await appendToLedger(objects, noteOf(routedTo(7), minute(9)));
    assert.equal(head.next, 6);
    const found = await ledgerHead(objects, 'events');
    assert.deepEqual(found?.newest.moved, { 'a-0': { from: 6, to: 7 } });
    assert.deepEqual(await numbersOf(objects, 5), [5, 4, 3, 2, 1, 0]);
  });
});

describe('walkLedger', () => {
  const spoiled: readonly (readonly [string, (entry: LedgerEntry) => object | null, RegExp])[] = [
    ['changed', (entry) => ({ ...entry, rows: 31 }), /entry 2 was changed/],
    ['gone', () => null, /entry 2 is missing/],
    ['of another number', (entry) => ({ ...entry, number: 1 }), /entry 2 is not what its number/],
  ];
  for (const [name, spoil, wanted] of spoiled) {
    it(`names the entry that is ${name}`, async () => {
      const objects = await ledgerOf(5);
      const key = ledgerKey('events', 2);
      const next = spoil((await readJson<LedgerEntry>(objects, key))!.value);
      if (next === null) await objects.deleteObjects([key]);
      else await objects.replaceObject(key, jsonBytes(next));
      await assert.rejects(numbersOf(objects, 4), wanted);
    });
  }
});

describe('entryAtTime', () => {
  it('finds where the bookmark stood at a time', async () => {
    const objects = await ledgerOf(20);
    for (const [ms, wanted] of [
      [minute(0) - 1, null],
      [minute(0), 0],
      [minute(7) + 1, 7],
      [minute(99), 19],
    ] as const) {
      assert.equal((await entryAtTime(objects, 'events', ms))?.number ?? null, wanted);
    }
    assert.equal(await entryAtTime(createMemoryObjectStore(), 'events', nowMs), null);
  });
});
