import { IngotError } from '../errors.ts';
import {
  type DeadLetter,
  type RedriveClaim,
  type RedriveSent,
  type RedriveState,
  decideRedrive,
  neverRedriven,
  parseDeadLetterId,
  redriveHeaders,
  redriveStates,
} from '../lake/dead-letters.ts';
import {
  type RedrivePlace,
  redriveClaimKey,
  redriveFolder,
  redriveSentKey,
} from '../lake/paths.ts';
import { formatInstant } from '../lake/time.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* Sending one dead letter again: claim, send, confirm. */

export type OutgoingRecord = Pick<DeadLetter, 'topic' | 'partition' | 'key' | 'headers' | 'value'>;

export type RedriveDeps = {
  readonly objects: ObjectStore;
  readonly dataset: string;
  /** Resolves when all replicas that count have the record. */
  readonly send: (record: OutgoingRecord) => Promise<Pick<RedriveSent, 'partition' | 'offset'>>;
  readonly author: string;
  readonly uniqueId: () => string;
  readonly now: () => number;
};

/** The last attempt to send a dead letter; `sent: null` when nobody knows whether it was. */
export type RedriveAttempt = { readonly claim: RedriveClaim; readonly sent: RedriveSent | null };

/** `null` when it was never tried. */
export async function lastAttempt(
  objects: ObjectStore,
  dataset: string,
  id: string,
): Promise<RedriveAttempt | null> {
  const place = placeOf(dataset, id);
  const { attempt } = await stateOf(objects, place, id);
  const claim = await readJson<RedriveClaim>(objects, redriveClaimKey(place, attempt));
  if (claim === null) return null;
  const sent = await readJson<RedriveSent>(objects, redriveSentKey(place, attempt));
  return { claim: claim.value, sent: sent?.value ?? null };
}

/**
 * Sends the value with the key and headers of the dead letter to its topic partition. Throws
 * `REDRIVE_REFUSED` when it was or may have been sent before, unless forced, or when someone else
 * claims it at the same time. Whatever it throws after its claim, a next call without force is
 * refused.
 */
export async function redrive(
  deps: RedriveDeps,
  letter: DeadLetter,
  options: {
    readonly value: Uint8Array | null;
    readonly corrected: boolean;
    readonly force: boolean;
  },
): Promise<RedriveSent> {
  const { objects, dataset } = deps;
  const place = placeOf(dataset, letter.id);
  const decision = decideRedrive(await stateOf(objects, place, letter.id), options.force);
  if (decision.kind === 'refuse') throw await refusal(objects, dataset, letter.id);
  const { attempt } = decision;
  const claim: RedriveClaim = {
    id: letter.id,
    attempt,
    claimId: deps.uniqueId(),
    time: formatInstant(deps.now()),
    author: deps.author,
    digest: options.value === null ? null : sha256(options.value),
    corrected: options.corrected,
  };
  await createClaim(deps, redriveClaimKey(place, attempt), claim);

  const { topic, partition, key } = letter;
  const headers = redriveHeaders(letter);
  const landed = await deps.send({ topic, partition, key, headers, value: options.value });
  const sent: RedriveSent = {
    id: letter.id,
    attempt,
    claimId: claim.claimId,
    time: formatInstant(deps.now()),
    topic,
    ...landed,
  };
  // The claim is ours alone, so one that is there already is our own, whose answer was lost.
  await objects.createObject(redriveSentKey(place, attempt), jsonBytes(sent));
  return sent;
}

async function createClaim(deps: RedriveDeps, key: string, claim: RedriveClaim): Promise<void> {
  const { objects, dataset } = deps;
  if ((await objects.createObject(key, jsonBytes(claim))).kind === 'created') return;
  const found = await readJson<RedriveClaim>(objects, key);
  if (found?.value.claimId !== claim.claimId) throw await refusal(objects, dataset, claim.id);
}

async function refusal(objects: ObjectStore, dataset: string, id: string): Promise<IngotError> {
  const last = await lastAttempt(objects, dataset, id);
  const { time, author } = last?.claim ?? { time: 'unknown', author: 'unknown' };
  if (last?.sent == null) {
    return new IngotError(
      'REDRIVE_REFUSED',
      `${id} may have been sent at ${time} by ${author}: it was claimed and not confirmed. ` +
        `Look for the header ingot-redrive in its topic, then send it with --force if it is not there`,
      { retryable: false, facts: { id } },
    );
  }
  const { sent } = last;
  return new IngotError(
    'REDRIVE_REFUSED',
    `${id} was sent at ${sent.time} by ${author}, and lies in ` +
      `${sent.topic}/${sent.partition} at offset ${sent.offset}; --force sends it once more`,
    { retryable: false, facts: { id } },
  );
}

async function stateOf(
  objects: ObjectStore,
  place: RedrivePlace,
  id: string,
): Promise<RedriveState> {
  const keys = await objects.listObjects(redriveFolder(place));
  return redriveStates(keys.map(({ key }) => key)).get(id) ?? neverRedriven;
}

function placeOf(dataset: string, id: string): RedrivePlace {
  const parsed = parseDeadLetterId(id);
  if (parsed !== null) return { dataset, ...parsed };
  throw new IngotError('INPUT_INVALID', `${id} is not the id of a dead letter`, {
    retryable: false,
  });
}
