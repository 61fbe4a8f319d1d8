import type { Dataset } from './dataset.ts';
import type { Found } from './janitor-tally.ts';
import { goldBuildId, silverBuildId } from './messages.ts';
import type { Pointer } from './pointer.ts';
import type { Table, WindowedTable } from './table.ts';
import { formatInstant } from './time.ts';
import { type WindowId, overlapping, windowOf } from './window.ts';

/*
 * What the janitor may remove of one date of a table. It never trusts one look: what nothing names is
 * marked with the time, and removed by a later run, when it has been without a name for the whole
 * grace. So whoever read a pointer or the catalog before has had that long to finish.
 */

/** Objects that stay or go together: the folder of a version, or one object. */
export type Remain = {
  readonly kind: 'versions' | 'staged' | 'quarantine' | 'checkResults';
  /** Folder or key: its name among the marks. */
  readonly name: string;
  readonly window: WindowId;
  readonly version: string;
  readonly objects: readonly Found[];
};

/**
 * Since when a remain has had no name, and which version of its window was current then. A version of
 * the same name may be built, published and followed by another between two looks: whoever read it
 * has the whole grace from the first look after that.
 */
export type Mark = { readonly since: string; readonly current: string | null };

/** By folder or key. */
export type Marks = Readonly<Record<string, Mark>>;

export type DateFacts = {
  readonly nowMs: number;
  readonly graceMs: number;
  /** Check results of windows before this date may go; `null`: none. */
  readonly checkResultsBefore: string | null;
  /** The retention of this date has passed: nothing of it is built any more. */
  readonly isGivenUp: boolean;
  /** Of this date. */
  readonly pointers: readonly CurrentPointer[];
  /** Folders that the catalog names. */
  readonly registered: readonly string[];
  readonly remains: readonly Remain[];
  readonly marks: Marks;
};

export type CurrentPointer = Pick<
  Pointer,
  'window' | 'version' | 'sequence' | 'files' | 'quarantineKeys'
>;

export type DateDecision = {
  /** What may go, unless a build of its window runs. */
  readonly due: readonly Remain[];
  /** What nothing names, and what is due as long as it is there. */
  readonly marks: Marks;
  readonly waiting: number;
};

/** Keeps what a pointer or the catalog names, and what a build may still publish. */
export function decideDate(facts: DateFacts): DateDecision {
  const current = new Map(facts.pointers.map((pointer) => [pointer.window, pointer]));
  const named = namesOf(facts);
  const staged = new Set(
    facts.remains.filter(({ kind }) => kind === 'staged').map((remain) => versionName(remain)),
  );
  const unneeded = facts.remains.filter((remain) => !isNeeded(remain, facts, named, current));
  const marks = Object.fromEntries(
    unneeded.map(({ name, window }): [string, Mark] => {
      const version = current.get(window)?.version ?? null;
      const known = facts.marks[name];
      if (known !== undefined && known.current === version) return [name, known];
      return [name, { since: formatInstant(facts.nowMs), current: version }];
    }),
  );
  const due = unneeded.filter((remain) => {
    const sinceMs = Date.parse(marks[remain.name]!.since);
    if (facts.nowMs - sinceMs < facts.graceMs) return false;
    // Without what was staged a version cannot be published; so that goes in an earlier run.
    const isNewer = sequenceOf(remain) > (current.get(remain.window)?.sequence ?? 0);
    const mayBePublished = isNewer && staged.has(versionName(remain)) && !facts.isGivenUp;
    return remain.kind !== 'versions' || !mayBePublished;
  });
  return { due, marks, waiting: unneeded.length - due.length };
}

/** Marks of what is left after a run. */
export function withoutRemoved(marks: Marks, removed: readonly Remain[]): Marks {
  const names = new Set(removed.map(({ name }) => name));
  return Object.fromEntries(Object.entries(marks).filter(([name]) => !names.has(name)));
}

type Names = { readonly folders: ReadonlySet<string>; readonly keys: ReadonlySet<string> };

function namesOf({ pointers, registered }: DateFacts): Names {
  const files = pointers.flatMap((pointer) => pointer.files.map(({ key }) => folderOf(key)));
  return {
    folders: new Set([...files, ...registered]),
    keys: new Set(pointers.flatMap(({ quarantineKeys }) => quarantineKeys)),
  };
}

function isNeeded(
  { kind, name, window, version }: Remain,
  { checkResultsBefore }: DateFacts,
  named: Names,
  current: ReadonlyMap<WindowId, CurrentPointer>,
): boolean {
  switch (kind) {
    case 'versions':
      return named.folders.has(name);
    case 'quarantine':
      return named.keys.has(name);
    case 'staged':
      // Gates of gold read the silver version that gold was made from here.
      return current.get(window)?.version === version;
    case 'checkResults':
      return (
        current.get(window)?.version === version ||
        checkResultsBefore === null ||
        window.slice(0, 10) >= checkResultsBefore
      );
  }
}

function versionName({ window, version }: Remain): string {
  return `${window}/${version}`;
}

function sequenceOf({ version }: Remain): number {
  return Number(/^\d+/.exec(version)?.[0] ?? 0);
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** Ids of the workflows that may read or publish versions of a window. */
export function buildsThatNeed(
  dataset: Pick<Dataset, 'name' | 'gold'>,
  table: WindowedTable,
  window: WindowId,
): readonly string[] {
  if (table.layer === 'gold') return [goldBuildId(table.name, window)];
  const gold = dataset.gold.flatMap(({ name, grain }) =>
    overlapping(windowOf(window), grain).map(({ id }) => goldBuildId(name, id)),
  );
  return [silverBuildId(dataset.name, window), ...gold];
}

/** The files of a table as folders of versions; what Ingot has not named is left out. */
export function versionRemains(
  table: Pick<Table, 'partitionColumns'> & Pick<WindowedTable, 'grain'>,
  objects: readonly Found[],
): readonly Remain[] {
  const folders = new Map<string, Remain>();
  for (const object of objects) {
    const name = folderOf(object.key);
    const known = folders.get(name);
    const place = known ?? placeOf(table, name);
    if (place === null) continue;
    const before = known?.objects ?? [];
    folders.set(name, { kind: 'versions', name, ...place, objects: [...before, object] });
  }
  return [...folders.values()];
}

function placeOf(
  table: Parameters<typeof versionRemains>[0],
  folder: string,
): { readonly window: WindowId; readonly version: string } | null {
  const parts = folder.split('/').slice(0, -1);
  const version = parts.at(-1) ?? '';
  const date = valueOf(parts, table.partitionColumns[0]?.name ?? '');
  const hour = table.grain === 'hour' ? valueOf(parts, 'hour') : '';
  if (!isVersion(version) || date === null || hour === null) return null;
  return { window: hour === '' ? date : `${date}T${hour}`, version };
}

function valueOf(parts: readonly string[], column: string): string | null {
  const found = parts.find((part) => part.startsWith(`${column}=`));
  return found === undefined ? null : found.slice(column.length + 1);
}

/** Objects `…<window>/<version>.<suffix>`: staged pointers and check results. */
export function windowRemains(
  kind: 'staged' | 'checkResults',
  objects: readonly Found[],
): readonly Remain[] {
  return objects.flatMap((object) => {
    const [window = '', file = ''] = object.key.split('/').slice(-2);
    const version = file.slice(0, file.lastIndexOf('.'));
    if (!isVersion(version)) return [];
    return [{ kind, name: object.key, window, version, objects: [object] }];
  });
}

export function quarantineRemains(objects: readonly Found[]): readonly Remain[] {
  return objects.flatMap((object) => {
    const parts = object.key.split('/');
    const version = (parts.at(-1) ?? '').slice(0, -'.parquet'.length);
    const [date, hour] = [valueOf(parts, 'event_date'), valueOf(parts, 'hour')];
    if (!isVersion(version) || date === null || hour === null) return [];
    const window = `${date}T${hour}`;
    return [{ kind: 'quarantine' as const, name: object.key, window, version, objects: [object] }];
  });
}

function isVersion(text: string): boolean {
  return /^\d{6}-[0-9a-f]{12}$/.test(text);
}

// ── Batches ─────────────────────────────────────────────────────────────────────────────────────

/** Whether every row of a batch is in silver, or in a window that is given up. */
export function isBuilt(
  seal: { readonly log: string; readonly number: number; readonly windows: readonly WindowId[] },
  pointerOf: (window: WindowId) => Pick<Pointer, 'logs'> | null,
  isGivenUp: (window: WindowId) => boolean,
): boolean {
  return seal.windows.every(
    (window) =>
      isGivenUp(window) || (pointerOf(window)?.logs[seal.log]?.through ?? -1) >= seal.number,
  );
}
