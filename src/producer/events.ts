import assert from 'node:assert';
import { createCatalogue, type Catalogue } from './catalogue.ts';
import { type EventFields, toEventFields } from './event-fields.ts';
import { corruptEvent, type Fault } from './faults.ts';
import { createRandom, type Random } from './random.ts';
import { createSessions, type Profile, type Sessions } from './sessions.ts';
import { pacedTimes, spreadTimes } from './stream-times.ts';

export type { Profile } from './sessions.ts';
export type { Fault } from './faults.ts';

export const profiles = ['ecommerce', 'user-activity'] as const satisfies readonly Profile[];

/** Shares of all records, so at most 1 together. */
export type Rates = {
  readonly duplicates: number;
  readonly malformed: number;
  readonly late: number;
};

export type GenerateOptions = {
  readonly profile: Profile;
  /** Products and users depend on it alone; everything else also on the profile and the start. */
  readonly seed: number;
  /** ISO-8601. No event happens before it. */
  readonly start: string;
  readonly rates?: Partial<Rates>;
} & (
  | {
      /** ISO-8601, exclusive: the records are spread over the range, in the rhythm of a day. */
      readonly end: string;
      /** Of all records, duplicates and malformed ones included. */
      readonly count: number;
    }
  | {
      /** Records per second of the stream, evenly; without a count, without an end. */
      readonly rate: number;
      readonly count?: number;
    }
);

export type RecordKind = 'event' | 'duplicate' | 'malformed' | 'late';

export type StreamRecord = {
  readonly kind: RecordKind;
  /** The user; `null` when the record does not tell one. */
  readonly key: string | null;
  readonly value: string | Buffer;
  /** Its place in the stream. The event time is the same, or one to three hours less if late. */
  readonly timestampMs: number;
  readonly fault: Fault | null;
  readonly faultName: string | null;
};

/** A duplicate is one of so many latest events. */
const recentMax = 200;

type Stream = {
  readonly profile: Profile;
  readonly rates: Rates;
  readonly random: Random;
  readonly catalogue: Catalogue;
  readonly sessions: Sessions;
  readonly recent: StreamRecord[];
};

/**
 * A stream of records in the order of their places. The same options give the same bytes. Memory
 * stays bounded however long it is.
 */
export function* generateEvents(options: GenerateOptions): Generator<StreamRecord, void> {
  const { profile, seed, start } = options;
  const rates: Rates = { duplicates: 0, malformed: 0, late: 0, ...options.rates };
  const rest = 1 - rates.duplicates - rates.malformed;
  assert(Object.values(rates).every((rate) => rate >= 0 && rate <= 1) && rates.late <= rest + 1e-9);

  const startMs = Date.parse(start);
  const random = createRandom(`stream|${profile}|${seed}|${startMs}`);
  const catalogue = createCatalogue(seed);
  const offlineShare = rates.late === 0 ? 0 : rates.late / rest;
  const sessions = createSessions({ profile, catalogue, random, startMs, offlineShare });
  const stream: Stream = { profile, rates, random, catalogue, sessions, recent: [] };
  for (const placeMs of timesOf(options, startMs, random)) yield nextRecord(stream, placeMs);
}

function timesOf(options: GenerateOptions, startMs: number, random: Random): Iterable<number> {
  if ('end' in options) {
    return spreadTimes({ startMs, endMs: Date.parse(options.end), count: options.count, random });
  }
  return pacedTimes({ startMs, ratePerSecond: options.rate, count: options.count });
}

function nextRecord(stream: Stream, placeMs: number): StreamRecord {
  const { rates, random, recent } = stream;
  const drawn = random.next();
  if (drawn < rates.duplicates) {
    const again = recent[random.below(recent.length)];
    // The very first record cannot be a duplicate.
    if (again !== undefined) return { ...again, kind: 'duplicate', timestampMs: placeMs };
  }
  if (drawn >= rates.duplicates && drawn < rates.duplicates + rates.malformed) {
    return malformedRecord(stream, placeMs);
  }
  const happening = stream.sessions.happenAt(placeMs);
  const record: StreamRecord = {
    kind: happening.eventTimeMs < placeMs ? 'late' : 'event',
    key: happening.user.id,
    value: JSON.stringify(toEventFields(happening, random)),
    timestampMs: placeMs,
    fault: null,
    faultName: null,
  };
  if (recent.length < recentMax) recent.push(record);
  else recent[random.below(recentMax)] = record;
  return record;
}

/** Beside all visits, so that no view is missing under a cart. */
function malformedRecord(stream: Stream, placeMs: number): StreamRecord {
  const { profile, random, catalogue } = stream;
  const product = catalogue.drawProduct(random);
  const pageUrl = catalogue.drawPage(random);
  const user = catalogue.drawUser(random);
  const event: EventFields = toEventFields(
    {
      step:
        profile === 'ecommerce'
          ? { kind: 'cart', product, quantity: 1 }
          : { kind: 'page', pageUrl },
      user,
      sessionId: `s-${random.hex(16)}`,
      eventTimeMs: placeMs,
    },
    random,
  );
  const { value, fault, faultName } = corruptEvent(event, profile, random);
  const hasUser = faultName !== 'missing_user_id' && value.length > 0;
  const key = hasUser ? user.id : null;
  return { kind: 'malformed', key, value, timestampMs: placeMs, fault, faultName };
}
