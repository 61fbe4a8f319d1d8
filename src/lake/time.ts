/*
 * Instants are ISO-8601 UTC strings with milliseconds at every boundary, and milliseconds since the
 * epoch inside. Nothing here reads a clock.
 */

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const instantPattern =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds of an ISO-8601 date-time with `Z` or an offset; `null` for anything else, also for a
 * date that does not exist. Digits beyond milliseconds are cut off. These are the texts that zod
 * takes in a contract: what ingest can place and what a contract allows must not differ.
 */
export function parseInstant(text: string): number | null {
  const match = instantPattern.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = match;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [y, mo, d, h, mi, s] = parts;
  if (h > 23 || mi > 59 || s > 59) return null;
  const midnight = Date.UTC(y, mo - 1, d);
  // Date.UTC rolls 30 February over into March; a date that changes under it does not exist.
  const rolled = new Date(midnight);
  if (y < 100 || rolled.getUTCMonth() !== mo - 1 || rolled.getUTCDate() !== d) return null;
  const offset = parseOffset(zone);
  if (offset === null) return null;
  return midnight + h * hourMs + mi * minuteMs + s * secondMs + milliseconds - offset;
}

function parseOffset(zone: string): number | null {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * hourMs + minutes * minuteMs);
}

const leastMs = Date.UTC(100, 0, 1);
const endMs = Date.UTC(10_000, 0, 1);

/** Whether formatInstant writes what parseInstant reads: years from 0100 to 9999. */
export function hasFourDigitYear(ms: number): boolean {
  return ms >= leastMs && ms < endMs;
}

/**
 * The nearest instant that every text and every table has room for. A broker's time may be anything: a
 * producer that counts microseconds gives one in the year 58000.
 */
export function nearestInstant(ms: number): number {
  return Math.min(Math.max(ms, leastMs), endMs - 1);
}

/** `2026-08-21T13:05:00.000Z`. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** `2026-08-21 13:05:00`, the way SQL casts read it in every engine; milliseconds only if any. */
export function formatSqlTimestamp(ms: number): string {
  const text = formatInstant(ms).replace('T', ' ').replace('Z', '');
  return text.endsWith('.000') ? text.slice(0, -4) : text;
}

export function startOfHour(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs;
}

export function startOfDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}
