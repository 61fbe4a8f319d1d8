import type { FieldRule, PlacementRule } from './dataset.ts';
import type { ColumnType } from './table.ts';

/*
 * One record of CSV, from its text to the JSON object that a topic would have brought: so that one
 * parser places and types both alike.
 */

export type ParsedRecord =
  | { readonly kind: 'fields'; readonly fields: readonly string[] }
  | { readonly kind: 'broken'; readonly detail: string };

/** The fields of one whole record, without its line end (RFC 4180). */
export function parseCsvRecord(text: string): ParsedRecord {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      const quoted = quotedField(text, at);
      if (typeof quoted === 'string') return { kind: 'broken', detail: quoted };
      fields.push(quoted.value);
      at = quoted.end;
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      fields.push(text.slice(at, end));
      at = end;
    }
    if (at >= text.length) return { kind: 'fields', fields };
    at += 1;
  }
}

function quotedField(text: string, start: number): { value: string; end: number } | string {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return 'a quote is opened and never closed';
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      const isEnd = end === text.length || text[end] === ',';
      return isEnd ? { value, end } : 'a comma is missing behind a closing quote';
    }
    value += '"';
    at = quote + 2;
  }
}

/** The columns of a file, as its first record names them. */
export type CsvHeader = {
  readonly names: readonly string[];
  /** By column; `null` where the contract knows no such field. */
  readonly rules: readonly (FieldRule | null)[];
};

export type ParsedHeader =
  | { readonly kind: 'header'; readonly header: CsvHeader }
  | { readonly kind: 'unusable'; readonly detail: string };

/**
 * A column is named as the field is in the record, or as its column is in the lake. A file without id or event time
 * is given up as a whole: each of its rows would be the same dead letter.
 */
export function parseCsvHeader(
  fields: readonly string[],
  rules: readonly FieldRule[],
  { idField, timeField }: PlacementRule,
): ParsedHeader {
  const names = fields.map((name) => name.trim());
  const found = names.map(
    (name) =>
      rules.find(({ wireName }) => wireName === name) ??
      rules.find(({ column }) => column === name) ??
      null,
  );
  const wire = names.map((name, index) => found[index]?.wireName ?? name);
  const twice = wire.find((name, index) => wire.indexOf(name) !== index);
  if (twice !== undefined) {
    return {
      kind: 'unusable',
      detail: `the header names the column ${JSON.stringify(twice)} twice`,
    };
  }
  const missing = [idField, timeField].filter((name) => !wire.includes(name));
  if (missing.length > 0) {
    const seen = JSON.stringify(names.join(',').slice(0, 120));
    const detail = `the header lacks ${missing.join(' and ')}; it is ${seen}, wanted commas between names`;
    return { kind: 'unusable', detail };
  }
  return { kind: 'header', header: { names: wire, rules: found } };
}

/**
 * The record as JSON. An empty field is null; a text that is a number or a truth value becomes one
 * where its column is; anything else stays text, and is judged as such.
 */
export function csvRecordJson({ names, rules }: CsvHeader, fields: readonly string[]): string {
  const members = fields.map((text, index) => {
    const type = rules[index]?.type ?? 'string';
    return `${JSON.stringify(names[index])}:${valueJson(text, type)}`;
  });
  return `{${members.join(',')}}`;
}

const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function valueJson(text: string, type: ColumnType): string {
  if (text === '') return 'null';
  switch (type) {
    case 'int':
    case 'bigint':
    case 'double':
    case 'decimal(12,2)':
    case 'decimal(18,2)':
      return numberPattern.test(text) ? text : JSON.stringify(text);
    case 'boolean':
      return text === 'true' || text === 'false' ? text : JSON.stringify(text);
    case 'string':
    case 'date':
    case 'timestamp':
      return JSON.stringify(text);
  }
}
