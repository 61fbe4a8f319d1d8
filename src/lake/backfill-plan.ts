import type { BackfillRange } from './backfill.ts';
import {
  type DayTodo,
  type GoldTables,
  type Mask,
  bitOf,
  maskOf,
  windowsInDay,
} from './backfill-days.ts';
import { type Window, type WindowId, overlapping, windowAt, windowOf } from './window.ts';

/* What there is to do on one day of a backfill, from what lies in the lake. */

export type DayFacts = {
  readonly day: WindowId;
  /** Hours that have a version. */
  readonly silver: Mask;
  /** Hours of which bronze has rows. */
  readonly rows: Mask;
  /** Windows that have a version, by table. */
  readonly gold: Readonly<Record<string, Mask>>;
};

export type LakeBounds = {
  /** The first hour that has rows or a version; null in an empty lake. */
  readonly firstHour: WindowId | null;
  /** Hours from here on are open: regular builds take them. Null: the owner knows of none. */
  readonly openFrom: WindowId | null;
  /** ISO-8601; windows before are past their retention. */
  readonly silverKeptFrom: string | null;
  readonly goldKeptFrom: string | null;
};

export type DayPlan = DayTodo & {
  readonly day: WindowId;
  readonly skipped: number;
  readonly empty: number;
};

type Choice = 'todo' | 'skipped' | 'empty';

/** Whoever asks for all windows or for those that are missing. */
export function planDay(
  range: BackfillRange,
  facts: DayFacts,
  { bounds, gold }: { readonly bounds: LakeBounds; readonly gold: GoldTables },
): DayPlan {
  const tally = { skipped: 0, empty: 0 };
  const choose = (windows: readonly Window[], choice: (window: Window) => Choice): Mask =>
    windows.reduce((mask, window) => {
      const chosen = choice(window);
      if (chosen === 'todo') return mask | bitOf(window.id);
      tally[chosen] += 1;
      return mask;
    }, 0);
  const silver = range.layers.includes('silver')
    ? choose(windowsInDay(range, facts.day, 'hour'), (hour) =>
        silverChoice(range, facts, { hour, bounds }),
      )
    : 0;
  const tables = range.layers.includes('gold') ? gold : [];
  const masks = tables.map(({ name, grain }) => {
    const has = facts.gold[name] ?? 0;
    const made = facts.silver | silver;
    const mask = choose(windowsInDay(range, facts.day, grain), (window) =>
      goldChoice(range, { window, has, made, bounds }),
    );
    return [name, mask] as const;
  });
  return {
    day: facts.day,
    silver,
    gold: Object.fromEntries(masks.filter(([, mask]) => mask !== 0)),
    ...tally,
  };
}

function silverChoice(
  { only }: BackfillRange,
  facts: DayFacts,
  { hour, bounds }: { readonly hour: Window; readonly bounds: LakeBounds },
): Choice {
  const bit = bitOf(hour.id);
  if (isOpenAt(hour, bounds) || isBefore(hour, bounds.silverKeptFrom)) return 'skipped';
  const exists = (facts.silver & bit) !== 0;
  const first = bounds.firstHour;
  // An empty version says that an hour brought nothing; before the first record there is no need to.
  if (!exists && (facts.rows & bit) === 0 && (first === null || hour.id < first)) return 'empty';
  return only === 'missing' && exists ? 'skipped' : 'todo';
}

function goldChoice(
  { only }: BackfillRange,
  about: {
    readonly window: Window;
    readonly has: Mask;
    readonly made: Mask;
    readonly bounds: LakeBounds;
  },
): Choice {
  const { window, has, made, bounds } = about;
  if (isOpenAt(window, bounds) || isBefore(window, bounds.goldKeptFrom)) return 'skipped';
  const hours = overlapping(window, 'hour');
  // Of a day whose silver is partly gone there would be less than there was.
  if (hours.some((hour) => isBefore(hour, bounds.silverKeptFrom))) return 'skipped';
  const exists = (has & bitOf(window.id)) !== 0;
  if (!exists && (maskOf(hours.map(({ id }) => id)) & made) === 0) return 'empty';
  return only === 'missing' && exists ? 'skipped' : 'todo';
}

function isOpenAt({ endMs }: Window, { openFrom }: LakeBounds): boolean {
  return openFrom !== null && endMs > windowOf(openFrom).startMs;
}

function isBefore({ startMs }: Window, instant: string | null): boolean {
  return instant !== null && startMs < Date.parse(instant);
}

/** Whoever asks for what is parked: `failed` are the ids of those windows, by table. */
export function planFailedDay(
  range: BackfillRange,
  day: WindowId,
  failed: {
    readonly silver: readonly WindowId[];
    readonly gold: Readonly<Record<string, readonly WindowId[]>>;
    readonly tables: GoldTables;
  },
): DayPlan {
  let skipped = 0;
  const choose = (windows: readonly Window[], wanted: readonly WindowId[]): Mask => {
    const found = windows.filter(({ id }) => wanted.includes(id));
    skipped += windows.length - found.length;
    return maskOf(found.map(({ id }) => id));
  };
  const silver = range.layers.includes('silver')
    ? choose(windowsInDay(range, day, 'hour'), failed.silver)
    : 0;
  const tables = range.layers.includes('gold') ? failed.tables : [];
  const masks = tables.map(
    ({ name, grain }) =>
      [name, choose(windowsInDay(range, day, grain), failed.gold[name] ?? [])] as const,
  );
  return {
    day,
    silver,
    gold: Object.fromEntries(masks.filter(([, mask]) => mask !== 0)),
    skipped,
    empty: 0,
  };
}

/** The gold windows that are made from an hour, added to what is to be done of its day. */
export function withGoldOf(todo: DayTodo, hour: WindowId, gold: GoldTables): DayTodo {
  const masks = gold.map(({ name, grain }) => {
    const window = windowAt(windowOf(hour).startMs, grain);
    return [name, (todo.gold[name] ?? 0) | bitOf(window.id)] as const;
  });
  return { silver: todo.silver, gold: { ...todo.gold, ...Object.fromEntries(masks) } };
}
