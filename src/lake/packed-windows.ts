import type { AskedCause, Waiver } from './cause.ts';
import type { GoldKey, GoldState, Parked, PendingRange, SilverState } from './owner-state.ts';
import {
  type Reader,
  type Writer,
  joined,
  number,
  packId,
  parse36,
  readNumber,
  readTime,
  split,
  unknownIn,
  unpackId,
  words,
} from './packed-text.ts';
import type { LogName } from './paths.ts';
import type { BuildMode } from './pointer.ts';

/* Windows of the owner in few bytes. What is not known here goes along as JSON, behind the rest. */

export function packGoldKey(writer: Writer, key: string): string {
  const slash = key.lastIndexOf('/');
  return `${packId(key.slice(slash + 1))}/${writer.text(key.slice(0, slash))}`;
}

export function unpackGoldKey(reader: Reader, text: string): GoldKey {
  const [id = '', table = ''] = text.split('/');
  return `${reader.text(table)}/${unpackId(id)}`;
}

export function packSilver(writer: Writer, window: SilverState): string {
  const { pending, pendingRows, pendingSinceMs, touchedMs, building, parked, heldBack } = window;
  const { sealed, abandoned, asked, waiver, late, builtAtMs, buildMs } = window;
  return joined(
    [
      Object.entries(pending)
        .map(([log, range]) => packRange(writer.text(log), range))
        .join(' '),
      number(pendingRows),
      writer.time(pendingSinceMs),
      writer.time(touchedMs),
      building === null ? '' : building.mode.slice(0, 1) + writer.time(building.sinceMs),
      packParked(writer, parked),
      heldBack === null ? '' : writer.text(heldBack),
      number(Number(sealed) + 2 * Number(abandoned) + 4 * Number(late)),
      packJson(writer, asked),
      packJson(writer, waiver),
      writer.time(builtAtMs),
      number(buildMs),
    ],
    unknownIn(window, silverKeys),
  );
}

const silverKeys =
  'pending pendingRows pendingSinceMs touchedMs building parked heldBack sealed abandoned asked waiver late builtAtMs buildMs';

const modes: Readonly<Record<string, BuildMode>> = { f: 'fold', s: 'seal', r: 'rebuild' };

export function unpackSilver(reader: Reader, text: string): SilverState {
  const { fields, rest } = split(text, 12);
  const [pending = '', rows = '', since = '', touched = '', building = '', parked = ''] = fields;
  const [held = '', flags = '', asked = '', waiver = '', built = '', ms = ''] = fields.slice(6);
  const bits = readNumber(flags);
  return {
    pending: Object.fromEntries(words(pending).map((range) => unpackRange(reader, range))),
    pendingRows: readNumber(rows),
    pendingSinceMs: readTime(reader, since),
    touchedMs: readTime(reader, touched) ?? 0,
    building:
      building === ''
        ? null
        : { mode: modes[building[0]!]!, sinceMs: readTime(reader, building.slice(1)) ?? 0 },
    parked: unpackParked(reader, parked),
    heldBack: held === '' ? null : reader.text(held),
    sealed: (bits & 1) > 0,
    abandoned: (bits & 2) > 0,
    late: (bits & 4) > 0,
    asked: unpackJson<AskedCause>(reader, asked),
    waiver: unpackJson<Waiver>(reader, waiver),
    builtAtMs: readTime(reader, built),
    buildMs: readNumber(ms),
    ...(rest as object),
  };
}

function packRange(log: string, { first, through, ...rest }: PendingRange): string {
  if (Object.keys(rest).length > 0) throw new Error('a range has more than two ends');
  return `${log}:${first.toString(36)}:${(through - first).toString(36)}`;
}

function unpackRange(reader: Reader, text: string): [LogName, PendingRange] {
  const [log = '', first = '', length = ''] = text.split(':');
  return [reader.text(log), { first: parse36(first), through: parse36(first) + parse36(length) }];
}

export function packGold(writer: Writer, window: GoldState): string {
  const { stale, staleSinceMs, building, parked, asked, waiver } = window;
  const { builtAtMs, buildMs, complete, due } = window;
  return joined(
    [
      number(Number(stale) + 2 * Number(complete) + 4 * Number(due)),
      writer.time(staleSinceMs),
      building === null ? '' : writer.time(building.sinceMs),
      packParked(writer, parked),
      packJson(writer, asked),
      packJson(writer, waiver),
      writer.time(builtAtMs),
      number(buildMs),
    ],
    unknownIn(window, goldKeys),
  );
}

const goldKeys = 'stale staleSinceMs building parked asked waiver builtAtMs buildMs complete due';

export function unpackGold(reader: Reader, text: string): GoldState {
  const { fields, rest } = split(text, 8);
  const [flags = '', since = '', building = '', parked = ''] = fields;
  const [asked = '', waiver = '', built = '', ms = ''] = fields.slice(4);
  const bits = readNumber(flags);
  const buildingSinceMs = readTime(reader, building);
  return {
    stale: (bits & 1) > 0,
    complete: (bits & 2) > 0,
    due: (bits & 4) > 0,
    staleSinceMs: readTime(reader, since) ?? 0,
    building: buildingSinceMs === null ? null : { sinceMs: buildingSinceMs },
    parked: unpackParked(reader, parked),
    asked: unpackJson<AskedCause>(reader, asked),
    waiver: unpackJson<Waiver>(reader, waiver),
    builtAtMs: readTime(reader, built),
    buildMs: readNumber(ms),
    ...(rest as object),
  };
}

function packParked(writer: Writer, parked: Parked | null): string {
  if (parked === null) return '';
  const { reason, sinceMs, checks } = parked;
  return [writer.text(reason), writer.time(sinceMs), ...checks.map(writer.text)].join(':');
}

function unpackParked(reader: Reader, text: string): Parked | null {
  if (text === '') return null;
  const [reason = '', since = '', ...checks] = text.split(':');
  const sinceMs = readTime(reader, since) ?? 0;
  return { reason: reader.text(reason), sinceMs, checks: checks.map(reader.text) };
}

function packJson(writer: Writer, value: AskedCause | Waiver | null): string {
  return value === null ? '' : writer.text(JSON.stringify(value));
}

function unpackJson<T>(reader: Reader, text: string): T | null {
  return text === '' ? null : (JSON.parse(reader.text(text)) as T);
}
