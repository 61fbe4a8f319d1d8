import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../../src/errors.ts';
import { listKeys, readKey } from './lake-files.ts';
import { readRows } from './lake-rows.ts';
import { type LakeView, objectVersions, pointerHistory, seenPartitions } from './lake-view.ts';
import { idsText } from './transform-expected.ts';

/*
 * An engine that knows nothing but the catalog: it asks it again and again where the table partitions
 * lie, lists what is there, and reads it. What it has seen is judged afterwards.
 */

/** What lay in the folder of a registered table partition. */
export type Sight = {
  readonly layer: string;
  readonly table: string;
  readonly values: readonly string[];
  readonly folder: string;
  readonly keys: readonly string[];
  readonly rows: number;
  /** Of silver. */
  readonly ids: string;
  /** Versions that were published when it was first seen. */
  readonly published: readonly string[];
};

export type Watched = {
  readonly sights: readonly Sight[];
  readonly looks: number;
  /** Rows that were listed, look by look. */
  readonly rowsListed: number;
  readonly problems: readonly string[];
};

export type Watcher = { readonly stop: () => Promise<Watched> };

type WatchedTable = { readonly layer: string; readonly table: string };

const pauseMs = 150;
const problemsMax = 5;

export function startWatcher(view: LakeView, tables: readonly WatchedTable[]): Watcher {
  const sights = new Map<string, Sight>();
  const problems = new Set<string>();
  let [looks, rowsListed, going] = [0, 0, true];
  const look = async ({ layer, table }: WatchedTable): Promise<void> => {
    for (const { values, folder } of await seenPartitions(view, layer, table)) {
      const keys = await listKeys(view.s3, view.bucket, folder);
      const name = [folder, ...keys].join(' ');
      const known = sights.get(name);
      const sight =
        known ?? (await lookClosely(view, { layer, table, values, folder, keys }, sights));
      sights.set(name, sight);
      rowsListed += sight.rows;
    }
  };
  const run = async (): Promise<void> => {
    while (going) {
      try {
        for (const table of tables) await look(table);
        looks += 1;
      } catch (error) {
        problems.add(`the watcher could not read: ${messageOf(error)}`);
      }
      await pause(pauseMs);
    }
  };
  const running = run();
  return {
    stop: async () => {
      going = false;
      await running;
      const told = [...problems].slice(0, problemsMax);
      return { sights: [...sights.values()], looks, rowsListed, problems: told };
    },
  };
}

async function lookClosely(
  view: LakeView,
  seen: Pick<Sight, 'layer' | 'table' | 'values' | 'folder' | 'keys'>,
  sights: ReadonlyMap<string, Sight>,
): Promise<Sight> {
  const { layer, table, folder, keys } = seen;
  const column = layer === 'silver' ? ['event_id'] : undefined;
  const rows = await Promise.all(
    keys.map(async (key) => readRows(await readKey(view.s3, view.bucket, key), column)),
  );
  // A folder that has changed since it was seen first is judged by when it was seen first.
  const before = [...sights.values()].find((sight) => sight.folder === folder);
  const published =
    before?.published ?? (await publishedVersions(view, `_current/${layer}/${table}/`));
  const all = rows.flat();
  const ids = layer === 'silver' ? idsText(all.map((row) => String(row['event_id']))) : '';
  return { ...seen, rows: all.length, ids, published };
}

async function publishedVersions(view: LakeView, prefix: string): Promise<readonly string[]> {
  const history = await pointerHistory(view, prefix);
  return [...history.values()].flat().map(({ version }) => version);
}

/** Files of versions that were ever written with other bytes. */
export async function overwritten(view: LakeView): Promise<readonly string[]> {
  const folders = ['silver/', 'gold/', 'quarantine/'];
  const found = await Promise.all(folders.map((folder) => objectVersions(view, folder)));
  return found.flatMap((byKey) =>
    [...byKey]
      .filter(([, versions]) => new Set(versions.map(({ etag }) => etag)).size > 1)
      .map(([key]) => key),
  );
}
