import { dayMs, hourMs } from './time.ts';
import { type WindowId, windowAt, windowOf } from './window.ts';

/* How single values are written in few bytes: fields between commas, numbers to the base of 36. */

export type Writer = {
  readonly texts: string[];
  readonly baseMs: number;
  readonly text: (text: string) => string;
  readonly time: (ms: number | null) => string;
};
export type Reader = { readonly text: (at: string) => string; readonly baseMs: number };

export function createWriter(baseMs: number): Writer {
  const texts: string[] = [];
  const places = new Map<string, number>();
  return {
    texts,
    baseMs,
    text: (text) => {
      const at = places.get(text) ?? texts.push(text) - 1;
      places.set(text, at);
      return at.toString(36);
    },
    time: (ms) => (ms === null ? '' : (ms - baseMs).toString(36)),
  };
}

export const parse36 = (text: string): number => Number.parseInt(text, 36);
export const number = (value: number): string => (value === 0 ? '' : value.toString(36));
export const readNumber = (text: string): number => (text === '' ? 0 : parse36(text));
export const readTime = (reader: Reader, text: string): number | null =>
  text === '' ? null : reader.baseMs + parse36(text);

export function packId(id: WindowId): string {
  const { grain, startMs } = windowOf(id);
  return grain === 'hour'
    ? `h${(startMs / hourMs).toString(36)}`
    : `d${(startMs / dayMs).toString(36)}`;
}

export function unpackId(text: string): WindowId {
  const count = parse36(text.slice(1));
  return text.startsWith('h')
    ? windowAt(count * hourMs, 'hour').id
    : windowAt(count * dayMs, 'day').id;
}

/** Fields that this file does not know. */
export function unknownIn(window: object, keys: string): object {
  const known = keys.split(' ');
  return Object.fromEntries(Object.entries(window).filter(([key]) => !known.includes(key)));
}

export function joined(fields: readonly string[], rest: object): string {
  if (Object.keys(rest).length > 0) return [...fields, JSON.stringify(rest)].join(',');
  return fields.join(',').replace(/,+$/, '');
}

export function split(
  text: string,
  count: number,
): { readonly fields: readonly string[]; readonly rest: unknown } {
  const parts = text.split(',');
  const rest = parts.slice(count).join(',');
  return { fields: parts.slice(0, count), rest: rest === '' ? {} : JSON.parse(rest) };
}

export function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}
