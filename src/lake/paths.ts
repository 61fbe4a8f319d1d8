import type { Table } from './table.ts';
import { formatInstant } from './time.ts';
import { type Window, type WindowId, windowDateAndHour, windowOf } from './window.ts';

/*
 * The only place where an object key is built. A key is a function of what it names, never of who
 * writes it or when: two writers of the same thing meet at the same key, and one of them is told.
 */

/** `<topic>-<topic partition>`: the name of a source log. The last dash divides the two. */
export type LogName = string;

export function logName(topic: string, partition: number): LogName {
  return `${topic}-${partition}`;
}

export function parseLogName(log: LogName): { topic: string; partition: number } {
  const dash = log.lastIndexOf('-');
  return { topic: log.slice(0, dash), partition: Number(log.slice(dash + 1)) };
}

const entriesPerFolder = 10_000;

export function logPrefix(dataset: string, log: LogName): string {
  return `_log/${dataset}/${log}/`;
}

export function logEntryKey(dataset: string, log: LogName, number: number): string {
  return `${logPrefix(dataset, log)}${entryName(number)}.json`;
}

export function sealKey(dataset: string, log: LogName, number: number): string {
  return `${logPrefix(dataset, log)}${entryName(number)}.seal.json`;
}

/** A text that sorts right after an entry and its seal, and before the next entry. */
export function afterLogEntry(dataset: string, log: LogName, number: number): string {
  return `${logPrefix(dataset, log)}${entryName(number)}.t`;
}

/** The number of an entry or a seal, `null` for a key of anything else. */
export function numberOfLogKey(key: string): number | null {
  const match = /\/(\d{12})(\.seal)?\.json$/.exec(key);
  return match === null ? null : Number(match[1]);
}

const checkpointNumberMax = 999_999_999_999;

/**
 * `_checkpoint/events/clicks-0/0/999999999992-000000000007.json`: the newest of a level comes first,
 * so that one listing of one key finds it. Level 0 are the checkpoints, those above their indexes.
 */
export function checkpointKey(
  dataset: string,
  log: LogName,
  { level, number }: { readonly level: number; readonly number: number },
): string {
  const descending = pad(checkpointNumberMax - number, 12);
  return `${checkpointPrefix(dataset, log, level)}${descending}-${pad(number, 12)}.json`;
}

export function checkpointPrefix(dataset: string, log: LogName, level: number): string {
  return `_checkpoint/${dataset}/${log}/${level}/`;
}

export function entryName(number: number): string {
  return `${pad(Math.floor(number / entriesPerFolder), 8)}/${pad(number, 12)}`;
}

/** `bronze/events/year=2026/month=08/day=21/hour=13/`, by ingest time. */
export function bronzeFolder(dataset: string, ingestTimeMs: number): string {
  return `bronze/${dataset}/${ingestFolder(ingestTimeMs)}`;
}

/** Values of the bronze table partition columns `year`, `month`, `day`, `hour`. */
export function bronzePartitionValues(
  ingestTimeMs: number,
): readonly [string, string, string, string] {
  const text = formatInstant(ingestTimeMs);
  return [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10), text.slice(11, 13)];
}

function ingestFolder(ingestTimeMs: number): string {
  const [year, month, day, hour] = bronzePartitionValues(ingestTimeMs);
  return `year=${year}/month=${month}/day=${day}/hour=${hour}/`;
}

export type BatchPlace = {
  readonly dataset: string;
  readonly log: LogName;
  readonly number: number;
  readonly ingestTimeMs: number;
};

export function bronzeKey(place: BatchPlace): string {
  return `${bronzeFolder(place.dataset, place.ingestTimeMs)}${batchName(place)}.parquet`;
}

/** The same of a batch of which only the hour of ingest is known: that is all the key depends on. */
export function bronzeKeyInHour(
  dataset: string,
  batch: { readonly log: LogName; readonly number: number; readonly ingestHour: WindowId },
): string {
  const { log, number, ingestHour } = batch;
  return bronzeKey({ dataset, log, number, ingestTimeMs: windowOf(ingestHour).startMs });
}

export function rawKey(place: BatchPlace): string {
  return `raw/${place.dataset}/${ingestFolder(place.ingestTimeMs)}${batchName(place)}.jsonl.gz`;
}

export function deadLettersKey(place: BatchPlace): string {
  return `dead_letters/${place.dataset}/${ingestFolder(place.ingestTimeMs)}${batchName(place)}.parquet`;
}

/** All dead letters of a dataset; within, keys are in the order of their ingest hours. */
export function deadLettersPrefix(dataset: string): string {
  return `dead_letters/${dataset}/`;
}

/** The batch that the dead letters at a key are of, `null` for a key of anything else. */
export function batchOfDeadLettersKey(key: string): BatchName | null {
  const name = /([^/]+)\.parquet$/.exec(key)?.[1];
  return name === undefined || parseBatchName(name) === null ? null : name;
}

/** What is filed by ingest hour. */
export type IngestFiled = 'bronze' | 'raw' | 'deadLetters';

export function ingestFiledPrefix(dataset: string, kind: IngestFiled): string {
  return `${kind === 'deadLetters' ? 'dead_letters' : kind}/${dataset}/`;
}

/** Folder and time of the ingest hour that a key is filed under, `null` for one that is not. */
export function ingestHourOf(
  key: string,
): { readonly folder: string; readonly startMs: number } | null {
  const match = /^.*?year=(\d{4})\/month=(\d\d)\/day=(\d\d)\/hour=(\d\d)\//.exec(key);
  if (match === null) return null;
  const [folder, year, month, day, hour] = match;
  const startMs = Date.parse(`${year}-${month}-${day}T${hour}:00:00.000Z`);
  return Number.isNaN(startMs) ? null : { folder, startMs };
}

/** The batch that an object filed by ingest hour is of, `null` for a key of anything else. */
export function batchOfKey(key: string): ReturnType<typeof parseBatchName> {
  const name = /([^/]+)\.(?:parquet|jsonl\.gz)$/.exec(key)?.[1];
  return name === undefined ? null : parseBatchName(name);
}

/** The folder of the hour; keys of later hours sort after it. */
export function deadLettersFolder(dataset: string, ingestTimeMs: number): string {
  return `${deadLettersPrefix(dataset)}${ingestFolder(ingestTimeMs)}`;
}

/** `<log>-<number>`: the name of a batch, also its `_batch_id`. */
export type BatchName = string;

export function batchName(place: { readonly log: LogName; readonly number: number }): BatchName {
  return `${place.log}-${pad(place.number, 12)}`;
}

/** `null` for a text that names no batch. */
export function parseBatchName(name: string): { log: LogName; number: number } | null {
  const match = /^(.+-\d+)-(\d{12})$/.exec(name);
  return match === null ? null : { log: match[1]!, number: Number(match[2]) };
}

/** The attempts to send one dead letter again: `_redrive/events/clicks-0-000000000007/4711/`. */
export type RedrivePlace = {
  readonly dataset: string;
  readonly batch: BatchName;
  readonly offset: string;
};

/** All attempts of all dead letters of a batch. */
export function redrivePrefix(dataset: string, batch: BatchName): string {
  return `_redrive/${dataset}/${batch}/`;
}

export function redriveFolder({ dataset, batch, offset }: RedrivePlace): string {
  return `${redrivePrefix(dataset, batch)}${offset}/`;
}

/** Says that a dead letter is about to be sent. Created before it is. */
export function redriveClaimKey(place: RedrivePlace, attempt: number): string {
  return `${redriveFolder(place)}${pad(attempt, 6)}.json`;
}

/** Says where the record of a claim has landed. Created after it has. */
export function redriveSentKey(place: RedrivePlace, attempt: number): string {
  return `${redriveFolder(place)}${pad(attempt, 6)}.sent.json`;
}

/** `null` for a key that is neither a claim nor a confirmation. */
export function parseRedriveKey(
  key: string,
): { batch: BatchName; offset: string; attempt: number; kind: 'claim' | 'sent' } | null {
  const match = /^_redrive\/[^/]+\/([^/]+)\/(\d+)\/(\d{6})(\.sent)?\.json$/.exec(key);
  if (match === null) return null;
  const [, batch = '', offset = '', attempt, sent] = match;
  return { batch, offset, attempt: Number(attempt), kind: sent === undefined ? 'claim' : 'sent' };
}

/** `_current/silver/events_cleaned/2026-08-21T13.json`. */
export function pointerKey(table: Pick<Table, 'layer' | 'name'>, windowId: string): string {
  return `${pointerPrefix(table)}${windowId}.json`;
}

export function pointerPrefix(table: Pick<Table, 'layer' | 'name'>): string {
  return `_current/${table.layer}/${table.name}/`;
}

/** A staged pointer: what a build would publish. Invisible to readers. */
export function stagedKey(
  table: Pick<Table, 'layer' | 'name'>,
  windowId: string,
  version: string,
): string {
  return `${stagedPrefix(table)}${windowId}/${version}.json`;
}

/** Ids of windows begin with their date, so a date after it names all of that date. */
export function stagedPrefix(table: Pick<Table, 'layer' | 'name'>): string {
  return `_staged/${table.layer}/${table.name}/`;
}

/** Folder of a table in the lake, for the catalog. */
export function tableFolder(table: Pick<Table, 'layer' | 'name'>): string {
  return `${table.layer}/${table.name}/`;
}

/** Folder of one version of one table partition: complete and immutable. */
export function versionFolder(
  table: Pick<Table, 'layer' | 'name' | 'partitionColumns'>,
  partition: Readonly<Record<string, string>>,
  version: string,
): string {
  const folders = table.partitionColumns.map(
    ({ name }) => `${name}=${encodeURIComponent(partition[name] ?? '__HIVE_DEFAULT_PARTITION__')}`,
  );
  return `${tableFolder(table)}${folders.join('/')}/${version}/`;
}

export function quarantineKey(dataset: string, window: Window, version: string): string {
  const { date, hour } = windowDateAndHour(window);
  return `${quarantinePrefix(dataset)}${date}/hour=${hour ?? '00'}/${version}.parquet`;
}

/** A date goes on after it. */
export function quarantinePrefix(dataset: string): string {
  return `quarantine/${dataset}/event_date=`;
}

export function checkResultsKey(
  table: Pick<Table, 'layer' | 'name'>,
  windowId: string,
  version: string,
): string {
  return `${checkResultsPrefix(table)}${windowId}/${version}.parquet`;
}

/** As for staged pointers, a date goes on after it. */
export function checkResultsPrefix(table: Pick<Table, 'layer' | 'name'>): string {
  return `dq_results/${table.layer}/${table.name}/`;
}

/** What people and settings want of the ingest of a dataset. */
export function controlKey(dataset: string): string {
  return `_control/${dataset}.json`;
}

/** The owner's bookmark as a hint for readers: up to which batch every window has been built. */
export function bookmarkKey(dataset: string): string {
  return `_bookmark/${dataset}.json`;
}

/** What may be gone of a dataset because its retention has passed. */
export function retentionKey(dataset: string): string {
  return `_retention/${dataset}.json`;
}

/** Since when the janitor sees what nothing names any more, of one date of a table. */
export function janitorMarksKey(table: Pick<Table, 'layer' | 'name'>, date: string): string {
  return `${janitorMarksPrefix(table)}${date}.json`;
}

export function janitorMarksPrefix({ layer, name }: Pick<Table, 'layer' | 'name'>): string {
  return `_janitor/marks/${layer}/${name}/`;
}

/** What one run of the janitor has removed. */
export function janitorRunKey(dataset: string, startedAt: string): string {
  return `_janitor/runs/${dataset}/${startedAt}.json`;
}

function pad(number: number, width: number): string {
  return String(number).padStart(width, '0');
}
