import { IngotError } from '../errors.ts';
import {
  bronzePartitionValues,
  ingestFiledPrefix,
  ingestHourOf,
  pointerPrefix,
} from '../lake/paths.ts';
import type { Pointer } from '../lake/pointer.ts';
import {
  type RegisteredPartition,
  diffPartitions,
  leadingValues,
  wantedPartitions,
} from '../lake/registration.ts';
import { goneBefore } from '../lake/retention.ts';
import type { Table } from '../lake/table.ts';
import { windowOf } from '../lake/window.ts';
import type { CatalogTable } from '../ports.ts';
import {
  type CatalogDeps,
  applyDiff,
  catalogTable,
  registeredPartitions,
} from './catalog-tables.ts';
import { readJson } from './json-objects.ts';
import { readRetention } from './retention.ts';

/*
 * The catalog made anew from the lake: tables from the dataset, table partitions of silver and gold
 * from the pointers, those of bronze from the ingest hours that hold batches.
 */

/** What was different, or is, in a dry run. */
export type TableRepair = {
  readonly layer: Table['layer'];
  readonly table: string;
  readonly isMissing: boolean;
  readonly put: number;
  readonly removed: number;
  readonly partitions: number;
};

export type RepairOptions = {
  readonly dryRun: boolean;
  /** Only the table partitions of this date, of a table that has windows. */
  readonly date?: string;
  /** Called with what is being read, for whoever watches. */
  readonly onProgress?: (table: string, partitions: number) => void;
};

/** Pointers may move while they are read; each round begins with what has moved since. */
const roundsMax = 5;
const readsAtOnce = 64;

export async function repairCatalog(
  deps: CatalogDeps,
  options: RepairOptions,
): Promise<readonly TableRepair[]> {
  const { bronze, silver, gold } = deps.dataset;
  const repairs: TableRepair[] = [];
  for (const table of [bronze, silver, ...gold]) {
    repairs.push(await repairTable(deps, table, options));
  }
  return repairs;
}

/** Makes all of a table equal to the lake, and looks again until the lake has not moved meanwhile. */
export async function repairTable(
  deps: CatalogDeps,
  table: Table,
  { dryRun, date, onProgress }: RepairOptions,
): Promise<TableRepair> {
  const target = catalogTable(deps, table);
  const leading = date === undefined ? [] : leadingValues(windowOf(date));
  const prefix = `${pointerPrefix(table)}${date ?? ''}`;
  const lake =
    table.layer === 'bronze' ? bronzeHours(deps) : pointersOf(deps, { table, prefix, onProgress });
  let first: TableRepair | null = null;
  for (let round = 0; round < roundsMax; round += 1) {
    const wanted = await lake.read();
    const found = await partitionsOf(deps, target, leading);
    const diff = diffPartitions(wanted, found ?? []);
    first ??= {
      layer: table.layer,
      table: table.name,
      isMissing: found === null,
      put: diff.put.length,
      removed: diff.remove.length,
      partitions: wanted.length,
    };
    if (dryRun) return first;
    await deps.ports.catalog.ensureTable(target);
    await applyDiff(deps, target, diff, 'new');
    if (await lake.stands()) return first;
  }
  throw new IngotError('CATALOG_UNSETTLED', 'the lake kept moving while its catalog was repaired', {
    retryable: true,
    facts: { table: table.name, rounds: roundsMax },
  });
}

/** `null` when the catalog does not have the table. */
export async function partitionsOf(
  deps: CatalogDeps,
  target: CatalogTable,
  leadingValues: readonly string[] = [],
): Promise<readonly RegisteredPartition[] | null> {
  try {
    const found = await deps.ports.catalog.listPartitions(target, leadingValues);
    return registeredPartitions(deps, found);
  } catch (error) {
    if (error instanceof IngotError && error.code === 'CATALOG_UNSETTLED') return null;
    throw error;
  }
}

type LakeSide = {
  readonly read: () => Promise<readonly RegisteredPartition[]>;
  /** Whether what was read last is still what there is. */
  readonly stands: () => Promise<boolean>;
};

/** Every pointer is read once, and again only when it has moved. */
function pointersOf(
  { ports }: CatalogDeps,
  {
    table,
    prefix,
    onProgress,
  }: {
    readonly table: Table;
    readonly prefix: string;
    readonly onProgress: RepairOptions['onProgress'];
  },
): LakeSide {
  const known = new Map<
    string,
    { readonly etag: string; readonly wanted: RegisteredPartition[] }
  >();
  const list = () => ports.objects.listObjects(prefix);
  return {
    read: async () => {
      const listed = await list();
      const keys = new Set(listed.map(({ key }) => key));
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
      const moved = listed.filter(({ key, etag }) => known.get(key)?.etag !== etag);
      for (let at = 0; at < moved.length; at += readsAtOnce) {
        const some = moved.slice(at, at + readsAtOnce);
        const read = await Promise.all(
          some.map(({ key }) => readJson<Pointer>(ports.objects, key)),
        );
        for (const [index, pointer] of read.entries()) {
          const { key } = some[index]!;
          if (pointer === null) known.delete(key);
          else {
            const wanted = wantedPartitions(table, pointer.value);
            known.set(key, { etag: pointer.etag, wanted });
          }
        }
        onProgress?.(table.name, at + some.length);
      }
      return [...known.values()].flatMap(({ wanted }) => wanted);
    },
    stands: async () => {
      const listed = await list();
      return (
        listed.length === known.size &&
        listed.every(({ key, etag }) => known.get(key)?.etag === etag)
      );
    },
  };
}

/** One request for each ingest hour. An hour that fills while this runs is registered by the owner. */
function bronzeHours({ ports, dataset }: CatalogDeps): LakeSide {
  const prefix = ingestFiledPrefix(dataset.name, 'bronze');
  return {
    read: async () => {
      const { retention } = await readRetention(ports.objects, dataset.name);
      const bound = Date.parse(goneBefore(retention, 'bronze') ?? '');
      const hours: RegisteredPartition[] = [];
      for (let startAfter = prefix; ;) {
        const [next] = await ports.objects.listObjects(prefix, { startAfter, limit: 1 });
        if (next === undefined) return hours;
        const hour = ingestHourOf(next.key);
        // '0' is the character after '/': past everything in the folder.
        startAfter = hour === null ? next.key : `${hour.folder.slice(0, -1)}0`;
        if (hour === null || hour.startMs < bound) continue;
        hours.push({ values: bronzePartitionValues(hour.startMs), folder: hour.folder, rows: 0 });
      }
    },
    stands: () => Promise.resolve(true),
  };
}
