import { utf8Length } from './clip.ts';
import { type BatchRanges, type WildTimes, nothingWild } from './owner-parts.ts';
import { type LogProgress, type OwnerState, newOwner } from './owner-state.ts';
import {
  type Reader,
  type Writer,
  createWriter,
  joined,
  number,
  packId,
  parse36,
  readNumber,
  split,
  unpackId,
  words,
} from './packed-text.ts';
import {
  packGold,
  packGoldKey,
  packSilver,
  unpackGold,
  unpackGoldKey,
  unpackSilver,
} from './packed-windows.ts';
import type { LogName } from './paths.ts';
import { formatInstant } from './time.ts';

/*
 * The owner's state in few bytes, as it goes from one run to the next and into the lake: what is as
 * usual is left out, texts are written once and numbers to the base of 36. Everything that this file
 * does not know of goes along as it is.
 */

/** The state of an owner never takes more than this from one run to the next. */
export const packedBytesMax = 32_768;

export type PackedOwner = {
  readonly packed: 1;
  /** Names, reasons and decisions; windows and logs name them by their place. */
  readonly texts: readonly string[];
  /** Times of windows are counted from here. */
  readonly baseMs: number;
  readonly logs: readonly string[];
  readonly silver: Readonly<Record<string, string>>;
  readonly gold: Readonly<Record<string, string>>;
  readonly rest: Omit<OwnerState, 'logs' | 'silver' | 'gold'>;
};

export function packOwner(state: OwnerState): PackedOwner {
  const { logs, silver, gold, ...rest } = state;
  const writer = createWriter(earliestOf(state));
  const packed = {
    logs: Object.entries(logs).map(([name, log]) => packLog(writer, name, log)),
    silver: Object.fromEntries(
      Object.entries(silver).map(([id, window]) => [packId(id), packSilver(writer, window)]),
    ),
    gold: Object.fromEntries(
      Object.entries(gold).map(([key, window]) => [
        packGoldKey(writer, key),
        packGold(writer, window),
      ]),
    ),
  };
  const wild = renamedWild(rest.wild, writer.text);
  return {
    ...{ packed: 1, texts: writer.texts, baseMs: writer.baseMs, ...packed },
    rest: { ...rest, wild },
  };
}

/** Logs go by their place among the texts, as everywhere. */
function renamedWild({ parked, going }: WildTimes, name: (log: string) => string): WildTimes {
  const renamed = (batches: BatchRanges): BatchRanges =>
    Object.fromEntries(Object.entries(batches).map(([log, range]) => [name(log), range]));
  return {
    parked: parked === null ? null : { ...parked, batches: renamed(parked.batches) },
    going: going === null ? null : { ...going, batches: renamed(going.batches) },
  };
}

/** The state again; one that was never packed is taken as it is. */
export function unpackOwner(given: PackedOwner | OwnerState): OwnerState {
  if (!('packed' in given)) return { ...newOwner(given.dataset), ...given };
  const reader: Reader = { text: (at) => given.texts[parse36(at)]!, baseMs: given.baseMs };
  return {
    ...newOwner(given.rest.dataset),
    ...given.rest,
    wild: renamedWild(given.rest.wild ?? nothingWild, reader.text),
    logs: Object.fromEntries(given.logs.map((text) => unpackLog(reader, text))),
    silver: Object.fromEntries(
      Object.entries(given.silver).map(([id, text]) => [unpackId(id), unpackSilver(reader, text)]),
    ),
    gold: Object.fromEntries(
      Object.entries(given.gold).map(([key, text]) => [
        unpackGoldKey(reader, key),
        unpackGold(reader, text),
      ]),
    ),
  };
}

/** Bytes of the packed state, as JSON in UTF-8. */
export function packedBytes(state: OwnerState): number {
  return utf8Length(JSON.stringify(packOwner(state)));
}

function earliestOf({ silver, gold }: OwnerState): number {
  const times = [
    ...Object.values(silver).map(({ touchedMs }) => touchedMs),
    ...Object.values(gold).map(({ staleSinceMs }) => staleSinceMs),
  ];
  return times.length === 0 ? 0 : times.reduce((a, b) => Math.min(a, b));
}

function packLog(writer: Writer, name: LogName, log: LogProgress): string {
  const { sealedTo, routedTo, frontier, promised, ...rest } = log;
  const instant = (text: string): string => Date.parse(text).toString(36);
  const promises = promised.map((one) => `${one.sealedTo.toString(36)}@${instant(one.frontier)}`);
  return joined(
    [writer.text(name), number(sealedTo), number(routedTo), instant(frontier), promises.join(' ')],
    rest,
  );
}

function unpackLog(reader: Reader, text: string): [LogName, LogProgress] {
  const { fields, rest } = split(text, 5);
  const [name = '', sealedTo = '', routedTo = '', frontier = '', promises = ''] = fields;
  const instant = (part: string): string => formatInstant(parse36(part));
  const promised = words(promises).map((one) => {
    const [to = '', at = ''] = one.split('@');
    return { sealedTo: parse36(to), frontier: instant(at) };
  });
  const [sealed, routed] = [readNumber(sealedTo), readNumber(routedTo)];
  const log = { sealedTo: sealed, routedTo: routed, frontier: instant(frontier), promised };
  return [reader.text(name), { ...log, ...(rest as object) }];
}
