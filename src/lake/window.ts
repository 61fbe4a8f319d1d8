import type { Grain } from './table.ts';
import {
  dayMs,
  formatInstant,
  formatSqlTimestamp,
  hourMs,
  startOfDay,
  startOfHour,
} from './time.ts';

/*
 * A window is one UTC hour or day of event time, `[start, end)`. Its id is its start, cut to its
 * grain: `2026-08-21T13` or `2026-08-21`. Windows of a grain tile time without gap or overlap.
 */

export type WindowId = string;

export type Window = {
  readonly id: WindowId;
  readonly grain: Grain;
  readonly startMs: number;
  readonly endMs: number;
};

const idPattern = /^\d{4}-\d{2}-\d{2}(T\d{2})?$/;

/** The window of this grain that holds an instant. */
export function windowAt(ms: number, grain: Grain): Window {
  return grain === 'hour' ? make(startOfHour(ms), 'hour') : make(startOfDay(ms), 'day');
}

/** The window of an id; `null` when it is none. */
export function parseWindowId(id: string): Window | null {
  if (!idPattern.test(id)) return null;
  const grain: Grain = id.includes('T') ? 'hour' : 'day';
  const startMs = Date.parse(grain === 'hour' ? `${id}:00:00.000Z` : `${id}T00:00:00.000Z`);
  // Date.parse rolls 30 February over into March, and hour 24 into the next day.
  if (new Date(startMs).getUTCDate() !== Number(id.slice(8, 10))) return null;
  return { id, grain, startMs, endMs: startMs + lengthMs(grain) };
}

/** The window of an id that Ingot made itself. */
export function windowOf(id: WindowId): Window {
  const window = parseWindowId(id);
  if (window === null) throw new Error(`not a window id: ${id}`);
  return window;
}

/** The windows of a grain that share time with a window: itself, its day, or its 24 hours. */
export function overlapping(window: Window, grain: Grain): readonly Window[] {
  if (grain === window.grain) return [window];
  if (grain === 'day') return [windowAt(window.startMs, 'day')];
  // Often asked for, so the ids are not worked out from times.
  return hoursOfDay.map((hour, index) => {
    const startMs = window.startMs + index * hourMs;
    return { id: `${window.id}T${hour}`, grain, startMs, endMs: startMs + hourMs };
  });
}

const hoursOfDay = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));

/** UTC dates, inclusive. Null: no bound. */
export type DateRange = { readonly dateFrom: string | null; readonly dateTo: string | null };

/** Whether the date of a window lies in the range; a window never has two. */
export function isWithinDates(id: WindowId, { dateFrom, dateTo }: DateRange): boolean {
  const { date } = windowDateAndHour(windowOf(id));
  return (dateFrom === null || date >= dateFrom) && (dateTo === null || date <= dateTo);
}

/** The window after this one. */
export function nextWindow(window: Window): Window {
  return windowAt(window.endMs, window.grain);
}

/** Bounds as SQL parameters: `$window_start` inclusive, `$window_end` exclusive. */
export function windowParameters(window: Window): { window_start: string; window_end: string } {
  return {
    window_start: formatSqlTimestamp(window.startMs),
    window_end: formatSqlTimestamp(window.endMs),
  };
}

/** Values of `event_date` and, for hours, `hour`. */
export function windowDateAndHour(window: Window): { date: string; hour: string | null } {
  const text = formatInstant(window.startMs);
  return {
    date: text.slice(0, 10),
    hour: window.grain === 'hour' ? text.slice(11, 13) : null,
  };
}

function make(startMs: number, grain: Grain): Window {
  const length = grain === 'hour' ? 13 : 10;
  return {
    id: formatInstant(startMs).slice(0, length),
    grain,
    startMs,
    endMs: startMs + lengthMs(grain),
  };
}

function lengthMs(grain: Grain): number {
  return grain === 'hour' ? hourMs : dayMs;
}
