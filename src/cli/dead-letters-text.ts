import type { FoundLetter } from '../activities/dead-letters.ts';
import type { RedriveAttempt } from '../activities/redrive.ts';
import type { Cell } from './csv.ts';
import { printable } from './printable.ts';

/* Dead letters in the words of a terminal, of JSON and of CSV. Their bytes are anybody's. */

export const listColumns = [
  'id',
  'ingest_time',
  'topic',
  'reason',
  'field',
  'detail',
  'state',
] as const;

export type ListedLetter = Readonly<Record<(typeof listColumns)[number], string | null>>;

export function listed({ letter, state }: FoundLetter): ListedLetter {
  return {
    id: letter.id,
    ingest_time: letter.ingestTime,
    topic: letter.topic,
    reason: letter.reason,
    field: letter.field,
    detail: letter.detail,
    state: state.kind,
  };
}

export function cellsOf(letter: ListedLetter): readonly Cell[] {
  return listColumns.map((column) => letter[column]);
}

const detailCharactersMax = 60;

/** For a terminal: no topic, which the id has, no control characters, and no long details. */
export const tableColumns = ['id', 'ingest time', 'reason', 'field', 'detail', 'state'] as const;

export function tableCells(letter: ListedLetter): readonly Cell[] {
  const detail = printable(letter.detail ?? '');
  const short =
    detail.length > detailCharactersMax ? `${detail.slice(0, detailCharactersMax)}…` : detail;
  return [letter.id, letter.ingest_time, letter.reason, letter.field, short, letter.state];
}

/** `NOT_JSON 3, EMPTY 1; 4 in all`. */
export function countsLine(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, count]) => `${reason} ${count.toLocaleString('en-US')}`);
  return all === 0
    ? 'There are no such dead letters.'
    : `${parts.join(', ')}; ${all.toLocaleString('en-US')} in all`;
}

/** Bytes for JSON: as text where they are UTF-8. */
export type BytesJson = { readonly text: string } | { readonly base64: string } | null;

export function bytesJson(bytes: Uint8Array | null): BytesJson {
  if (bytes === null) return null;
  const text = utf8(bytes);
  return text === null ? { base64: Buffer.from(bytes).toString('base64') } : { text };
}

const hexBytesMax = 64;

/** Bytes for a terminal: text where they are UTF-8, else hex, or base64 where they are many. */
export function bytesText(bytes: Uint8Array | null): string {
  if (bytes === null) return '(null)';
  if (bytes.byteLength === 0) return '(no bytes)';
  const text = utf8(bytes);
  if (text !== null) return printable(text);
  const buffer = Buffer.from(bytes);
  return bytes.byteLength <= hexBytesMax
    ? `hex ${buffer.toString('hex')}`
    : `base64 ${buffer.toString('base64')}`;
}

export function shownJson({ letter, state }: FoundLetter, attempt: RedriveAttempt | null): object {
  return {
    ...letter,
    state: state.kind,
    key: bytesJson(letter.key),
    headers: Object.fromEntries(
      Object.entries(letter.headers).map(([name, values]) => [name, values.map(bytesJson)]),
    ),
    value: bytesJson(letter.value),
    redrive: attempt,
  };
}

export function shownLines(
  { letter, state }: FoundLetter,
  attempt: RedriveAttempt | null,
): readonly (readonly [string, string])[] {
  const headers = Object.entries(letter.headers).flatMap(([name, values]) =>
    values.map((value) => [`header ${printable(name)}`, wrapped(bytesText(value))] as const),
  );
  return [
    ['id', letter.id],
    ['reason', letter.reason],
    ['field', letter.field ?? ''],
    ['detail', printable(letter.detail)],
    ['topic', `${letter.topic}, topic partition ${letter.partition}, offset ${letter.offset}`],
    ['time in Kafka', letter.kafkaTime],
    ['ingest time', letter.ingestTime],
    ['state', state.kind],
    ...redriveLines(attempt),
    ['key', wrapped(bytesText(letter.key))],
    ...headers,
    ['value', wrapped(bytesText(letter.value))],
  ];
}

function redriveLines(attempt: RedriveAttempt | null): readonly (readonly [string, string])[] {
  if (attempt === null) return [];
  const { claim, sent } = attempt;
  const what = claim.corrected ? 'corrected' : 'as it came';
  const where =
    sent === null
      ? 'not confirmed: it may have been sent'
      : `${sent.time} to ${sent.topic}, topic partition ${sent.partition}, offset ${sent.offset}`;
  return [
    ['claimed', `${claim.time} by ${printable(claim.author)}, ${what}`],
    ['sent', where],
  ];
}

const lineCharactersMax = 100;

/** So that a table stays as wide as a screen; JSON has the text as it is. */
function wrapped(text: string): string {
  return text.replace(new RegExp(`[^\\n]{${lineCharactersMax}}(?=[^\\n])`, 'gu'), '$&\n');
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    // The decoder has one way to say "not UTF-8": it throws.
    return null;
  }
}
