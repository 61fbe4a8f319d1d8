import type { Grain } from './table.ts';
import { dayMs, hourMs, startOfDay } from './time.ts';
import { type Window, type WindowId, overlapping, windowAt, windowOf } from './window.ts';

/*
 * The windows of one day as bits, so that what is left of a day is a few numbers: bit h is the hour h;
 * a window of a whole day is bit 0.
 */

export type Mask = number;

/** First and last hour, both inclusive. */
export type HourRange = { readonly from: WindowId; readonly to: WindowId };

export type GoldTables = readonly { readonly name: string; readonly grain: Grain }[];

/** What is left to be asked for of a day. Tables without windows are left out. */
export type DayTodo = {
  readonly silver: Mask;
  readonly gold: Readonly<Record<string, Mask>>;
};

export function dayOf(window: WindowId): WindowId {
  return window.slice(0, 10);
}

export function bitOf(window: WindowId): Mask {
  return window.length === 10 ? 1 : 1 << Number(window.slice(11, 13));
}

/** The windows of a day that the bits name, ascending. */
export function windowsOf(day: WindowId, grain: Grain, mask: Mask): readonly WindowId[] {
  if (grain === 'day') return (mask & 1) === 0 ? [] : [day];
  const found: WindowId[] = [];
  for (let hour = 0; hour < 24; hour += 1) {
    if ((mask & (1 << hour)) !== 0) found.push(`${day}T${String(hour).padStart(2, '0')}`);
  }
  return found;
}

/** The windows of a day that share time with the range. */
export function windowsInDay(range: HourRange, day: WindowId, grain: Grain): readonly Window[] {
  const [firstMs, endMs] = [windowOf(range.from).startMs, windowOf(range.to).endMs];
  const all = overlapping(windowOf(day), grain);
  return all.filter((window) => window.endMs > firstMs && window.startMs < endMs);
}

/** How many windows of a grain share time with the range. */
export function windowsInRange(range: HourRange, grain: Grain): number {
  if (grain === 'day') return daysBetween(range.from, range.to).length;
  return (windowOf(range.to).endMs - windowOf(range.from).startMs) / hourMs;
}

/** The days that a range touches, ascending. */
export function daysBetween(from: WindowId, to: WindowId): readonly WindowId[] {
  const firstMs = startOfDay(windowOf(from).startMs);
  const count = Math.floor((startOfDay(windowOf(to).startMs) - firstMs) / dayMs) + 1;
  return Array.from({ length: count }, (_, index) => windowAt(firstMs + index * dayMs, 'day').id);
}

export function maskOf(windows: readonly WindowId[]): Mask {
  return windows.reduce((mask, window) => mask | bitOf(window), 0);
}

export function countOf(mask: Mask): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count += 1;
  return count;
}

export function isTodo({ silver, gold }: DayTodo): boolean {
  return silver !== 0 || Object.values(gold).some((mask) => mask !== 0);
}
