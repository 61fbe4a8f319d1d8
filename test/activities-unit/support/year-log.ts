import { type FoundCheckpoint, writeCheckpoint } from '../../../src/activities/checkpoints.ts';
import { jsonBytes } from '../../../src/activities/json-objects.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { logEntryKey, sealKey } from '../../../src/lake/paths.ts';
import type { Seal } from '../../../src/lake/source-log.ts';
import { windowAt } from '../../../src/lake/window.ts';
import { type ObjectStore } from '../../../src/ports.ts';
import { recordingStore } from '../../support/around-store.ts';

/* A source log as it is after so many hours, with its checkpoints. */

export const ref = { dataset: 'events', log: 'clicks-0' };
export const yearStartMs = Date.UTC(2025, 7, 21, 13);
const hourMs = 3_600_000;

export type GeneratedLog = {
  readonly objects: ObjectStore;
  readonly entries: number;
  readonly hours: number;
};

/**
 * Each hour begins with a takeover and has so many batches, with rows of that hour and of the one
 * before. `late` says which later hour also brings rows of the first one.
 */
export async function generateLog(options: {
  readonly hours: number;
  readonly batchesPerHour: number;
  readonly late?: number;
  readonly checkpoints?: boolean;
  readonly objects?: ObjectStore;
}): Promise<GeneratedLog> {
  const { hours, batchesPerHour, late = -1, checkpoints = true } = options;
  const { objects = createMemoryObjectStore() } = options;
  let number = 0;
  let previous: FoundCheckpoint | null = null;
  for (let hour = 0; hour < hours; hour += 1) {
    const startMs = yearStartMs + hour * hourMs;
    await objects.createObject(entryKey(number), jsonBytes({ kind: 'takeover', number }));
    number += 1;
    const seals: Seal[] = [];
    for (let batch = 0; batch < batchesPerHour; batch += 1) {
      const seal = sealOf(number, startMs + batch * 1_000, hour === late);
      await objects.createObject(entryKey(number), jsonBytes({ kind: 'plan', number }));
      await objects.createObject(sealKey(ref.dataset, ref.log, number), jsonBytes(seal));
      seals.push(seal);
      number += 1;
    }
    if (!checkpoints || hour === hours - 1) continue;
    const completeTo = hourOf(startMs + hourMs);
    const input = { previous, through: number - 1, completeTo, seals };
    previous = await writeCheckpoint(objects, ref, input);
  }
  return { objects, entries: number, hours };
}

export const hourOf = (ms: number): string => windowAt(ms, 'hour').id;

/** What the requests of a piece of work were, by name and in all. A listing is one for each page. */
export async function requestsOf(
  objects: ObjectStore,
  work: (objects: ObjectStore) => Promise<unknown>,
): Promise<number> {
  const { store, steps } = recordingStore(objects);
  let morePages = 0;
  await work({
    ...store,
    listObjects: async (prefix, options) => {
      const found = await store.listObjects(prefix, options);
      morePages += Math.max(0, Math.ceil(found.length / 1_000) - 1);
      return found;
    },
  });
  return steps.length + morePages;
}

function entryKey(number: number): string {
  return logEntryKey(ref.dataset, ref.log, number);
}

function sealOf(number: number, ingestMs: number, isLate: boolean): Seal {
  const rowsPerEventHour = {
    [hourOf(ingestMs - hourMs)]: 1,
    [hourOf(ingestMs)]: 9,
    ...(isLate ? { [hourOf(yearStartMs)]: 4 } : {}),
  };
  const ingestTime = new Date(ingestMs).toISOString();
  const figures = { records: 10, rows: 10, deadLetters: 0, bytes: 100 };
  return {
    ...{ schema: 1, log: ref.log, number, ingestTime, rowsPerEventHour, ...figures },
    offsetEnd: String(number * 10),
  } as unknown as Seal;
}
