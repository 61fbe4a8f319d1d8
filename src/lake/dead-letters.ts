import { type BatchName, parseBatchName, parseRedriveKey } from './paths.ts';
import { hourMs, startOfHour } from './time.ts';

/*
 * Dead letters, and sending them again. A redrive is a claim, then a record in Kafka, then a
 * confirmation. A claim alone means that the record may be in Kafka: nobody sends it once more
 * unless a person insists.
 */

/** `<batch>/<offset>`: the same for ever. */
export type DeadLetterId = string;

export type DeadLetter = {
  readonly id: DeadLetterId;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: string;
  /** The field at fault, `null` when it is the whole record. */
  readonly field: string | null;
  readonly detail: string;
  readonly kafkaTime: string;
  readonly ingestTime: string;
  readonly key: Uint8Array | null;
  readonly headers: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly value: Uint8Array | null;
};

export type DeadLetterFilter = {
  readonly reason: string | null;
  readonly topic: string | null;
  /** Ingest time, inclusive. */
  readonly fromMs: number | null;
  /** Ingest time, exclusive. */
  readonly toMs: number | null;
};

export function deadLetterId(batch: BatchName, offset: string): DeadLetterId {
  return `${batch}/${offset}`;
}

/** `null` for a text that is no id. */
export function parseDeadLetterId(
  text: string,
): { readonly batch: BatchName; readonly offset: string } | null {
  const [batch = '', offset = '', ...rest] = text.split('/');
  const isId = rest.length === 0 && parseBatchName(batch) !== null && /^\d{1,19}$/.test(offset);
  return isId ? { batch, offset } : null;
}

export function matchesFilter(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { reason, topic, fromMs, toMs } = filter;
  const ingestMs = Date.parse(letter.ingestTime);
  return (
    (reason === null || letter.reason === reason) &&
    (topic === null || letter.topic === topic) &&
    (fromMs === null || ingestMs >= fromMs) &&
    (toMs === null || ingestMs < toMs)
  );
}

/** The ingest hours that a filter touches, from the first to the last; `null`: without an end. */
export function hoursOfFilter({ fromMs, toMs }: DeadLetterFilter): {
  readonly firstMs: number | null;
  readonly endMs: number | null;
} {
  return {
    firstMs: fromMs === null ? null : startOfHour(fromMs),
    endMs: toMs === null ? null : startOfHour(toMs - 1) + hourMs,
  };
}

// ── Redrives ────────────────────────────────────────────────────────────────────────────────────

/** The object that is created before the record is sent. */
export type RedriveClaim = {
  readonly id: DeadLetterId;
  readonly attempt: number;
  /** Tells this claim from another one for the same attempt. */
  readonly claimId: string;
  readonly time: string;
  readonly author: string;
  /** SHA-256 of the value that is sent; `null` for a tombstone. */
  readonly digest: string | null;
  readonly corrected: boolean;
};

/** The object that is created after the broker has said where the record lies. */
export type RedriveSent = {
  readonly id: DeadLetterId;
  readonly attempt: number;
  readonly claimId: string;
  readonly time: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
};

export type RedriveState = {
  readonly kind: 'open' | 'claimed' | 'redriven';
  /** The last attempt; 0 without any. */
  readonly attempt: number;
};

export const neverRedriven: RedriveState = { kind: 'open', attempt: 0 };

/** What the keys below a batch's redrive prefix say of each of its dead letters. */
export function redriveStates(keys: readonly string[]): ReadonlyMap<DeadLetterId, RedriveState> {
  const states = new Map<DeadLetterId, RedriveState>();
  for (const key of keys) {
    const parsed = parseRedriveKey(key);
    if (parsed === null) continue;
    const id = deadLetterId(parsed.batch, parsed.offset);
    const known = states.get(id) ?? neverRedriven;
    if (parsed.attempt < known.attempt) continue;
    // The last attempt decides; of that one, a confirmation says more than its claim.
    const isSent =
      parsed.kind === 'sent' || (parsed.attempt === known.attempt && known.kind === 'redriven');
    states.set(id, { kind: isSent ? 'redriven' : 'claimed', attempt: parsed.attempt });
  }
  return states;
}

export type RedriveDecision =
  { readonly kind: 'send'; readonly attempt: number } | { readonly kind: 'refuse' };

/** Only an open dead letter is sent, or any that a person insists on. */
export function decideRedrive(state: RedriveState, force: boolean): RedriveDecision {
  if (state.kind !== 'open' && !force) return { kind: 'refuse' };
  return { kind: 'send', attempt: state.attempt + 1 };
}

/** Names the dead letter from which a record of the topic comes. */
const redriveHeader = 'ingot-redrive';

/** The headers of the record that is sent: those that it had, and where it comes from. */
export function redriveHeaders(letter: DeadLetter): DeadLetter['headers'] {
  return { ...letter.headers, [redriveHeader]: [new TextEncoder().encode(letter.id)] };
}

// ── Corrections ─────────────────────────────────────────────────────────────────────────────────

/** What is sent instead of the bytes that came. */
export type Correction =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: Uint8Array }
  /** Fields of the JSON object, by name. */
  | { readonly kind: 'fields'; readonly fields: readonly (readonly [string, unknown])[] };

export type Corrected =
  | { readonly kind: 'value'; readonly value: Uint8Array | null }
  | { readonly kind: 'impossible'; readonly why: string };

export function correct({ value }: DeadLetter, correction: Correction): Corrected {
  switch (correction.kind) {
    case 'none':
      return { kind: 'value', value };
    case 'value':
      return { kind: 'value', value: correction.value };
    case 'fields': {
      const object = value === null ? null : jsonObject(value);
      if (object === null) return { kind: 'impossible', why: 'its value is not a JSON object' };
      // fromEntries defines own properties, so that a field named __proto__ stays a field.
      const set = Object.fromEntries([...Object.entries(object), ...correction.fields]);
      return { kind: 'value', value: new TextEncoder().encode(JSON.stringify(set)) };
    }
  }
}

function jsonObject(bytes: Uint8Array): object | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    // Neither the decoder nor the parser has another way to say so.
    return null;
  }
}

export type ParsedField =
  | { readonly kind: 'field'; readonly field: readonly [string, unknown] }
  | { readonly kind: 'invalid'; readonly why: string };

/** `price=12.5`: the name of a field, and its value as JSON. */
export function parseSetField(text: string): ParsedField {
  const equals = text.indexOf('=');
  if (equals < 1) return { kind: 'invalid', why: 'wanted field=json' };
  const json = text.slice(equals + 1);
  try {
    return { kind: 'field', field: [text.slice(0, equals), JSON.parse(json)] };
  } catch {
    // A text without its quotes is what people forget.
    const why = `${json} is not JSON; a text needs quotes: ${text.slice(0, equals)}='"${json}"'`;
    return { kind: 'invalid', why };
  }
}
