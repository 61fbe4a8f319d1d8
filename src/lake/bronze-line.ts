/*
 * One record as one line of JSON. The lines of a batch are its raw copy:
 *
 *   {"offset":12,"timestamp":1787320800000,"key":"user-1","value":{…}}
 *
 * A record without key or headers has neither field. `value` holds the bytes of the record as they came where they are a JSON object on one line, else
 * it is null and `value_base64` has them; likewise `key` and `key_base64`. Offsets pass 2^53, so the
 * line is never read as one number-losing object where the offset matters.
 */

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
