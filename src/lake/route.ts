import type { BatchFacts } from './checkpoint.ts';
import type { WildFound } from './owner-parts.ts';
import type { Routed } from './owner-state.ts';
import type { LogName } from './paths.ts';
import { wildWindows, windowsByNearness, withoutWild } from './wild-times.ts';
import type { WindowId } from './window.ts';

/* What looks at sealed batches answer: bounded, since every answer stays in the owner's history. */

/** Windows of an answer, each counted once for every log; the next look goes on behind them. */
export const touchesMax = 400;

/** Windows of one portion of what was held: no more are built for it at once. */
export const wildPortionMax = 24;

type Range = { readonly log: LogName; readonly first: number; readonly through: number };
type Touch = Routed['windows'][number];

/**
 * Which windows batches touch. Batches are taken in the order of their ingest hours, at least one, and
 * as many as the answer has room for. `batches` are all that are sealed in the ranges, ascending by log.
 */
export function routeOf(
  batches: readonly BatchFacts[],
  ranges: readonly Range[],
  windowsMax: number,
): { readonly routed: Routed; readonly taken: readonly BatchFacts[] } {
  const touches = new Map<string, Touch>();
  const wild = new Map<LogName, WildFound>();
  const taken: BatchFacts[] = [];
  const ordered = inOrderOfIngest(batches);
  for (const batch of ordered) {
    const near = Object.entries(withoutWild(batch, windowsMax).rowsPerEventHour);
    const fresh = near.filter(([window]) => !touches.has(`${window} ${batch.log}`));
    if (taken.length > 0 && touches.size + fresh.length > touchesMax) break;
    taken.push(batch);
    for (const [window, rows] of near) addTouch(touches, batch, window, rows);
    const found = wildOf(batch, wildWindows(batch, windowsMax), windowsMax);
    if (found !== null) wild.set(batch.log, addWild(wild.get(batch.log) ?? null, found));
  }
  const left = ordered.slice(taken.length);
  const through = ranges.map((range) => {
    const next = left.find(({ log }) => log === range.log);
    return [range.log, next === undefined ? range.through : next.number - 1] as const;
  });
  const routed: Routed = {
    through: Object.fromEntries(through),
    windows: [...touches.values()],
    batches: taken.length,
    ...(wild.size > 0 ? { wild: [...wild.values()] } : {}),
  };
  return { routed, taken };
}

/** Each log keeps its order, whatever the clocks of its writers said. */
function inOrderOfIngest(batches: readonly BatchFacts[]): readonly BatchFacts[] {
  const latest = new Map<LogName, WindowId>();
  const known = batches.map((batch) => {
    const before = latest.get(batch.log) ?? '';
    const hour = batch.ingestHour > before ? batch.ingestHour : before;
    latest.set(batch.log, hour);
    return { batch, hour };
  });
  return known
    .sort((a, b) => (a.hour < b.hour ? -1 : Number(a.hour > b.hour)))
    .map(({ batch }) => batch);
}

function addTouch(
  touches: Map<string, Touch>,
  { log, number }: BatchFacts,
  window: WindowId,
  rows: number,
): void {
  const key = `${window} ${log}`;
  const known = touches.get(key);
  touches.set(key, {
    window,
    log,
    first: Math.min(known?.first ?? number, number),
    last: Math.max(known?.last ?? number, number),
    rows: (known?.rows ?? 0) + rows,
  });
}

function wildOf(
  batch: BatchFacts,
  windows: readonly WindowId[],
  windowsMax: number,
): WildFound | null {
  if (windows.length === 0) return null;
  const { log, number, rowsPerEventHour } = batch;
  const ids = windows.toSorted();
  const rows = ids.reduce((sum, id) => sum + (rowsPerEventHour[id] ?? 0), 0);
  const hours = { from: ids[0]!, to: ids.at(-1)! };
  return { log, first: number, last: number, windows: ids.length, rows, hours, windowsMax };
}

function addWild(known: WildFound | null, found: WildFound): WildFound {
  if (known === null) return found;
  return {
    ...found,
    first: Math.min(known.first, found.first),
    last: Math.max(known.last, found.last),
    windows: known.windows + found.windows,
    rows: known.rows + found.rows,
    hours: spanOf(known.hours, found.hours),
  };
}

type Hours = WildFound['hours'];

export function spanOf(a: Hours, b: Hours): Hours {
  return { from: a.from < b.from ? a.from : b.from, to: a.to > b.to ? a.to : b.to };
}

export type WildPortion = {
  /** In their order; they go on behind `after`. */
  readonly windows: readonly { readonly window: WindowId; readonly rows: number }[];
  /** The last of them; null when these batches have no more. */
  readonly after: WindowId | null;
  /** What is beyond the limit of now as well; told with the last portion. */
  readonly wild: readonly WildFound[];
};

/**
 * The next windows of those that were held when `heldFrom` windows of a batch were let go. Of a batch
 * whose limit was raised, `windowsMax` are let go now; Infinity lets all of them go.
 */
export function wildPortionOf(
  batches: readonly BatchFacts[],
  given: {
    readonly heldFrom: number;
    readonly windowsMax: number;
    readonly after: WindowId | null;
    readonly portionMax?: number;
  },
): WildPortion {
  const { heldFrom, windowsMax, after, portionMax = wildPortionMax } = given;
  const rows = new Map<WindowId, number>();
  for (const batch of batches) {
    for (const window of windowsByNearness(batch).slice(heldFrom, windowsMax)) {
      rows.set(window, (rows.get(window) ?? 0) + (batch.rowsPerEventHour[window] ?? 0));
    }
  }
  const ids = [...rows.keys()].filter((id) => after === null || id > after).sort();
  const windows = ids.slice(0, portionMax).map((id) => ({ window: id, rows: rows.get(id)! }));
  if (ids.length > windows.length) return { windows, after: windows.at(-1)!.window, wild: [] };
  const wild = batches.reduce<WildFound | null>((known, batch) => {
    const found = wildOf(batch, wildWindows(batch, windowsMax), windowsMax);
    return found === null ? known : addWild(known, found);
  }, null);
  return { windows, after: null, wild: wild === null ? [] : [wild] };
}
