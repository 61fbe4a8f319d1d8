import { pointerKey, stagedKey } from '../lake/paths.ts';
import type { WindowRef } from '../lake/messages.ts';
import type { Pointer } from '../lake/pointer.ts';
import type { Table } from '../lake/table.ts';
import type { Ports, SwapResult } from '../ports.ts';
import { type JsonObject, jsonBytes } from './json-objects.ts';
import { createRecent } from './object-memory.ts';
import { listPointers, readPointer, readStaged, writeStaged } from './pointers.ts';

/*
 * The pointers that the builds of one process read and write. A build asks for the same few again and
 * again, and most of them are those that the build before it has written.
 */

type NamedTable = Pick<Table, 'layer' | 'name'>;
type Found = JsonObject<Pointer> | null;
type Timed = { readonly pointer: Pointer; readonly atMs: number };

export type PointerStore = {
  /** The current version of a window; always asks the lake. `null` when there is none. */
  readonly readCurrent: (table: NamedTable, window: string) => Promise<Found>;
  /**
   * Current versions of several windows; those that were never published are left out. The lake
   * says which there are and what their etags are; those whose etag is known are not read again.
   */
  readonly readCurrentOf: (
    table: NamedTable,
    windows: readonly string[],
  ) => Promise<readonly Pointer[]>;
  /**
   * What `readCurrent` found last, however old it is: only for who has it proved by its etag.
   * `undefined` when this process has never looked.
   */
  readonly lastSeen: (table: NamedTable, window: string) => Found | undefined;
  /** Puts the version in the place of the one with this etag: the commit of a build. */
  readonly swap: (pointer: Pointer, etag: string | null) => Promise<SwapResult>;
  readonly stage: (pointer: Pointer) => Promise<void>;
  /**
   * A staged version, for its checks: its name decides its rows, files and inputs. From the lake where
   * this process has not had it a short while ago. Who publishes it reads it from the lake.
   */
  readonly readStaged: (ref: WindowRef, version: string) => Promise<Pointer>;
};

/** From so many windows on, a listing first costs less than asking for each. */
const listedFrom = 3;

/** As long as a build takes: what is checked later may have been removed, and is looked for. */
const stagedMs = 10 * 60_000;

/** Of each kind. A pointer has some thousand bytes. */
const rememberedMax = 2_000;

export function createPointerStore({ objects, now }: Pick<Ports, 'objects' | 'now'>): PointerStore {
  const seen = createRecent<Found>(rememberedMax);
  const staged = createRecent<Timed>(rememberedMax);
  const readCurrent = async (table: NamedTable, window: string): Promise<Found> => {
    const found = await readPointer(objects, table, window);
    seen.set(pointerKey(table, window), found);
    return found;
  };
  return {
    readCurrent,
    readCurrentOf: async (table, windows) => {
      if (windows.length < listedFrom) {
        const found = await Promise.all(windows.map((window) => readCurrent(table, window)));
        return valuesOf(found);
      }
      const there = new Map(
        (await listPointers(objects, table, windows)).map(({ key, etag }) => [key, etag]),
      );
      const wanted = windows.filter((window) => there.has(pointerKey(table, window)));
      const found = await Promise.all(
        wanted.map(async (window) => {
          const key = pointerKey(table, window);
          const known = seen.get(key) ?? null;
          return known?.etag === there.get(key) ? known : readCurrent(table, window);
        }),
      );
      return valuesOf(found);
    },
    lastSeen: (table, window) => seen.get(pointerKey(table, window)),
    swap: async (pointer, etag) => {
      const key = pointerKey({ layer: pointer.layer, name: pointer.table }, pointer.window);
      const bytes = jsonBytes(pointer);
      const swapped = await objects.swapObject(key, bytes, etag);
      if (swapped.kind === 'conflict') {
        seen.forget(key);
        return swapped;
      }
      seen.set(key, { value: pointer, bytes, etag: swapped.etag });
      return swapped;
    },
    stage: async (pointer) => {
      await writeStaged(objects, pointer);
      const table = { layer: pointer.layer, name: pointer.table };
      staged.set(stagedKey(table, pointer.window, pointer.version), { pointer, atMs: now() });
    },
    readStaged: async (ref, version) => {
      const key = stagedKey({ layer: ref.layer, name: ref.table }, ref.window, version);
      const known = staged.get(key);
      if (known !== undefined && now() - known.atMs <= stagedMs) return known.pointer;
      const pointer = await readStaged(objects, ref, version);
      staged.set(key, { pointer, atMs: now() });
      return pointer;
    },
  };
}

function valuesOf(found: readonly Found[]): readonly Pointer[] {
  return found.flatMap((pointer) => (pointer === null ? [] : [pointer.value]));
}
