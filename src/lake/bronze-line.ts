import type { FieldRule } from './dataset.ts';
import type { Placement } from './placement.ts';

/*
 * One record as one line of JSON. The lines of a batch are its raw copy, and, for the records that
 * every JSON reader understands alike, also what the engine encodes:
 *
 *   {"offset":12,"timestamp":1787320800000,"key":"user-1","value":{…}}
 *
 * A record without key or headers has neither field. `value` holds the bytes of the record as they came where they are a JSON object on one line, else
 * it is null and `value_base64` has them; likewise `key` and `key_base64`. Offsets pass 2^53, so the
 * line is never read as one number-losing object where the offset matters.
 */

/** Columns of bronze that come from the line itself, and how the engine's SQL names their source. */
export const lineColumns = {
  _offset: 'offset',
  _kafka_ts: 'timestamp',
  _key: 'key',
  _headers: 'headers',
  _extra: 'extra',
  _raw: 'raw',
  _type_errors: 'type_errors',
} as const;

/** What stands before the value in every line. `key` and `headers` are fields of JSON, or nothing. */
export function lineStart(
  offset: string,
  timestampMs: number,
  { key, headers }: { readonly key: string; readonly headers: string },
): string {
  return `{"offset":${offset},"timestamp":${timestampMs}${key}${headers}`;
}

/** A field of a line, with the comma before it; nothing for what is not there. */
export function lineField(name: 'key' | 'key_base64' | 'headers', json: string | null): string {
  return json === null ? '' : `,"${name}":${json}`;
}

/**
 * The line by which the engine reads a record that is not plain: written anew from what placeRecord
 * understood of it.
 */
export function placedLine(
  start: string,
  { values, extra, raw, typeErrors }: Placement & { readonly kind: 'placed' },
  fields: readonly FieldRule[],
): string {
  const value = Object.fromEntries(fields.map((field) => [field.wireName, values[field.column]]));
  const rest = {
    extra,
    raw,
    type_errors: typeErrors.length === 0 ? null : typeErrors.join(','),
    value,
  };
  return `${start},${JSON.stringify(rest).slice(1)}\n`;
}
