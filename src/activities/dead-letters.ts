import {
  type DeadLetter,
  type DeadLetterFilter,
  type RedriveState,
  deadLetterId,
  hoursOfFilter,
  matchesFilter,
  neverRedriven,
  parseDeadLetterId,
  redriveStates,
} from '../lake/dead-letters.ts';
import {
  type BatchName,
  batchOfDeadLettersKey,
  deadLettersFolder,
  deadLettersKey,
  deadLettersPrefix,
  logEntryKey,
  parseBatchName,
  redrivePrefix,
} from '../lake/paths.ts';
import type { PlanEntry } from '../lake/source-log.ts';
import type { Ports, Row } from '../ports.ts';
import { readJson } from './json-objects.ts';

/* Finding dead letters, and what has become of them. */

export type DeadLetterDeps = {
  readonly ports: Pick<Ports, 'objects' | 'rowFiles'>;
  readonly dataset: string;
};

export type FoundLetter = { readonly letter: DeadLetter; readonly state: RedriveState };

const keysPerPage = 1_000;
const filesAtOnce = 8;

/**
 * Hands on the dead letters that match, a file at a time, in the order of their ingest hours. Only
 * the folders of the filter's hours are read.
 */
export async function readDeadLetters(
  deps: DeadLetterDeps,
  filter: DeadLetterFilter,
  on: {
    readonly found: (letters: readonly FoundLetter[]) => void;
    readonly progress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const keys = await listFiles(deps, filter);
  for (let at = 0; at < keys.length; at += filesAtOnce) {
    on.signal?.throwIfAborted();
    const files = keys.slice(at, at + filesAtOnce);
    for (const letters of await Promise.all(files.map((key) => readFile(deps, key)))) {
      on.found(letters.filter(({ letter }) => matchesFilter(letter, filter)));
    }
    on.progress?.(Math.min(at + filesAtOnce, keys.length), keys.length);
  }
}

/** `null` when there is no such dead letter. */
export async function findDeadLetter(
  deps: DeadLetterDeps,
  id: string,
): Promise<FoundLetter | null> {
  const place = parseDeadLetterId(id);
  const batch = place === null ? null : parseBatchName(place.batch);
  if (batch === null) return null;
  const { dataset, ports } = deps;
  // The plan of the batch knows the hour in whose folder its dead letters lie.
  const entryKey = logEntryKey(dataset, batch.log, batch.number);
  const entry = await readJson<PlanEntry>(ports.objects, entryKey);
  if (entry?.value.kind !== 'plan') return null;
  const ingestTimeMs = Date.parse(entry.value.ingestTime);
  const letters = await readFile(deps, deadLettersKey({ dataset, ...batch, ingestTimeMs }));
  return letters.find(({ letter }) => letter.id === id) ?? null;
}

async function listFiles(
  { ports, dataset }: DeadLetterDeps,
  filter: DeadLetterFilter,
): Promise<readonly string[]> {
  const { firstMs, endMs } = hoursOfFilter(filter);
  const end = endMs === null ? null : deadLettersFolder(dataset, endMs);
  const keys: string[] = [];
  let startAfter = firstMs === null ? undefined : deadLettersFolder(dataset, firstMs);
  for (;;) {
    const page = await ports.objects.listObjects(deadLettersPrefix(dataset), {
      limit: keysPerPage,
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    const inRange = page.map(({ key }) => key).filter((key) => end === null || key < end);
    keys.push(...inRange);
    if (page.length < keysPerPage || inRange.length < page.length) return keys;
    startAfter = keys.at(-1);
  }
}

/** The dead letters of one file; none when there is no file. */
async function readFile(deps: DeadLetterDeps, key: string): Promise<readonly FoundLetter[]> {
  const { ports, dataset } = deps;
  const batch = batchOfDeadLettersKey(key);
  if (batch === null) return [];
  const [file, redrives] = await Promise.all([
    ports.objects.readObject(key),
    ports.objects.listObjects(redrivePrefix(dataset, batch)),
  ]);
  if (file === null) return [];
  const states = redriveStates(redrives.map((redrive) => redrive.key));
  const rows = await ports.rowFiles.decode(file.bytes);
  return rows.map((row) => {
    const letter = toLetter(batch, row);
    return { letter, state: states.get(letter.id) ?? neverRedriven };
  });
}

function toLetter(batch: BatchName, row: Row): DeadLetter {
  const text = (name: string): string => String(row[name] ?? '');
  const bytes = (name: string): Uint8Array | null =>
    row[name] == null ? null : fromBase64(text(name));
  return {
    id: deadLetterId(batch, text('offset')),
    topic: text('topic'),
    partition: Number(row['partition']),
    offset: text('offset'),
    reason: text('reason'),
    field: row['field'] == null ? null : text('field'),
    detail: text('detail'),
    kafkaTime: text('kafka_ts'),
    ingestTime: text('ingest_ts'),
    key: bytes('key'),
    headers: row['headers'] == null ? {} : toHeaders(text('headers')),
    value: bytes('value'),
  };
}

function toHeaders(json: string): DeadLetter['headers'] {
  const headers = JSON.parse(json) as Readonly<Record<string, readonly string[]>>;
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.map(fromBase64)]),
  );
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
