/* What a run of the janitor has done, as it travels between its pages and to whoever asked. */

export type Found = { readonly key: string; readonly bytes: number };

const removedKinds = [
  'versions',
  'staged',
  'quarantine',
  'checkResults',
  'pointers',
  'bronze',
  'raw',
  'deadLetters',
  'redrives',
  'landing',
] as const;
type RemovedKind = (typeof removedKinds)[number];
type Removed = { readonly objects: number; readonly bytes: number };

export type Tally = {
  readonly removed: Readonly<Partial<Record<RemovedKind, Removed>>>;
  /** Versions and objects without a name, whose grace is not over. */
  readonly waiting: number;
  /** Past their time and kept, because a build of the window runs. */
  readonly building: number;
  /** Batches past their retention and kept, because some of their rows are in no version yet. */
  readonly notBuilt: number;
  /** Table partitions of which the catalog said something else than the pointers. */
  readonly settled?: number;
};

export const emptyTally: Tally = { removed: {}, waiting: 0, building: 0, notBuilt: 0 };

export function addTallies(left: Tally, right: Tally): Tally {
  const removed = Object.fromEntries(
    removedKinds.flatMap((kind) => {
      const [a, b] = [left.removed[kind], right.removed[kind]];
      if (a === undefined && b === undefined) return [];
      const objects = (a?.objects ?? 0) + (b?.objects ?? 0);
      return [[kind, { objects, bytes: (a?.bytes ?? 0) + (b?.bytes ?? 0) }]];
    }),
  );
  const settled = (left.settled ?? 0) + (right.settled ?? 0);
  return {
    removed,
    ...(settled === 0 ? {} : { settled }),
    waiting: left.waiting + right.waiting,
    building: left.building + right.building,
    notBuilt: left.notBuilt + right.notBuilt,
  };
}

export function tallyOf(kind: RemovedKind, objects: readonly Found[]): Tally {
  if (objects.length === 0) return emptyTally;
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
  return { ...emptyTally, removed: { [kind]: { objects: objects.length, bytes } } };
}

/** `Removed 12 versions (3.4 MiB), 3 staged (0.1 MiB); 4 wait for their grace.` */
export function describeTally({ removed, waiting, settled }: Tally, dryRun: boolean): string {
  const parts = Object.entries(removed).map(
    ([kind, { objects, bytes }]) => `${objects} ${kind} (${(bytes / 1_048_576).toFixed(1)} MiB)`,
  );
  const verb = dryRun ? 'Would remove' : 'Removed';
  const what = parts.length === 0 ? 'nothing' : parts.join(', ');
  const catalog =
    settled === undefined
      ? ''
      : ` ${dryRun ? 'Would settle' : 'Settled'} ${settled} table partitions of the catalog.`;
  return `${verb} ${what}; ${waiting} wait for their grace.${catalog}`;
}
