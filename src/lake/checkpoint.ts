import type { LogName } from './paths.ts';
import { type NumberRange, fromRanges, toRanges } from './pointer.ts';
import type { Seal } from './source-log.ts';
import { formatInstant, hourMs } from './time.ts';
import { type WindowId, windowAt } from './window.ts';

/*
 * A checkpoint sums up the entries of a source log since the one before: which batches hold rows of
 * which event hour, where the log stands, and totals. The log stays the truth; a checkpoint only
 * repeats what its sealed, unchangeable entries say, so whoever writes it writes nothing wrong.
 */

/** What a build or a route wants to know of a sealed batch. */
export type BatchFacts = {
  readonly log: LogName;
  readonly number: number;
  /** The hour under which its files lie. */
  readonly ingestHour: WindowId;
  readonly rowsPerEventHour: Readonly<Record<WindowId, number>>;
};

export type Totals = {
  readonly batches: number;
  readonly records: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly bytes: number;
};

export type Checkpoint = {
  readonly schema: 1;
  readonly log: LogName;
  /** Counted from 0 without a hole. */
  readonly number: number;
  /** SHA-256 of the checkpoint before. */
  readonly previousHash: string | null;
  /** The entries that it covers, inclusive. */
  readonly first: number;
  readonly through: number;
  /** Batches of earlier ingest hours are in this checkpoint or in one before. */
  readonly completeTo: WindowId;
  /** The newest seal up to here; `null` before the first. */
  readonly lastSeal: {
    readonly number: number;
    readonly hash: string;
    readonly offsetEnd: string;
  } | null;
  readonly ingestHours: readonly {
    readonly hour: WindowId;
    readonly batches: readonly NumberRange[];
  }[];
  /** `rows` has one figure for each batch, in the order of `batches`. */
  readonly eventHours: Readonly<
    Record<WindowId, { readonly batches: readonly NumberRange[]; readonly rows: readonly number[] }>
  >;
  /** Of the entries that it covers, and of the whole log up to here. */
  readonly covered: Totals;
  readonly totals: Totals;
};

/**
 * After so many entries a checkpoint is due also within an hour: a start lists what follows the
 * newest one, and two objects for each of these fit one page of a listing.
 */
export const checkpointEntriesMax = 480;

export type CheckpointFacts = {
  /** The newest checkpoint. */
  readonly newest: Pick<Checkpoint, 'through' | 'completeTo'> | null;
  /** Up to here every plan of the log is sealed. */
  readonly sealedTo: number;
  /** When the writer took the log over: counts where there is no checkpoint yet. */
  readonly sinceMs: number;
  readonly nowMs: number;
};

export type CheckpointDecision =
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'write';
      readonly first: number;
      readonly through: number;
      readonly completeTo: WindowId | null;
    };

/** At the end of an ingest hour, or earlier when much has come; never one without entries. */
export function decideCheckpoint(facts: CheckpointFacts): CheckpointDecision {
  const { newest, sealedTo, sinceMs, nowMs } = facts;
  const first = (newest?.through ?? -1) + 1;
  const entries = sealedTo - first + 1;
  if (entries <= 0) return { kind: 'wait' };
  const through = Math.min(sealedTo, first + checkpointEntriesMax - 1);
  // More entries than fit: the last ones of the hour come with the next checkpoint.
  if (entries > checkpointEntriesMax) return { kind: 'write', first, through, completeTo: null };
  const nowHour = windowAt(nowMs, 'hour').id;
  const knownTo = newest?.completeTo ?? windowAt(sinceMs, 'hour').id;
  if (nowHour > knownTo) return { kind: 'write', first, through, completeTo: nowHour };
  if (entries < checkpointEntriesMax) return { kind: 'wait' };
  return { kind: 'write', first, through, completeTo: null };
}

/** `seals` are those of the entries `first` to `through`, ascending. */
export function checkpointOf(input: {
  readonly log: LogName;
  readonly previous: { readonly checkpoint: Checkpoint; readonly hash: string } | null;
  readonly through: number;
  readonly completeTo: WindowId | null;
  readonly seals: readonly Seal[];
  /** By which the seal after the last of them knows it. */
  readonly lastSealHash: string | null;
}): Checkpoint {
  const { log, previous, through, seals } = input;
  const last = seals.at(-1);
  const covered = totalsOf(seals);
  const before = previous?.checkpoint ?? null;
  const batches = seals.map(factsOf);
  const lastHour = batches.at(-1)?.ingestHour ?? before?.completeTo ?? windowAt(0, 'hour').id;
  return {
    schema: 1,
    log,
    number: (before?.number ?? -1) + 1,
    previousHash: previous?.hash ?? null,
    first: (before?.through ?? -1) + 1,
    through,
    completeTo: input.completeTo ?? lastHour,
    lastSeal:
      last === undefined || input.lastSealHash === null
        ? (before?.lastSeal ?? null)
        : { number: last.number, hash: input.lastSealHash, offsetEnd: last.offsetEnd },
    ingestHours: ingestHoursOf(batches),
    eventHours: eventHoursOf(batches),
    covered,
    totals: before === null ? covered : addTotals(before.totals, covered),
  };
}

export function factsOf(seal: Seal): BatchFacts {
  const { log, number, ingestTime, rowsPerEventHour } = seal;
  return { log, number, ingestHour: windowAt(Date.parse(ingestTime), 'hour').id, rowsPerEventHour };
}

/** The batches of a checkpoint within a range of numbers; of a window, only those with rows of it. */
export function batchesOf(
  { log, ingestHours, eventHours }: Checkpoint,
  wanted: { readonly first: number; readonly through: number; readonly window: WindowId | null },
): readonly BatchFacts[] {
  const { first, through, window } = wanted;
  const rows = new Map<number, Record<WindowId, number>>();
  for (const [hour, found] of Object.entries(eventHours)) {
    if (window !== null && hour !== window) continue;
    for (const [index, number] of fromRanges(found.batches).entries()) {
      rows.set(number, { ...rows.get(number), [hour]: found.rows[index] ?? 0 });
    }
  }
  return ingestHours
    .flatMap(({ hour, batches }) => fromRanges(batches).map((number) => ({ hour, number })))
    .filter(({ number }) => number >= first && number <= through)
    .filter(({ number }) => window === null || rows.has(number))
    .sort((a, b) => a.number - b.number)
    .map(({ hour, number }) => ({
      log,
      number,
      ingestHour: hour,
      rowsPerEventHour: rows.get(number) ?? {},
    }));
}

/** Hours ascend, although the clocks of two writers of one log may differ. */
function ingestHoursOf(batches: readonly BatchFacts[]): Checkpoint['ingestHours'] {
  const hours = [...new Set(batches.map(({ ingestHour }) => ingestHour))].sort();
  return hours.map((hour) => ({
    hour,
    batches: toRanges(
      batches.filter(({ ingestHour }) => ingestHour === hour).map(({ number }) => number),
    ),
  }));
}

function eventHoursOf(batches: readonly BatchFacts[]): Checkpoint['eventHours'] {
  const hours = new Map<WindowId, { numbers: number[]; rows: number[] }>();
  for (const { number, rowsPerEventHour } of batches) {
    for (const [hour, rows] of Object.entries(rowsPerEventHour)) {
      if (rows === 0) continue;
      const known = hours.get(hour) ?? { numbers: [], rows: [] };
      known.numbers.push(number);
      known.rows.push(rows);
      hours.set(hour, known);
    }
  }
  return Object.fromEntries(
    [...hours].map(([hour, { numbers, rows }]) => [hour, { batches: toRanges(numbers), rows }]),
  );
}

function totalsOf(seals: readonly Seal[]): Totals {
  const sum = (of: (seal: Seal) => number): number =>
    seals.reduce((total, seal) => total + of(seal), 0);
  return {
    batches: seals.length,
    records: sum(({ records }) => records),
    rows: sum(({ rows }) => rows),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    bytes: sum(({ bytes }) => bytes),
  };
}

function addTotals(a: Totals, b: Totals): Totals {
  return {
    batches: a.batches + b.batches,
    records: a.records + b.records,
    rows: a.rows + b.rows,
    deadLetters: a.deadLetters + b.deadLetters,
    bytes: a.bytes + b.bytes,
  };
}

/**
 * Before this ingest hour no batch can hold rows of a window: an event time lies at most so far
 * ahead of its ingest. One hour more, because the clocks of two writers of one log may differ.
 */
export function ingestHourBefore(windowStartMs: number, eventTimeAheadMsMax: number): WindowId {
  return formatInstant(windowStartMs - eventTimeAheadMsMax - hourMs).slice(0, 13);
}
