import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { type DropFolder, createDropFolder } from '../../../src/activities/drop-folder.ts';
import { readTaken } from '../../../src/activities/drop-index.ts';
import {
  type DropWriterDeps,
  takeObject,
  takeOverDrop,
} from '../../../src/activities/drop-writer.ts';
import type { OpenLog } from '../../../src/activities/ingest-writer.ts';
import { createMemoryObjectStore } from '../../../src/adapters/memory-object-store.ts';
import { events } from '../../../src/datasets/events.ts';
import { dropLog, isUnderWay } from '../../../src/lake/drop.ts';
import type { ObjectStore, Row } from '../../../src/ports.ts';
import { createJsonBronzeEncoder, createJsonRowFiles } from '../../support/json-codecs.ts';
import { type FoundLog, checkEntries, readLog, rowsUnder, startMs, valueOf } from './ingest-bed.ts';

/* A drop folder, an empty lake, and writers between them, all in memory. */

export const prefix = 'landing/events/';

export type DropBed = {
  readonly objects: ObjectStore;
  readonly clock: { nowMs: number };
};

export function createDropBed(): DropBed {
  return { objects: createMemoryObjectStore(), clock: { nowMs: startMs } };
}

/** Puts a file into the folder, in place of one that has the same name. */
export async function drop(
  bed: DropBed,
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const key = `${prefix}${name}`;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  await bed.objects.replaceObject(key, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
  return key;
}

/** Puts a file into the folder as it is, whatever its name says. */
export async function dropBytes(bed: DropBed, name: string, bytes: Uint8Array): Promise<string> {
  await bed.objects.replaceObject(`${prefix}${name}`, bytes);
  return `${prefix}${name}`;
}

/** Lines of which every fifth cannot be placed. */
export function jsonLines(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `${valueOf(first + index)}\n`).join('');
}

export function dropDeps(
  bed: DropBed,
  writer: string,
  differences: {
    readonly objects?: ObjectStore;
    readonly rowsMax?: number;
    readonly recordBytesMax?: number;
  } = {},
): DropWriterDeps {
  const { objects = bed.objects, rowsMax = 1_000, recordBytesMax = 4_096 } = differences;
  return {
    ports: {
      objects,
      bronze: createJsonBronzeEncoder(),
      rowFiles: createJsonRowFiles(),
      now: () => bed.clock.nowMs,
    },
    dataset: events,
    limits: { rowsMax, bytesMax: 1_000_000 },
    settings: { rawCopy: false, recordBytesMax },
    writer,
  };
}

export type Odd = { readonly key: string; readonly kind: string };

/** A writer's whole life: takes over, then takes what lies there until nothing is left. */
export async function dropAll(
  deps: DropWriterDeps,
  options: { readonly pageKeys?: number; readonly odd?: Odd[] } = {},
): Promise<{ readonly open: OpenLog; readonly folder: DropFolder }> {
  const { objects, now } = deps.ports;
  let open = await takeOverDrop(deps);
  const take = async (object: Parameters<typeof takeObject>[2]): Promise<void> => {
    const never = { isOver: () => false, onCommitted: (next: OpenLog) => void (open = next) };
    const taken = await takeObject(deps, open, object, never);
    open = taken.open;
    if (taken.ended === 'whole') folder.noteTaken(object);
  };
  const folder = createDropFolder({
    objects,
    dataset: events.name,
    prefix,
    taken: await readTaken(objects, events.name),
    onOdd: ({ key }, kind) => options.odd?.push({ key, kind }),
    ...(options.pageKeys === undefined ? {} : { pageKeys: options.pageKeys }),
  });
  const last = open.state.object;
  if (last !== undefined && isUnderWay(last)) await take(last);
  for (;;) {
    const { take: found, isComplete } = await folder.poll(now());
    for (const object of found) await take(object);
    if (isComplete && found.length === 0) return { open, folder };
  }
}

export type DropLake = FoundLog & {
  readonly bronze: readonly Row[];
  readonly letters: readonly Row[];
};

/** Checks a log at rest: no hole, seals that chain, and what they say is what lies there. */
export async function readDropLake({ objects }: DropBed): Promise<DropLake> {
  const found = await readLog(objects, dropLog);
  checkEntries(found);
  const bronze = await rowsUnder(objects, 'bronze/');
  const letters = await rowsUnder(objects, 'dead_letters/');
  const sum = (name: 'records' | 'rows' | 'deadLetters') =>
    [...found.seals.values()].reduce((total, { seal }) => total + seal[name], 0);
  assert.deepEqual(
    [sum('records'), sum('rows'), sum('deadLetters')],
    [bronze.length + letters.length, bronze.length, letters.length],
    'the seals say what lies there',
  );
  const offsets = [
    ...bronze.map((row) => String(row['_offset'])),
    ...letters.map((row) => String(row['offset'])),
  ];
  assert.equal(new Set(offsets).size, offsets.length, 'no offset twice');
  return { ...found, bronze, letters };
}

/** `landing/events/a.csv 3`: where each bronze row and each dead letter comes from. */
export function linesOf({ entries, seals, bronze, letters }: DropLake): readonly string[] {
  const plans = entries.flatMap((entry) =>
    entry.kind === 'plan' && seals.has(entry.number) ? [entry] : [],
  );
  const offsets = [
    ...bronze.map((row) => Number(row['_offset'])),
    ...letters.map((row) => Number(row['offset'])),
  ];
  return offsets
    .sort((a, b) => a - b)
    .map((offset) => {
      const plan = plans.find(
        ({ offsetFirst, offsetEnd }) => offset >= Number(offsetFirst) && offset < Number(offsetEnd),
      );
      assert.ok(plan?.object !== undefined, `offset ${offset} is in a plan`);
      return `${plan.object.key} ${plan.object.lineFirst + offset - Number(plan.offsetFirst)}`;
    });
}
