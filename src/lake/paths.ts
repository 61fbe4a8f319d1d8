import type { Table } from './table.ts';
import { formatInstant } from './time.ts';
import { type Window, windowDateAndHour } from './window.ts';

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

function entryName(number: number): string {
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

export function rawKey(place: BatchPlace): string {
  return `raw/${place.dataset}/${ingestFolder(place.ingestTimeMs)}${batchName(place)}.jsonl.gz`;
}

export function deadLettersKey(place: BatchPlace): string {
  return `dead_letters/${place.dataset}/${ingestFolder(place.ingestTimeMs)}${batchName(place)}.parquet`;
}

/** `<log>-<number>`: the name of a batch, also its `_batch_id`. */
export function batchName(place: { readonly log: LogName; readonly number: number }): string {
  return `${place.log}-${pad(place.number, 12)}`;
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
  return `_staged/${table.layer}/${table.name}/${windowId}/${version}.json`;
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
  return `quarantine/${dataset}/event_date=${date}/hour=${hour ?? '00'}/${version}.parquet`;
}

export function checkResultsKey(
  table: Pick<Table, 'layer' | 'name'>,
  windowId: string,
  version: string,
): string {
  return `dq_results/${table.layer}/${table.name}/${windowId}/${version}.parquet`;
}

/** The owner's bookmark as a hint for readers: up to which batch every window has been built. */
export function bookmarkKey(dataset: string): string {
  return `_bookmark/${dataset}.json`;
}

function pad(number: number, width: number): string {
  return String(number).padStart(width, '0');
}
