import type { LakeFiles } from './lake-files.ts';
import {
  type LakeRow,
  placeOf,
  readBronzeRows,
  readDeadLetterRows,
  readRawOffsets,
} from './lake-rows.ts';
import { type Batch, type LoggedEntry, checkSourceLogs } from './source-log-check.ts';

/*
 * Whether a lake at rest holds what was produced: each record once, in bronze or in the dead
 * letters. Looked at twice: through the source logs, and by whoever only lists the folders.
 */

/** A record that Kafka has taken, and what must have become of it. */
export type Produced = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly goesTo: 'bronze' | 'deadLetters' | 'either';
  /** Its event id, where it has one. */
  readonly id: string | null;
  readonly value: Uint8Array | null;
};

export type Verdict = {
  readonly records: number;
  readonly batches: number;
  readonly lost: number;
  readonly doubled: number;
  /** In words; empty when everything is as it must be. */
  readonly problems: readonly string[];
  readonly entries: readonly LoggedEntry[];
};

/** What one view of the lake shows: the rows at each place of Kafka. */
type View = ReadonlyMap<string, readonly LakeRow[]>;

type Folder = 'bronze' | 'dead_letters' | 'raw';

/** So many examples of each kind of problem are told. */
const examplesMax = 5;

export async function checkLake(files: LakeFiles, produced: readonly Produced[]): Promise<Verdict> {
  const logs = checkSourceLogs(files);
  const rows = await readAllRows(files);
  const named = new Set(logs.batches.flatMap(keysOf));
  const byFolder = viewOf([...rows.values()].flat());
  const byLog = viewOf([...named].flatMap((key) => rows.get(key) ?? []));
  const lost = produced.filter(
    (record) => !byFolder.has(placeOfRecord(record)) || !byLog.has(placeOfRecord(record)),
  );
  const doubled = produced.filter(
    (record) => isDoubled(byFolder, record) || isDoubled(byLog, record),
  );
  const known = new Set(produced.map(placeOfRecord));
  const strange = [...byFolder.keys()].filter((place) => !known.has(place));
  return {
    records: produced.length,
    batches: logs.batches.length,
    lost: lost.length,
    doubled: doubled.length,
    entries: logs.entries,
    problems: [
      ...examples('lost', lost.map(placeOfRecord)),
      ...examples('doubled', doubled.map(placeOfRecord)),
      ...examples('in the lake and never produced', strange),
      ...examples('not what was produced', wrongRows(byFolder, produced)),
      ...logs.problems,
      ...logs.batches.flatMap((batch) => batchProblems(files, rows, batch, produced)),
      ...coverageProblems(logs.batches, produced),
      ...unaccounted(files, logs.batches, named),
    ],
  };
}

async function readAllRows(files: LakeFiles): Promise<Map<string, readonly LakeRow[]>> {
  const rows = new Map<string, readonly LakeRow[]>();
  for (const [key, bytes] of files) {
    if (folderOf(key) === 'bronze') rows.set(key, await readBronzeRows(bytes));
    if (folderOf(key) === 'dead_letters') rows.set(key, await readDeadLetterRows(bytes));
  }
  return rows;
}

function folderOf(key: string): Folder | null {
  const folder = key.split('/')[0];
  return folder === 'bronze' || folder === 'dead_letters' || folder === 'raw' ? folder : null;
}

function viewOf(rows: readonly LakeRow[]): View {
  const view = new Map<string, LakeRow[]>();
  for (const row of rows) {
    const found = view.get(row.place);
    if (found === undefined) view.set(row.place, [row]);
    else found.push(row);
  }
  return view;
}

function placeOfRecord({ topic, partition, offset }: Produced): string {
  return placeOf(topic, partition, offset);
}

function isDoubled(view: View, record: Produced): boolean {
  return (view.get(placeOfRecord(record))?.length ?? 0) > 1;
}

function wrongRows(view: View, produced: readonly Produced[]): readonly string[] {
  return produced.flatMap((record) => {
    const place = placeOfRecord(record);
    return (view.get(place) ?? []).flatMap((row) => {
      const wrong = whatIsWrong(row, record);
      return wrong === null ? [] : [`${place} (${wrong})`];
    });
  });
}

function whatIsWrong(row: LakeRow, { goesTo, id, value }: Produced): string | null {
  if (row.id !== null) {
    if (goesTo === 'deadLetters') return 'in bronze, and cannot be placed';
    return row.id === id ? null : `has the id ${row.id}, not ${id}`;
  }
  if (goesTo === 'bronze') return 'in the dead letters, and can be placed';
  const wanted = value === null ? null : Buffer.from(value).toString('base64');
  return row.value === wanted ? null : 'has other bytes';
}

function keysOf({ seal }: Batch): readonly string[] {
  return [seal.bronzeKey, seal.rawKey, seal.deadLettersKey].filter((key) => key !== null);
}

/** What a seal says of its batch, against the files that it names. */
function batchProblems(
  files: LakeFiles,
  rows: ReadonlyMap<string, readonly LakeRow[]>,
  { log, number, offsetFirst, offsetEnd, seal }: Batch,
  produced: readonly Produced[],
): readonly string[] {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(`${log} #${number}: ${text}`);
  const expectBytes = (key: string | null, bytes: number, name: string): void => {
    const found = key === null ? 0 : (files.get(key)?.byteLength ?? null);
    if (found === null) say(`the ${name} ${key} is not there`);
    else if (found !== bytes) say(`the ${name} has ${found} bytes, the seal says ${bytes}`);
  };
  expectBytes(seal.bronzeKey, seal.bytes, 'bronze file');
  expectBytes(seal.rawKey, seal.rawBytes, 'raw copy');
  const bronze = rows.get(seal.bronzeKey) ?? [];
  const letters = seal.deadLettersKey === null ? [] : (rows.get(seal.deadLettersKey) ?? []);
  if (bronze.length !== seal.rows) say(`${bronze.length} rows, the seal says ${seal.rows}`);
  if (letters.length !== seal.deadLetters) {
    say(`${letters.length} dead letters, the seal says ${seal.deadLetters}`);
  }
  const batch = `${log}-${String(number).padStart(12, '0')}`;
  for (const row of [...bronze, ...letters]) {
    const offset = BigInt(row.place.split('/')[2] ?? '-1');
    if (row.batch !== batch) say(`holds a row of ${row.batch}`);
    if (offset < offsetFirst || offset >= offsetEnd) say(`holds ${row.place}, out of its range`);
  }
  const wanted = produced
    .filter(({ topic, partition }) => `${topic}-${partition}` === log)
    .map(({ offset }) => offset)
    .filter((offset) => BigInt(offset) >= offsetFirst && BigInt(offset) < offsetEnd);
  if (wanted.length !== seal.records) {
    say(`${wanted.length} records were produced in its range, the seal says ${seal.records}`);
  }
  const raw = seal.rawKey === null ? undefined : files.get(seal.rawKey);
  if (raw !== undefined && !sameTexts(readRawOffsets(raw), wanted)) {
    say('the raw copy holds other records than its range');
  }
  return problems;
}

function sameTexts(found: readonly string[], wanted: readonly string[]): boolean {
  const order = (a: string, b: string): number => (BigInt(a) < BigInt(b) ? -1 : 1);
  return [...found].sort(order).join() === [...wanted].sort(order).join();
}

/** The batches of each topic partition follow one another from its first record to its last. */
function coverageProblems(
  batches: readonly Batch[],
  produced: readonly Produced[],
): readonly string[] {
  const logs = new Set(produced.map(({ topic, partition }) => `${topic}-${partition}`));
  return [...logs].flatMap((log) => {
    const mine = batches.filter((batch) => batch.log === log).sort((a, b) => a.number - b.number);
    const offsets = produced
      .filter(({ topic, partition }) => `${topic}-${partition}` === log)
      .map(({ offset }) => BigInt(offset));
    const first = offsets.reduce((least, offset) => (offset < least ? offset : least));
    const last = offsets.reduce((most, offset) => (offset > most ? offset : most));
    const problems: string[] = [];
    let next = mine[0]?.offsetFirst ?? 0n;
    if (next > first) problems.push(`${log} begins at ${next}, its first record is ${first}`);
    for (const batch of mine) {
      if (batch.offsetFirst !== next) {
        problems.push(`${log} #${batch.number} begins at ${batch.offsetFirst}, not at ${next}`);
      }
      next = batch.offsetEnd;
    }
    if (next <= last) problems.push(`${log} ends at ${next}, its last record is ${last}`);
    return problems;
  });
}

/** Files that no seal names, and files that two seals name. */
function unaccounted(
  files: LakeFiles,
  batches: readonly Batch[],
  named: ReadonlySet<string>,
): readonly string[] {
  const orphans = [...files.keys()].filter((key) => folderOf(key) !== null && !named.has(key));
  const all = batches.flatMap(keysOf);
  const twice = all.filter((key, index) => all.indexOf(key) !== index);
  return [...examples('named by no seal', orphans), ...examples('named by two seals', twice)];
}

function examples(what: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const more = items.length > examplesMax ? ` and ${items.length - examplesMax} more` : '';
  return [`${what}: ${items.slice(0, examplesMax).join(', ')}${more}`];
}
